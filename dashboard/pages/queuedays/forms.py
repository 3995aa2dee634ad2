"""Query string of a queue's day: queue, date, time zone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask_babel import gettext as _

from dashboard import clock
from dashboard.clock import Span
from dashboard.tracing.types import NO_DATE, parse_date


@dataclass(frozen=True)
class QueueDayQuery:
    """The query with its defaults: today, and the zone given to parse(); `tz` is what the address names.

    `errors` maps a field to a sentence; a field with an error holds its default.
    """

    queue: str
    date: date
    zone: str
    tz: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def span(self) -> Span:
        return clock.day(self.date, self.zone)

    def query(self, **other: Any) -> dict[str, Any]:
        """Return the query string that asks the same, but for `other`."""
        asked: dict[str, Any] = {"queue": self.queue, "date": self.date.isoformat(), "tz": self.tz or None}
        return asked | other


def parse(args: Mapping[str, str], zone: str, as_of: int) -> QueueDayQuery:
    errors: dict[str, str] = {}
    tz = args.get("tz", "")
    chosen = tz or zone
    try:
        clock.zone(chosen)
    except ValueError:
        errors["tz"] = _("Unknown time zone. Use an IANA name such as Europe/Prague.")
        tz, chosen = "", zone
    today = clock.local_date(as_of, chosen)
    day = parse_date(args.get("date", ""), today)
    if day is None:
        errors["date"] = _(NO_DATE)
    if args.get("unit", "day") not in ("", "day"):
        errors["unit"] = _("Use day.")
    return QueueDayQuery(args.get("queue", ""), day or today, chosen, tz, errors)
