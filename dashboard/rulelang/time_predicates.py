"""The predicates behind operators on instants: time of day, weekday, calendar, elapsed time. Pure.

Time of day and weekday are those of the rule's zone. "Now" is the time of the event, so that a backtest and
a late match give the result of the live match. Source: operators by field type, semantics 9.7.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from dashboard import clock
from dashboard.i18n.message import N_
from dashboard.rulelang.fields import ConditionError, Field, is_empty, number_of
from dashboard.rulelang.predicates import Build, Calendar, Context, Operands, Test

NO_CALENDAR = N_("The calendar of this condition does not exist.")
NO_INSTANT = N_("The value isn't a valid date and time.")


def local(value_ms: Any, zone: str) -> datetime:
    """Return an instant on the local clock. Raises ConditionError for what is no instant."""
    try:
        return datetime.fromtimestamp(number_of(value_ms) / 1000, clock.zone(zone))
    except (ValueError, OverflowError, OSError) as error:
        raise ConditionError(NO_INSTANT) from error


def on_local(found: Callable[[datetime, Operands], bool]) -> Build:
    """Return an operator on instants that is given the local time in the rule's zone and the operands."""

    def build(operands: Operands, _of: Field, context: Context) -> Test:
        return lambda value: not is_empty(value) and found(local(value, context.zone), operands)

    return build


def minutes(text: str) -> int:
    """Return the minutes after midnight of "HH:MM"; "24:00" is 1,440."""
    hours, _colon, rest = text.partition(":")
    return int(hours) * 60 + int(rest)


def in_clock(at: datetime, operands: Operands) -> bool:
    """From the first time of day up to the second, over midnight where that comes first; same = all day."""
    return _offset(at, operands) is not None


def in_shift(at: datetime, operands: Operands) -> bool:
    """As `in_clock`, on weekdays (1 to 7) given first; what lies after midnight belongs to the day before."""
    days, *window = operands
    begun = _offset(at, window)
    return begun is not None and (at.isoweekday() - 1 - begun) % 7 + 1 in days


def _offset(at: datetime, window: Any) -> int | None:
    """Return on which date the window that holds `at` began: 0 this one, 1 the one before; None outside."""
    start, end = map(minutes, window)
    now = at.hour * 60 + at.minute
    if start < end:
        return 0 if start <= now < end else None
    if now >= start:
        return 0
    return 1 if now < end or start == end else None


def weekday(at: datetime, operands: Operands) -> bool:
    return at.isoweekday() in operands[0]


def on_date(at: datetime, operands: Operands) -> bool:
    return at.date() == date.fromisoformat(operands[0])


def calendar(found: Callable[[Calendar, int], bool]) -> Build:
    """Return an operator that asks the calendar named by the operand about an instant."""

    def build(operands: Operands, _of: Field, context: Context) -> Test:
        def test(value: Any) -> bool:
            return not is_empty(value) and found(_calendar(context, operands[0]), _ts(value))

        return test

    return build


def _ts(value_ms: Any) -> int:
    return int(number_of(value_ms)) // 1000


def _calendar(context: Context, name: str) -> Calendar:
    found = context.calendars.get(name)
    if found is None:
        raise ConditionError(NO_CALENDAR)
    return found


def ago(found: Callable[[int, int], bool]) -> Build:
    """Return an operator on (value, now) in milliseconds that is given the age and the operand, in ms."""

    def build(operands: Operands, _of: Field, _context: Context) -> Test:
        def test(moment: tuple[Any, int]) -> bool:
            value, now = moment
            return not is_empty(value) and found(now - int(number_of(value)), operands[0] * 1000)

        return test

    return build


def open_ago(operands: Operands, _of: Field, context: Context) -> Test:
    """More than so many seconds of the calendar's working time ago."""
    name, seconds = str(operands[0]), int(operands[1])

    def test(moment: tuple[Any, int]) -> bool:
        value, now = moment
        if is_empty(value):
            return False
        return _calendar(context, name).open_seconds(_ts(value), now // 1000) > seconds

    return test


def same_local(part: Callable[[datetime], Any]) -> Build:
    """Return an operator on (value, now): both have the same `part` of the local time."""

    def build(_operands: Operands, _of: Field, context: Context) -> Test:
        def test(moment: tuple[Any, int]) -> bool:
            value, now = moment
            if is_empty(value):
                return False
            return bool(part(local(value, context.zone)) == part(local(now, context.zone)))

        return test

    return build
