"""Dataclasses whose fields are declared as parts of a rule: validation and JSON form. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

from dashboard.rulelang.validation import Checks, ErrorPath
from dashboard.rulelang.values import Kind, Part


class Declared:
    """Base of the dataclasses whose fields are declared with `part`."""

    @classmethod
    def completed(cls, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return an object with the defaults that depend on its other parts."""
        return given

    def check(self, path: ErrorPath, checks: Checks) -> None:
        """Add the errors that concern several parts."""


D = TypeVar("D", bound=Declared)


def part(kind: Kind, label: str = "", default: Any = dataclasses.MISSING, hint: str = "") -> Any:
    """Declare a field of a dataclass as a part of a rule; `default` is that of the field and of the JSON."""
    given = None if default is dataclasses.MISSING else default
    return dataclasses.field(
        default=default, metadata={"part": Part("", kind, label, default=given, hint=hint)}
    )


def parts(cls: type[Declared]) -> tuple[Part, ...]:
    """Return the parts that a dataclass declares, in order."""
    return tuple(
        dataclasses.replace(each.metadata["part"], name=each.name)
        for each in dataclasses.fields(cls)  # type: ignore[arg-type]
    )


def parse(cls: type[D], raw: Any, path: ErrorPath, checks: Checks) -> D:
    """Return the object that decoded JSON describes; its errors are added to `checks` below `path`."""
    declared = parts(cls)
    given = cls.completed(checks.part(raw, path, {each.name for each in declared}))
    made = cls(**{each.name: each.parse(given, path, checks) for each in declared})
    made.check(path, checks)
    return made


def dump(value: Any) -> Any:
    """Return the JSON form of a checked value; parsing it gives the same value."""
    if isinstance(value, Declared):
        return {each.name: dump(getattr(value, each.name)) for each in parts(type(value))}
    if isinstance(value, Mapping):
        return {name: dump(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [dump(each) for each in value]
    return str(value) if isinstance(value, StrEnum) else value
