"""Changes of versioned rows: one transaction each, its audit entry inside.

A row has `version`, which every save raises; a save that names another version changes nothing. Rows that can
be deactivated have `deactivated_ts`.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, ClassVar, Generic, TypeVar

from dashboard import clock
from dashboard.audit import record as audit
from dashboard.db import Model, database
from dashboard.web.fields import Form

FormT = TypeVar("FormT", bound=Form)
Changes = dict[str, tuple[Any, Any]]


class InvalidError(Exception):
    """A change is refused; `problem` is the translated message, `field` where it is shown ("": the form)."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(problem)
        self.field, self.problem = field, problem


class VersionedRows(Generic[FormT]):
    """The rows of one table and what may be done with them."""

    model: ClassVar[type[Model]]
    kind: ClassVar[str]  # begins the names of audit actions and names their target
    form_class: type[FormT]
    name_field: ClassVar[str] = "name"  # what a row is called

    def called(self, row: Any) -> str:
        return str(getattr(row, self.name_field))

    def stored(self, row: Any) -> dict[str, Any]:
        """Return the row's values under the names of the form's fields."""
        return {field: getattr(row, field) for field in self.form_class().names}

    def audited(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return values as the audit log keeps them: names for ids, nothing secret."""
        return values

    def changing(self) -> AbstractContextManager[Any]:
        """Return the transaction of a change."""
        return database.atomic()

    def insert(self, form: FormT, context: Any) -> Any:
        """Add the row in the transaction `context`. Raises InvalidError, RefusedError."""
        return self.model.create(**form.values())

    def write(self, row: Any, form: FormT, context: Any) -> bool:
        """Save what belongs to the row; False when its version is another than the form's."""
        return self.set(row, form.version.data, **form.values())

    def removing(self, row: Any, context: Any) -> Changes | None:
        """Do what precedes a removal and return what its audit entry holds. Raises InvalidError."""
        return None

    def check_active(self, row: Any, active: bool, context: Any) -> None:
        """Raise RefusedError or InvalidError when the row may not be (re)activated or deactivated."""

    def leave(self, row: Any, context: Any) -> None:
        """Do what belongs to a deactivation, inside its transaction."""

    def changed(self, row: Any) -> None:
        """Do what follows a change, inside its transaction."""

    def create_row(self, form: FormT) -> Any:
        """Add a row. Raises IntegrityError, InvalidError, RefusedError; then nothing is changed."""
        with self.changing() as context:
            row = self.insert(form, context)
            self.record("created", "c", row, audit.differences({}, self.audited(form.values())))
            self.changed(row)
        return row

    def update_row(self, row: Any, form: FormT) -> bool:
        """Save the form; False when its version is no longer the row's. Raises as `create_row`."""
        with self.changing() as context:
            before = self.stored(row)
            if not self.write(row, form, context):
                return False
            fresh = self.model.get_by_id(row.id)
            after = self.stored(fresh)
            old, new = self.audited(before), self.audited(after)
            changes = {name: (old[name], new[name]) for name in new if before[name] != after[name]}
            if changes:
                self.record("updated", "u", row, changes)
                self.changed(fresh)
        return True

    def set(self, row: Any, version: int, **values: Any) -> bool:
        """Set columns of the row; False, and nothing is changed, when its version is another."""
        return self._change(row, self._column("version") == version, values)

    def set_active(self, row: Any, active: bool) -> None:
        """Deactivate a row, or reactivate it; idempotent. What it is part of stays."""
        since = self._column("deactivated_ts")
        with self.changing() as context:
            self.check_active(row, active, context)
            other = since.is_null(False) if active else since.is_null()
            if self._change(row, other, {"deactivated_ts": None if active else clock.now_s()}):
                if not active:
                    self.leave(row, context)
                verb = "reactivated" if active else "deactivated"
                self.record(verb, "u", row, {"deactivated": (active, not active)})
                self.changed(row)

    def remove(self, row: Any) -> None:
        """Delete a row for good; idempotent. Raises InvalidError, RefusedError."""
        with self.changing() as context:
            changes = self.removing(row, context)
            if self.model.delete().where(self._column("id") == row.id).execute():
                self.record("deleted", "d", row, changes)
                self.changed(row)

    def record(self, act: str, crud: str, row: Any, changes: Changes | None = None) -> None:
        audit.record(f"{self.kind}.{act}", crud, self.target(row), changes)

    def target(self, row: Any) -> tuple[str, object, str]:
        return (self.kind, row.id, str(getattr(row, self.name_field)))

    def _change(self, row: Any, only: Any, values: dict[str, Any]) -> bool:
        change = self.model.update(version=self._column("version") + 1, **values)
        return bool(change.where((self._column("id") == row.id) & only).execute())

    def _column(self, name: str) -> Any:
        return getattr(self.model, name)
