"""The parts of a typed rule beside its conditions: times, deadlines, counts, schedule, actions; pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any, Final

from dashboard.pages.ruleeditor import form_values
from dashboard.pages.ruleeditor.form_values import Form, lines, seconds, shown, text, whole
from dashboard.rulelang.actions import ACTIONS, Param, ParamKind
from dashboard.rulelang.fields import Field, Kind
from dashboard.rulelang.operand_types import Operand
from dashboard.rulelang.schema import MAX_ACTIONS
from dashboard.rulelang.triggers import DUE, MAX_TYPES, origin

Raw = dict[str, Any]
DAYS: Final = (1, 2, 3, 4, 5, 6, 7)
TO: Final = ("users", "teams", "accesses", "roles")
DEFAULTS: Final[dict[str, Raw]] = {
    "after": {"seconds": 1800, "calendar": ""},
    "count": {"number": 5, "clear": 3, "by": "agent"},
    "schedule": {"at": ["08:00"], "days": [1, 2, 3, 4, 5], "calendar": ""},
}
_ACTION = re.compile(r"then\.(\d{1,3})\.do")
_UNLESS = re.compile(r"wait\.unless\.(\d{1,3})")


def fitting(types: Iterable[str]) -> set[str]:
    """Return which parts rules on these types have: "after", "count", "schedule", or "wait" and "times"."""
    found = set()
    for type_ in types:
        part = origin(type_)
        found |= {part} if part else {"wait", "times"}
    return found


def read(form: Form, types: Collection[str]) -> Raw:
    """Return the parts that suit the types: as typed, else as they are proposed."""
    fit = fitting(types)
    found = {name: part for name, part in _typed(form).items() if name in fit}
    proposed = {name: dict(part) for name, part in DEFAULTS.items() if name in fit}
    if "after" in proposed and DUE.issuperset(types):
        proposed["after"]["seconds"] = 0
    return proposed | found


def _typed(form: Form) -> Raw:
    found: Raw = {}
    if "after.seconds" in form:
        found["after"] = {"seconds": seconds(form, "after.seconds"), "calendar": text(form, "after.calendar")}
    if "count.number" in form:
        found["count"] = {
            "number": whole(text(form, "count.number")),
            "clear": whole(text(form, "count.clear")),
            "by": form.get("count.by", "agent"),
        }
    if "schedule.at" in form:
        found["schedule"] = {
            "at": [at for each in text(form, "schedule.at").split(",") if (at := each.strip())],
            "days": [whole(each) for each in form.getlist("schedule.days")],
            "calendar": text(form, "schedule.calendar"),
        }
    if text(form, "times.number"):
        found["times"] = {
            "number": whole(text(form, "times.number")),
            "seconds": seconds(form, "times.seconds"),
            "by": form.get("times.by", "subject"),
            "clear": whole(text(form, "times.clear") or "0"),
        }
    places = sorted({int(match[1]) for name in form if (match := _UNLESS.fullmatch(name))})[:MAX_TYPES]
    if text(form, "wait.seconds") or places:
        found["wait"] = {
            "seconds": seconds(form, "wait.seconds"),
            "calendar": text(form, "wait.calendar"),
            "unless": [text(form, f"wait.unless.{place}") for place in places],
        }
    return found


def flat(definition: Raw, form: Form) -> None:
    """Add what the form posts for the parts of a definition."""
    fit = fitting(definition["types"])
    for name in ("times", "wait", "after", "count", "schedule"):
        part = definition.get(name)
        if name not in fit or part is None:
            continue
        for key, value in part.items():
            if key == "seconds":
                flat_seconds(form, f"{name}.seconds", value)
            elif key == "unless":
                for n, type_ in enumerate(value):
                    form.add(f"wait.unless.{n}", shown(type_))
            elif key == "days":
                form.setlist("schedule.days", [shown(each) for each in value])
            else:
                form.add(f"{name}.{key}", ", ".join(map(shown, value)) if key == "at" else shown(value))


def typed(given: Raw) -> Raw:
    """Return the parts of a stored definition, each whole."""
    made = {}
    whole_parts = {
        **DEFAULTS,
        "times": {"number": "", "seconds": 600, "by": "subject", "clear": 0},
        "wait": {"seconds": "", "calendar": "", "unless": []},
    }
    for name, default in whole_parts.items():
        part = given.get(name)
        if isinstance(part, dict):
            same = {key: part[key] for key in default if isinstance(part.get(key), _like(default[key]))}
            made[name] = {**default, **same}
    return made


def _like(default: Any) -> tuple[type, ...]:
    return (list,) if isinstance(default, list) else (int, float, str)


def read_actions(form: Form) -> list[Raw]:
    """Return the actions by their places, each with the parameters of its kind."""
    places = sorted({int(match[1]) for name in form if (match := _ACTION.fullmatch(name))})[:MAX_ACTIONS]
    return [_action(form, f"then.{place}") for place in places]


def _action(form: Form, name: str) -> Raw:
    do = text(form, f"{name}.do")
    made: Raw = {"do": do}
    for param in ACTIONS[do].params if do in ACTIONS else ():
        value = _param(form, f"{name}.{param.name}", param)
        if value not in (None, "", [], {}, False):
            made[param.name] = value
    often = text(form, f"{name}.freq")
    if often and often != "always":
        period = whole(often)
        made["limit"] = (
            {"often": "period", "seconds": period} if isinstance(period, int) else {"often": often}
        )
        made["limit"]["by"] = form.get(f"{name}.by", "subject")
    made["on_error"] = form.get(f"{name}.on_error", "continue")
    made["delay_s"] = seconds(form, f"{name}.delay") or 0
    return made


def _param(form: Form, name: str, param: Param) -> Any:
    kind = param.kind
    if kind is ParamKind.TO:
        chosen = {part: form.getlist(f"{name}.{part}") for part in TO}
        found: Raw = {
            part: given if part == "roles" else [whole(each) for each in given]
            for part, given in chosen.items()
        }
        return {part: given for part, given in found.items() if given}
    if kind in (ParamKind.TAGS, ParamKind.ADDRESSES):
        return lines(form, f"{name}.lines")
    if kind is ParamKind.DATA:
        pairs = (line.partition(":") for line in lines(form, f"{name}.lines"))
        return {key.strip(): value.strip() for key, _colon, value in pairs}
    if kind is ParamKind.YES_NO:
        return name in form
    if kind is ParamKind.AGAIN:
        given = {"seconds": seconds(form, f"{name}.seconds"), "times": whole(text(form, f"{name}.times"))}
        return given if any(each != "" for each in given.values()) else None
    return whole(text(form, name)) if kind is ParamKind.CHANNEL else text(form, name)


def flat_actions(actions: list[Raw], form: Form) -> None:
    """Add what the form posts for actions."""
    for n, action in enumerate(actions):
        name, do = f"then.{n}", str(action.get("do", ""))
        form.add(f"{name}.do", do)
        for param in ACTIONS[do].params if do in ACTIONS else ():
            _flat_param(form, f"{name}.{param.name}", param, action.get(param.name))
        form.add(f"{name}.freq", freq(action))
        form.add(f"{name}.by", by(action))
        form.add(f"{name}.on_error", shown(action.get("on_error", "continue")))
        flat_seconds(form, f"{name}.delay", action.get("delay_s", 0))


def freq(action: Raw) -> str:
    """Return the choice of an action's frequency: a word, or the seconds of its period."""
    limit = action.get("limit")
    often = limit.get("often", "always") if isinstance(limit, dict) else "always"
    return shown(limit.get("seconds")) if isinstance(limit, dict) and often == "period" else str(often)


