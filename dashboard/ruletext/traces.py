"""A stored trace as lines of a list: each condition with the value that it was evaluated on, and why.

A trace stores values unmasked; contact details are masked here for each reader, and what customers typed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from flask_babel import gettext as _

from dashboard import clock
from dashboard.i18n import formats
from dashboard.i18n.message import N_, Message, listed, message
from dashboard.rulelang import fields, text_templates
from dashboard.rulelang.conditions import Condition
from dashboard.rulelang.describe import Show, condition
from dashboard.rulelang.fields import Field, Kind
from dashboard.rulelang.operators import OPERATORS, Takes
from dashboard.rulelang.text_templates import Names
from dashboard.ruletext import names as rule_names

EMPTY, UNCHANGED = N_("empty"), N_("unchanged")
GONE = N_("no longer exists")
TURN = N_("%(old)s → %(new)s")
HEADS = {"all": N_("All of:"), "any": N_("Any of:"), "none": N_("None of:")}


class Line(NamedTuple):
    """A condition or a group as shown. `mark` is "yes", "no" or "error"; a line that was not `needed`
    had no say, for the answer was known before. `error` says why there was none."""

    mark: str
    text: str
    error: str = ""
    needed: bool = True
    children: tuple[Line, ...] = ()
    is_group: bool = False


class Reader(NamedTuple):
    """How values are shown: `names` are those the viewer may see, `zone` is that of the rule, contact
    details are masked unless `full`."""

    names: Names
    zone: str
    full: bool
    types: Iterable[str] = ()  # of the rule

    @property
    def show(self) -> Show:
        return rule_names.show(self.names)


def line(trace: Mapping[str, Any], types: Iterable[str], reader: Reader) -> Line:
    """Return the lines of a trace (`rulelang.compiler.Trace.as_json()`) of a rule on `types`, the root first.

    Raises nothing for what an older version stored: an unknown field or operator is told by its name.
    """
    return _line(trace, fields.fields(types), reader._replace(types=types))


def first_failed(trace: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the part of a trace that decided against the rule: the first condition that was not true
    where it had to be, the first true one under "none", else the group itself; None where all is true."""
    if trace["outcome"] is True:
        return None
    if "children" not in trace:
        return trace
    if trace["how"] == "none":
        return next((each for each in trace["children"] if each["outcome"] is not False), trace)
    failed = [each for each in trace["children"] if each["outcome"] is not True and each["needed"]]
    if not failed or (trace["how"] == "any" and len(failed) > 1):
        return trace
    return first_failed(failed[0])


def _line(trace: Mapping[str, Any], known: dict[str, Field], reader: Reader) -> Line:
    mark = {True: "yes", False: "no"}.get(trace["outcome"], "error")
    needed = bool(trace.get("needed", True))
    if "children" in trace:
        children = tuple(_line(each, known, reader) for each in trace["children"])
        head = HEADS[trace["how"]]
        return Line(mark, _(head), needed=needed, children=children, is_group=True)
    node = Condition(trace["field"], trace["op"], tuple(map(_tuple, trace.get("operands", ()))))
    error = trace.get("error", "")
    return Line(mark, _said(node, trace, known, reader), _(error) if error else "", needed)


def _said(node: Condition, trace: Mapping[str, Any], known: dict[str, Field], reader: Reader) -> str:
    field = fields.find(node.field, known)
    if field is None or node.op not in OPERATORS:
        return f"{node.field} ({_(GONE)})"
    return condition(node, known, reader.show, _seen(field, node.op, trace, reader)).render(_)


def _seen(field: Field, op: str, trace: Mapping[str, Any], reader: Reader) -> str | Message:
    seen = trace.get("seen")
    if OPERATORS[op].takes is Takes.CHANGE:
        if not isinstance(seen, list) or len(seen) != 2:
            return Message(UNCHANGED)
        old, new = (_value(field, each, reader) for each in seen)
        return message(TURN, old=old, new=new)
    return Message(EMPTY) if trace.get("empty") else _value(field, seen, reader)


def _value(field: Field, value: Any, reader: Reader) -> str | Message:
    if value is None or value == "" or value == []:
        return Message(EMPTY)
    if isinstance(value, list):
        return listed(_one(field, each, reader) for each in value)
    return _one(field, value, reader)


def _one(field: Field, value: Any, reader: Reader) -> str:
    if isinstance(value, bool):
        return str(_("Yes") if value else _("No"))
    if field.kind in (Kind.CLOCK, Kind.WEEKDAY) and isinstance(value, int):
        return _local(field, value // 1000, reader.zone)
    if any(text_templates.is_typed(each, field.path) for each in reader.types):
        return text_templates.HIDDEN
    shown = reader.show(field, value)
    return shown if reader.full else text_templates.masked(field.path, shown)


def _local(field: Field, ts: int, zone: str) -> str:
    if field.kind is Kind.CLOCK:
        return formats.clock_short(ts, zone)
    return formats.day_short(clock.local_date(ts, zone))


def _tuple(operand: Any) -> Any:
    return tuple(operand) if isinstance(operand, list) else operand
