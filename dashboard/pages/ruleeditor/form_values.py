"""Values of conditions and times as a person types them, and back; pure.

What cannot be read is kept as typed: the check on save tells what would do, and nothing is lost.
"""

from __future__ import annotations

import json
import math
import re
from datetime import datetime
from typing import Any, Final

from werkzeug.datastructures import MultiDict

from dashboard import clock
from dashboard.rulelang.fields import Field, Kind
from dashboard.rulelang.operand_types import MAX_NUMBER, Operand
from dashboard.rulelang.operators import OPERATORS, Operator
from dashboard.rulelang.references import FIELDS

Form = MultiDict[str, str]

UNITS: Final = {"s": 1, "min": 60, "h": 3600, "d": 86400, "w": 604800}
DEEPEST: Final = 12  # lists and objects within each other; a rule has 9
DIGITS: Final = 40  # of a number that no rule may hold
TYPED_MAX: Final = 20_000  # letters of one field; more is cut, long before a person has typed as many
PICKED: Final = frozenset({Operand.CHOICE, Operand.CHOICES, Operand.MAYBE})  # belong to one field
LOCAL: Final = "%Y-%m-%dT%H:%M"
_DIGITAL = re.compile(r"(\d{1,6}):([0-5]\d):([0-5]\d)")
_WHOLE = re.compile(r"[-+]?\d{1,15}")
_DECIMAL = re.compile(r"[-+]?\d{1,15}[.,]\d{1,12}")


def text(form: Form, name: str) -> str:
    return form.get(name, "").strip()[:TYPED_MAX].replace("\r\n", "\n")


def lines(form: Form, name: str) -> list[str]:
    """Return the lines of a text without empty ones."""
    return [line for each in text(form, name).splitlines() if (line := each.strip())]


def whole(typed: str) -> int | str:
    """Return a whole number, or what was typed."""
    return int(typed) if typed.isascii() and _WHOLE.fullmatch(typed) else typed


def number(typed: str) -> int | float | str:
    """Return a number with a point or a comma, or what was typed."""
    if typed.isascii() and _DECIMAL.fullmatch(typed):
        return float(typed.replace(",", "."))
    return whole(typed)


def seconds(form: Form, name: str) -> int | float | str:
    """Return seconds of a number and its unit, or of h:mm:ss; else what was typed, with its unit."""
    typed, unit = text(form, name), form.get(f"{name}.unit", "s")
    if digital := _DIGITAL.fullmatch(typed):
        hours, minutes, rest = map(int, digital.groups())
        return hours * 3600 + minutes * 60 + rest
    found = number(typed)
    if isinstance(found, str):
        return f"{found} {unit}" if found and unit in UNITS else found
    made = found * UNITS.get(unit, 1)
    return int(made) if made == int(made) else made


def amount(stored: Any) -> tuple[str, str]:
    """Return number and unit of seconds, in the largest unit without a fraction; undoes `seconds`."""
    if isinstance(stored, str):
        typed, _space, unit = stored.rpartition(" ")
        return (typed, unit) if unit in UNITS else (stored, "min")
    if not _is_number(stored):
        return "", "min"
    fitting = [unit for unit, size in UNITS.items() if stored % size == 0]
    unit = fitting[-1] if fitting and stored else "s"
    return _plain(stored / UNITS[unit]), unit


def shown(stored: Any) -> str:
    """Return a single value as the field of a form shows it."""
    if stored is None or isinstance(stored, dict):
        return ""
    if isinstance(stored, list | tuple):
        return "\n".join(shown(each) for each in stored)
    return _plain(stored) if _is_number(stored) else str(stored)


def local(stored: Any, zone: str) -> str:
    """Return UTC milliseconds as a local time of `zone`; anything else as it is."""
    if not isinstance(stored, int) or isinstance(stored, bool):
        return shown(stored)
    try:
        return datetime.fromtimestamp(stored / 1000, clock.zone(zone)).strftime(LOCAL)
    except (ValueError, OverflowError, OSError):
        return str(stored)


