"""The options and actions of a typed rule as form fields, and back, by their declared kinds; pure.

What cannot be read is kept as typed: the check on save reports it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from dashboard.pages.ruleeditor import form_values
from dashboard.pages.ruleeditor.form_values import Form, lines, seconds, shown, text, whole
from dashboard.pages.ruleeditor.typed_rule import Action, Option
from dashboard.rulelang import declared
from dashboard.rulelang.actions import ACTIONS, COMMON, RoleNames
from dashboard.rulelang.rate_limits import Frequency
from dashboard.rulelang.schema import GENERAL
from dashboard.rulelang.triggers import DUE, OPTIONS, fitting
from dashboard.rulelang.validation import ErrorPath
from dashboard.rulelang.values import (
    Addresses,
    ChannelId,
    Clocks,
    EventTypes,
    Ids,
    Kind,
    Part,
    Seconds,
    TemplatesByName,
    Texts,
    Weekdays,
    Whole,
    YesNo,
)

BY_LINE: Final = (Texts, Addresses)
LISTS: Final = (Ids, RoleNames, Weekdays)
MOST: Final = 20  # event types, or actions
EMPTY: Final[tuple[Any, ...]] = (None, "", [], {}, False)


def read(kind: Kind, form: Form, name: str) -> Any:
    """Return the value that the form has under `name`, in its JSON form or as typed; None for nothing."""
    if kind.parts():
        found = {each.name: read(each.kind, form, f"{name}.{each.form_name}") for each in kind.parts()}
        return {key: value for key, value in found.items() if value not in EMPTY} or None
    if isinstance(kind, Seconds):
        return seconds(form, name)
    if isinstance(kind, BY_LINE):
        return lines(form, f"{name}.lines")
    if isinstance(kind, TemplatesByName):
        pairs = (line.partition(":") for line in lines(form, f"{name}.lines"))
        return {key.strip(): value.strip() for key, _colon, value in pairs}
    if isinstance(kind, LISTS):
        given = form.getlist(name)
        return given if isinstance(kind, RoleNames) else [whole(each) for each in given]
    if isinstance(kind, EventTypes):
        return [text(form, f"{name}.{place}") for place in places(form, name)]
    if isinstance(kind, Clocks):
        return [at for each in text(form, name).split(",") if (at := each.strip())]
    if isinstance(kind, Frequency):
        return _read_frequency(form, name)
    if isinstance(kind, YesNo):
        return name in form
    return whole(text(form, name)) if isinstance(kind, Whole | ChannelId) else text(form, name)


def typed_text(kind: Kind, value: Any) -> str:
    """Return what the one text field of a value holds."""
    if isinstance(kind, TemplatesByName):
        pairs = value.items() if isinstance(value, dict) else ()
        return "\n".join(f"{name}: {' '.join(shown(each).split())}" for name, each in pairs)
    return ", ".join(map(shown, form_values.entries(value))) if isinstance(kind, Clocks) else shown(value)


def places(form: Form, name: str, after: str = "") -> list[int]:
    """Return the numbers n of the fields called "name.n" and `after`, rising."""
    fits = re.compile(rf"{re.escape(name)}\.(\d{{1,3}}){re.escape(after)}")
    return sorted({int(match[1]) for each in form if (match := fits.fullmatch(each))})[:MOST]


def frequency(limit: Any) -> str:
    """Return the choice of an action's frequency: a word, or the seconds of its period."""
    given = limit if isinstance(limit, dict) else {}
    often = given.get("often", "always")
    return shown(given.get("seconds")) if often == "period" else str(often)


def counted_for(limit: Any) -> str:
    """Return for what an action's frequency is counted."""
    return str(limit.get("by", "subject")) if isinstance(limit, dict) else "subject"


def _read_frequency(form: Form, name: str) -> Option | None:
    often = text(form, f"{name}.freq")
    if not often or often == "always":
        return None
    period = whole(often)
    made: Option = {"often": "period", "seconds": period} if isinstance(period, int) else {"often": often}
    return {**made, "by": form.get(f"{name}.by", "subject")}


