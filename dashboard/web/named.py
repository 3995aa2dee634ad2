"""Changes of rows that lists of the settings are about: one verb, one transaction, its audit entry inside.

Such a row has `name`, by which events know it and which is unique, `label`, `version`, `deactivated_ts`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import peewee

from dashboard import clock
from dashboard.audit import record as audit
from dashboard.db import Model, database


class TakenError(Exception):
    """Another row has this name."""


@dataclass(frozen=True)
class Named:
    """One table of them; `kind` begins the names of audit actions, `fields` are what a form may set."""

    model: type[Model]
    kind: str
    fields: tuple[str, ...]

    def facts(self, row: Any) -> dict[str, Any]:
        return {name: getattr(row, name) for name in self.fields}

    def create(self, values: dict[str, Any], **made: Any) -> Any:
        """Add a row and return it; `made` is what no form sets. Raises TakenError."""
        try:
            with database.atomic():
                row = self.model.create(**values, **made)
                self._record("created", "c", row, audit.differences({}, values))
        except peewee.IntegrityError:
            raise TakenError from None
        return row

    def update(self, row: Any, values: dict[str, Any], version: int) -> bool:
        """Save; False, and nothing is changed, when `version` is no longer the row's. Raises TakenError."""
        changes = audit.differences(self.facts(row), values)
        try:
            with database.atomic():
                if not self._change(row, self._column("version") == version, values):
                    return False
                if changes:
                    self._record("updated", "u", row, changes)
        except peewee.IntegrityError:
            raise TakenError from None
        return True

    def deactivate(self, row: Any) -> None:
        """Take the row out of the lists; what it is part of stays. Twice is once."""
        self._set(row, clock.now_s())

    def reactivate(self, row: Any) -> None:
        """Bring the row back into the lists. Twice is once."""
        self._set(row, None)

    def _set(self, row: Any, moment: int | None) -> None:
        since = self._column("deactivated_ts")
        with database.atomic():
            other = since.is_null() if moment else since.is_null(False)
            if self._change(row, other, {"deactivated_ts": moment}):
                act = "deactivated" if moment else "reactivated"
                self._record(act, "u", row, {"deactivated": (moment is None, moment is not None)})

    def _change(self, row: Any, only: Any, values: dict[str, Any]) -> int:
        change = self.model.update(version=self._column("version") + 1, **values)
        return int(change.where((self._column("id") == row.id) & only).execute())

    def _record(self, act: str, crud: str, row: Any, changes: dict[str, tuple[Any, Any]]) -> None:
        audit.record(f"{self.kind}.{act}", crud, (self.kind, row.id, row.label), changes)

    def _column(self, name: str) -> Any:
        return getattr(self.model, name)
