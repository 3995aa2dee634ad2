"""Tables whose every write replaces a version, so that what is computed from them can be kept per process.

The version is a row of `setting`, replaced in the transaction of the write. Its value is random, not a
count: one that is rolled back never comes again.
"""

from __future__ import annotations

import secrets
from typing import Any, ClassVar

import peewee as pw

from dashboard.db import Model
from dashboard.models.records import Setting

RULES = "rules.version"  # of the rules in force and of all that they depend on
TYPES = "types.version"  # of the choices about event types


def bump(name: str) -> None:
    """Replace a version, in the caller's transaction."""
    Setting.put(name, secrets.token_hex(8))


class _Bumps:
    """A write that replaces the versions of its model when it has changed a row."""

    model: type[Versioned]

    def _execute(self, database: pw.Database) -> Any:
        result = super()._execute(database)  # type: ignore[misc]
        if result != 0:
            for name in self.model.versions:
                bump(name)
        return result


class _Insert(_Bumps, pw.ModelInsert):
    pass


class _Update(_Bumps, pw.ModelUpdate):
    pass


class _Delete(_Bumps, pw.ModelDelete):
    pass


class Versioned(Model):
    """Base of the tables that rules in force depend on.

    An update counts when it sets one of the `read` columns, by default any; `inserts` says whether a new
    row alone makes a difference.
    """

    versions: ClassVar[tuple[str, ...]] = (RULES,)
    read: ClassVar[frozenset[str] | None] = None
    inserts: ClassVar[bool] = True

    @classmethod
    def insert(cls, __data: Any = None, **values: Any) -> Any:
        return cls._insertion(super().insert(__data, **values))

    @classmethod
    def insert_many(cls, rows: Any, fields: Any = None) -> Any:
        return cls._insertion(super().insert_many(rows, fields))

    @classmethod
    def update(cls, __data: Any = None, **values: Any) -> Any:
        query = super().update(__data, **values)
        if cls.read is None or any(field.name in cls.read for field in query._update):  # type: ignore[attr-defined]
            query.__class__ = _Update
        return query

    @classmethod
    def delete(cls) -> Any:
        query = super().delete()
        query.__class__ = _Delete
        return query

    @classmethod
    def _insertion(cls, query: Any) -> Any:
        if cls.inserts:
            query.__class__ = _Insert
        return query
