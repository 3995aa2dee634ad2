"""Reads the period and the zone of an address. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dashboard import clock
from dashboard.clock import Span
from dashboard.i18n.message import N_, Errors, Message, message
from dashboard.sources.period import NAMED, UNITS, named, unit
from dashboard.sources.query import DEFAULT_PERIOD, QueryError
from dashboard.sources.values import FIRST_DATE, moment

OF_PERIOD = ("period", "from", "to", "unit", "date", "tz")  # the zone is the last

UNKNOWN_VALUE = N_("Use one of %(names)s.")
NO_MOMENT = N_("Enter a date as YYYY-MM-DD, or a time as YYYY-MM-DDTHH:MM.")
NO_DATE = N_("Enter a date as YYYY-MM-DD.")
NO_ZONE = N_("Unknown time zone. Use an IANA name such as Europe/Prague.")
REVERSED = N_("The end can't be before the start.")
ONE_PERIOD = N_("Use either a named period, or from and to, or unit and date.")


def parse_period(
    given: Mapping[str, Sequence[str]], zone: str, now_s: int, default: str = DEFAULT_PERIOD
) -> tuple[Span, str]:
    """Return the period and the zone of an address. Raises QueryError, which names every bad parameter."""
    reading = PeriodReading(given, zone, now_s, default)
    span = reading.span()
    if reading.errors:
        raise QueryError(reading.errors)
    return span, reading.zone


class PeriodReading:
    """Reads the period and the zone of an address and collects errors."""

    def __init__(self, given: Mapping[str, Sequence[str]], zone: str, now_s: int, default: str) -> None:
        self.given, self.now_s, self.default = given, now_s, default
        self.errors: Errors = {}
        self.zone = zone
        if chosen := self.text("tz"):
            try:
                clock.zone(chosen)
                self.zone = chosen
            except ValueError:
                self.errors["tz"] = Message(NO_ZONE)

    def text(self, name: str) -> str:
        return next((value for value in self.given.get(name, ()) if value), "")

    def span(self) -> Span:
        name, start, end = self.text("period"), self.text("from"), self.text("to")
        known = {*NAMED, self.default}
        kind, on = self.text("unit"), self.text("date")
        if bool(name) + bool(start or end) + bool(kind or on) > 1:
            self.errors["period"] = Message(ONE_PERIOD)
        elif kind or on:
            return self.unit(kind or "day", on)
        elif name and name not in known:
            self.errors["period"] = message(UNKNOWN_VALUE, names=", ".join(NAMED))
        elif start or end:
            return self.between(start, end)
        return named(name if name in known else self.default, self.zone, self.now_s)

    def unit(self, kind: str, on: str) -> Span:
        """Return the day, week, month or quarter that holds a date, today by default."""
        at = moment(on, self.zone) if on else self.now_s
        if at is None or "T" in on:
            self.errors["date"] = Message(NO_DATE)
        if kind not in UNITS:
            self.errors["unit"] = message(UNKNOWN_VALUE, names=", ".join(UNITS))
        if self.errors or at is None:
            return Span(0, 0)
        return unit(kind, clock.local_date(at, self.zone), self.zone)

    def between(self, start: str, end: str) -> Span:
        """Return the period of `from` and `to`; a date as `to` includes that day, a time is exclusive."""
        first = moment(start, self.zone) if start else clock.day(FIRST_DATE, self.zone).start
        last = moment(end, self.zone, whole_day=True) if end else self.now_s + 1
        if first is None:
            self.errors["from"] = Message(NO_MOMENT)
        if last is None:
            self.errors["to"] = Message(NO_MOMENT)
        if first is None or last is None:
            return Span(0, 0)
        if last <= first:
            self.errors["to"] = Message(REVERSED)
        return Span(first, max(first, last))
