"""Query strings of the API, checked by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import gettext as _

from dashboard import clock
from dashboard.clock import Span
from dashboard.ingest import times
from dashboard.ingest.message import Message
from dashboard.pages.api.queries import EventQuery
from dashboard.tracing.types import UNITS, parse_date, period_span

LIMIT_MAX = 1000
CURSOR_MAX = 2**63 - 1


@dataclass(frozen=True)
class TracingQuery:
    user: str
    span: Span
    zone: str


def tracing(args: Mapping[str, str], zone: str) -> tuple[TracingQuery | None, dict[str, str]]:
    """Return the query, or None and the errors by field; unit is day unless week, date today."""
    errors: dict[str, str] = {}
    user = args.get("user", "")
    if not user:
        errors["user"] = _("Give the user name as user=….")
    chosen = args.get("tz") or zone
    try:
        clock.zone(chosen)
    except ValueError:
        errors["tz"] = _("There is no such time zone. Use an IANA name such as Europe/Prague.")
        chosen = "UTC"
    unit = args.get("unit") or "day"
    if unit not in UNITS:
        errors["unit"] = _("Use day or week.")
    day = parse_date(args.get("date", ""), clock.local_date(clock.now_s(), chosen))
    if day is None:
        errors["date"] = _("Write the date as YYYY-MM-DD.")
    if errors or day is None:
        return None, errors
    return TracingQuery(user, period_span(unit, day, chosen), chosen), {}


def events(args: Mapping[str, str]) -> tuple[EventQuery | None, dict[str, str]]:
    """Return the query, or None and the errors by field."""
    errors: dict[str, str] = {}
    bounds: dict[str, int | None] = {}
    for name in ("from", "to"):
        given = args.get(name)
        found = times.rfc3339(given) if given else None
        if isinstance(found, Message):
            errors[name] = found.render(_)
        else:
            bounds[name] = found
    first, last = bounds.get("from"), bounds.get("to")
    if first is not None and last is not None and first > last:
        errors["to"] = _("The end must not lie before the start.")
    texts = {name: args.get(name) or None for name in ("type", "user", "queue", "interaction", "session")}
    limit = _number(args, "limit", 100, 1, LIMIT_MAX, errors)
    after = _number(args, "after", 0, 0, CURSOR_MAX, errors)
    if errors:
        return None, errors
    return EventQuery(**texts, since_ms=first, until_ms=last, limit=limit, after=after), {}


def _number(
    args: Mapping[str, str], name: str, default: int, low: int, high: int, errors: dict[str, str]
) -> int:
    given = args.get(name, "")
    if not given:
        return default
    if not (given.isascii() and given.isdecimal() and len(given) < 20 and low <= int(given) <= high):
        errors[name] = _("Give a whole number from %(low)s to %(high)s.", low=low, high=high)
        return default
    return int(given)