def field_name(prefix: str, part: Part) -> str:
    """Return the name of the field of a part of the object at `prefix`; a frequency has several fields."""
    return prefix if isinstance(part.kind, Frequency) else f"{prefix}.{part.form_name}".lstrip(".")


def error_field(path: ErrorPath) -> str:
    """Return the name of the field, or of the button, at which an error of an option or action is shown."""
    first, *rest = path.keys
    if first in OPTIONS:
        return str(path) if rest else f"{first}.{declared.parts(OPTIONS[str(first)].cls)[0].form_name}"
    if first != "then" or not rest:
        return "addact" if first == "then" else str(path)
    prefix, name = f"then.{rest[0]}", rest[1] if len(rest) > 1 else "do"
    by_name = {part.name: part for row in ACTIONS.values() for part in (*row.params, *COMMON)}
    part = by_name.get(str(name))
    if part is None:
        return f"{prefix}.{name}"
    if isinstance(part.kind, Frequency):
        return f"{prefix}.freq"
    members = [each.form_name for each in part.kind.parts()]
    inner = rest[2:3] if members and len(rest) > 2 else members[:1]
    return ".".join(map(str, (prefix, part.form_name, *inner)))


def _read_parts(parts: Sequence[Part], form: Form, prefix: str) -> Option:
    """Return the parts that are typed; a choice or a number that is left empty is the default."""
    made: dict[str, Any] = {}
    for part in parts:
        value = read(part.kind, form, field_name(prefix, part))
        if value in EMPTY and part.default is not None and not isinstance(value, list):
            value = part.default
        made[part.name] = value
    return made


def read_options(form: Form, types: Sequence[str]) -> dict[str, Option]:
    """Return the options that suit the types: as typed, else as they are proposed."""
    made: dict[str, Any] = {}
    for name in fitting(types):
        option = OPTIONS[name]
        parts = declared.parts(option.cls)
        first = f"{name}.{parts[0].form_name}"
        typed = text(form, first) or any(
            places(form, f"{name}.{each.name}") for each in parts if isinstance(each.kind, EventTypes)
        )
        if typed or (option.needed and first in form):
            made[name] = _read_parts(parts, form, name)
        elif option.needed:
            made[name] = dict(option.proposal)
            if name == "after" and DUE.issuperset(types):
                made[name]["seconds"] = 0
    return made


def typed_options(given: Mapping[str, Any]) -> dict[str, Option]:
    """Return the options of a stored definition, each with all of its parts."""
    made = {}
    for name, option in OPTIONS.items():
        part, proposal = given.get(name), option.proposal
        if isinstance(part, dict):
            same = {key: part[key] for key in proposal if isinstance(part.get(key), _like(proposal[key]))}
            made[name] = {**proposal, **same}
    return made


def _like(default: Any) -> tuple[type, ...]:
    return (list,) if isinstance(default, list) else (int, float, str)


def read_general(form: Form) -> dict[str, Any]:
    """Return the parts that hold for the rule as a whole, as typed."""
    return _read_parts(GENERAL, form, "")


def typed_general(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return those parts of a stored definition; the default replaces what is of another type."""
    return {
        part.name: value
        if isinstance(value := given.get(part.name), bool if part.default is False else str)
        else part.default
        for part in GENERAL
    }


def params_of(action: Mapping[str, Any]) -> tuple[Part, ...]:
    """Return the parameters of a typed action; none of an unknown one."""
    row = ACTIONS.get(str(action.get("do")))
    return row.params if row else ()


def read_actions(form: Form) -> list[Action]:
    """Return the actions by their places, each with the parameters of its kind."""
    return [_action(form, f"then.{place}") for place in places(form, "then", ".do")]


def _action(form: Form, name: str) -> Action:
    made: Action = {"do": text(form, f"{name}.do")}
    typed = _read_parts((*params_of(made), *COMMON), form, name)
    defaults = {part.name for part in COMMON if part.default is not None}
    return made | {key: value for key, value in typed.items() if key in defaults or value not in EMPTY}