def instant(typed: str, zone: str) -> int | str:
    """Return the UTC milliseconds of a local time, or what was typed."""
    try:
        return clock.resolve(datetime.strptime(typed, LOCAL), zone) * 1000  # noqa: DTZ007  local by nature
    except (ValueError, OverflowError):
        return typed


def by_id(field: Field) -> bool:
    """Say whether the field's choices are ids."""
    return field.kind in (Kind.PERSON, Kind.QUEUE) or field.path in FIELDS


def by_line(kind: Operand, field: Field) -> bool:
    """Say whether the operand is a list that is typed, one entry on each line."""
    typed = kind is Operand.CHOICES and field.kind is Kind.LIST and not by_id(field)
    return typed or kind in (Operand.TEXTS, Operand.NETWORKS)


def is_zone(name: str) -> bool:
    try:
        return bool(name) and clock.zone(name) is not None
    except ValueError:
        return False


def read(kind: Operand, field: Field, form: Form, name: str, zone: str) -> Any:
    """Return one operand of a condition on `field`, typed under `name`."""
    if f"{name}.lines" in form:
        return lines(form, f"{name}.lines")
    given = [each.strip()[:TYPED_MAX] for each in form.getlist(name)]
    if kind is Operand.WEEKDAYS or (kind is Operand.CHOICES and by_id(field)):
        return [whole(each) for each in given]
    if kind is Operand.CHOICES:
        return given
    typed = given[0] if given else ""
    if kind is Operand.SECONDS or (kind is Operand.NUMBER and field.kind is Kind.DURATION):
        return seconds(form, name)
    if kind is Operand.NUMBER:
        return number(typed)
    if kind is Operand.COUNT:
        return whole(typed)
    if kind is Operand.INSTANT:
        return instant(typed, zone)
    if kind is Operand.MAYBE and not typed:
        return None
    return whole(typed) if kind in (Operand.CHOICE, Operand.MAYBE) and by_id(field) else typed


def value_of(row: Operator, field: Field, form: Form, name: str, zone: str) -> Any:
    """Return the "value" of a condition: nothing, one operand, or a list of them."""
    found = [read(kind, field, form, f"{name}.v{n}", zone) for n, kind in enumerate(row.operands)]
    return found[0] if len(found) == 1 else found or None


def parts(row: Operator, value: Any) -> list[Any]:
    """Return the operands of a condition's "value", as many as the operator takes."""
    count = len(row.operands)
    if count == 1:
        return [value]
    given = list(value) if isinstance(value, list | tuple) else []
    return [given[n] if n < len(given) else None for n in range(count)]


def entries(value: Any) -> list[Any]:
    """Return the entries of a list; of anything else there are none."""
    return list(value) if isinstance(value, list | tuple) else []


def adapted(condition: dict[str, Any], field: Field, op: str) -> dict[str, Any]:
    """Return a condition moved to `field` and `op`; its value stays where both ask for the same."""
    old, new = OPERATORS.get(condition.get("op", "")), OPERATORS.get(op)
    if old is None or new is None or old.operands != new.operands or "value" not in condition:
        return {"field": field.path, "op": op}
    if condition.get("field") != field.path and PICKED.intersection(new.operands):
        return {"field": field.path, "op": op}
    return {"field": field.path, "op": op, "value": condition["value"]}


def kept(typed: str) -> Any:
    """Return a value that a form carried along hidden, since no control fits it."""
    try:
        return json.loads(typed[:TYPED_MAX])
    except (ValueError, RecursionError):
        return typed


def clean(raw: Any, depth: int = 0) -> Any:
    """Return decoded JSON that every database can hold: no NUL, no halves of letters, nothing endless."""
    if isinstance(raw, str):
        return raw.replace("\x00", "").encode("utf-8", "replace").decode()[:TYPED_MAX]
    if isinstance(raw, int | float) and not abs(raw) <= MAX_NUMBER:
        return str(raw)[:DIGITS]
    if depth > DEEPEST:
        return None
    if isinstance(raw, dict):
        return {clean(name): clean(each, depth + 1) for name, each in raw.items()}
    return [clean(each, depth + 1) for each in raw] if isinstance(raw, list | tuple) else raw


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _plain(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
