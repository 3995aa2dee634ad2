"""The kinds of "when" of a rule, of which the editor asks first; pure.

A kind decides which event types may be chosen and which options are typed. It follows from the definition
where that tells, else it is the one that was chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, cast

from dashboard.i18n.message import N_
from dashboard.pages.ruleeditor.typed_rule import TypedDefinition, TypedRule
from dashboard.rulelang.triggers import OPTIONS, SCHEDULE, fitting, origin
from dashboard.rulelang.validation import ROOT, ErrorPath


class When(StrEnum):
    """What makes a rule run."""

    HAPPENS = "happens"
    ABSENT = "absent"  # one event, and none of others within a time
    COUNT = "count"
    SCHEDULE = "schedule"
    LASTS = "lasts"  # a state, for a time


LABELS: Mapping[When, str] = {
    When.HAPPENS: N_("Something happens"),
    When.ABSENT: N_("Something does not happen in time"),
    When.COUNT: N_("A count is reached"),
    When.SCHEDULE: N_("On a schedule"),
    When.LASTS: N_("Something waits or idles"),
}
NEEDED: Mapping[When, tuple[str, ...]] = {
    When.HAPPENS: (),
    When.ABSENT: ("wait",),
    When.COUNT: ("times", "count"),
    When.SCHEDULE: ("schedule",),
    When.LASTS: ("after",),
}
_OF_ORIGIN = {"after": When.LASTS, "count": When.COUNT, "schedule": When.SCHEDULE}
NO_TIMES = N_("Enter how many events.")
NO_UNLESS = N_("Choose the event that is expected.")


def when_of(typed: TypedRule) -> When:
    """Return the kind of a typed rule."""
    definition = typed["definition"]
    types = [name for name in definition["types"] if name]
    for name in types:
        if origin(name):
            return _OF_ORIGIN[origin(name)]
    if "times" in definition:
        return When.COUNT
    if definition.get("wait", {}).get("unless"):
        return When.ABSENT
    chosen = typed.get("when", "")
    return (
        When(chosen) if chosen in LABELS and all(fits(When(chosen), each) for each in types) else When.HAPPENS
    )


def fits(when: When, type_: str) -> bool:
    """Say whether a rule of this kind may be about the type."""
    of_type = origin(type_)
    return _OF_ORIGIN[of_type] is when if of_type else when in (When.HAPPENS, When.ABSENT, When.COUNT)


def options(when: When, definition: TypedDefinition) -> set[str]:
    """Return the options whose fields are shown: those of the kind, and those that the rule has."""
    suit = fitting(definition["types"])
    return {name for name in OPTIONS if name in suit and (name in NEEDED[when] or name in definition)}


def turn(typed: TypedRule) -> None:
    """Change the definition to the kind that was chosen: types and options that do not fit go."""
    if typed["when"] not in LABELS:
        return
    when, definition = When(typed["when"]), typed["definition"]
    definition["types"] = [name for name in definition["types"] if fits(when, name)] or [""]
    if when is When.SCHEDULE:
        definition["types"] = [SCHEDULE]
        definition["schedule"] = dict(OPTIONS["schedule"].proposal)
    parts = cast(dict[str, Any], definition)
    for option in OPTIONS:
        if option not in NEEDED[when]:
            parts.pop(option, None)
    if when is When.ABSENT:
        definition.setdefault("wait", {"seconds": "", "calendar": ""}).setdefault("unless", [])
        definition["wait"]["unless"] = definition["wait"]["unless"] or [""]


def missing(typed: TypedRule) -> dict[ErrorPath, str]:
    """Return the marked errors of a rule that lacks what its kind is about, though it is a valid rule."""
    when, definition = when_of(typed), typed["definition"]
    if when is When.ABSENT and not any(definition.get("wait", {}).get("unless", ())):
        return {ROOT / "wait" / "unless": NO_UNLESS}
    if when is When.COUNT and "times" in fitting(definition["types"]) and "times" not in definition:
        return {ROOT / "times" / "number": NO_TIMES}
    return {}