def by(action: Raw) -> str:
    """Return for what an action's frequency is counted."""
    limit = action.get("limit")
    return str(limit.get("by", "subject")) if isinstance(limit, dict) else "subject"


def to_of(value: Any) -> dict[str, list[Any]]:
    """Return recipients by part, each a list."""
    given = value if isinstance(value, dict) else {}
    return {part: given[part] if isinstance(given.get(part), list) else [] for part in TO}


def again_of(value: Any) -> Raw:
    """Return how a notice is repeated: seconds and times, None where nothing is typed."""
    given = value if isinstance(value, dict) else {}
    return {part: given.get(part) for part in ("seconds", "times")}


def data_lines(value: Any) -> str:
    """Return the data of a recorded event line by line."""
    pairs = value.items() if isinstance(value, dict) else ()
    return "\n".join(f"{name}: {' '.join(shown(each).split())}" for name, each in pairs)


def _flat_param(form: Form, name: str, param: Param, value: Any) -> None:
    kind = param.kind
    if kind is ParamKind.TO:
        for part, given in to_of(value).items():
            form.setlist(f"{name}.{part}", [shown(each) for each in given])
    elif kind is ParamKind.DATA:
        form.add(f"{name}.lines", data_lines(value))
    elif kind in (ParamKind.TAGS, ParamKind.ADDRESSES):
        form.add(f"{name}.lines", shown(value))
    elif kind is ParamKind.AGAIN:
        again = again_of(value)
        flat_seconds(form, f"{name}.seconds", again["seconds"])
        form.add(f"{name}.times", shown(again["times"]))
    elif kind is not ParamKind.YES_NO:
        form.add(name, shown(value))
    elif value:
        form.add(name, "1")


def flat_seconds(form: Form, name: str, value: Any) -> None:
    """Add a duration: its number and its unit."""
    typed_, unit = form_values.amount(value)
    form.add(name, typed_)
    form.add(f"{name}.unit", unit)


def flat_operand(form: Form, name: str, kind: Operand, field: Field, value: Any, zone: str) -> None:
    """Add what the form posts for one operand of a condition."""
    if kind is Operand.SECONDS or (kind is Operand.NUMBER and field.kind is Kind.DURATION):
        flat_seconds(form, name, value)
    elif kind is Operand.INSTANT:
        form.add(name, form_values.local(value, zone))
    elif form_values.by_line(kind, field):
        form.add(f"{name}.lines", shown(value))
    elif kind in (Operand.CHOICES, Operand.WEEKDAYS):
        form.setlist(name, [shown(each) for each in form_values.entries(value)])
    else:
        form.add(name, shown(value))
