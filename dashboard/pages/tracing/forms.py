"""The address of a trace: everything the page shows is in it, checked, with what is wrong by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from flask_babel import gettext as _

from dashboard import clock
from dashboard.clock import Span
from dashboard.tracing.load import Filter
from dashboard.tracing.types import (
    ACTIVITY_TYPES,
    CHAT_CHANNELS,
    NO_DATE,
    NOT_TAKEN,
    UNITS,
    State,
    hours_faults,
    parse_date,
    period_span,
)

SPANS = (*UNITS, "month")
MINUTES = ("", "5", "15", "60")
KINDS = (*ACTIVITY_TYPES, "dialled", "pause")
LISTED = ("", *KINDS, *CHAT_CHANNELS)
SORTS = ("", "start", "-start")
TABLES = ("", "days")
CURSOR_PARTS = 3


@dataclass(frozen=True)
class TraceQuery:
    """A checked query string. `date` is a local date of `zone`; `minutes` 0 is the hours view.

    `since` and `until` (HH:MM) are the part of the day that is shown, "" for its bounds. `kind` narrows the
    list to a type, a chat channel, dialled calls or pauses; `after` is the (start, rank, id) of the last row
    of the page before; `listed` opens the list of a week. Files alone take `table`, which is "days" for the
    figures by day as CSV, and `events`, with which the counts of user events are in them.
    """

    user: str
    unit: str
    date: date
    zone: str
    tz: str = ""  # the zone as the address names it, "" when it does not
    since: str = ""
    until: str = ""
    minutes: int = 0
    all_day: bool = False
    deactivated: bool = False
    kind: str = ""
    state: str = ""
    queue: int | None = None
    flagged: bool = False
    descending: bool = False
    after: tuple[int, int, int] | None = None
    before: tuple[int, int, int] | None = None
    page: int = 1
    listed: bool = False
    table: str = ""
    events: bool = False
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def span(self) -> Span:
        return period_span(self.unit, self.date, self.zone, self.since, self.until)

    @property
    def whole(self) -> Span:
        """The day, week or month that the span is, or is a part of."""
        return period_span(self.unit, self.date, self.zone)

    @property
    def hours(self) -> str:
        """The part of the day, such as 10:00–11:00; "" for the whole."""
        return f"{self.since or '00:00'}–{self.until or '24:00'}" if self.since or self.until else ""

    @property
    def filtered(self) -> bool:
        return bool(self.kind or self.state or self.queue is not None or self.flagged)

    @property
    def folded(self) -> bool:
        """Is the list folded to its days? That of a week is, until it is opened or filtered."""
        return self.unit != "day" and not (self.listed or self.filtered or self.after or self.before)

    def filter(self) -> Filter:
        """Return the filter of the activity list; pauses are rows of another table."""
        return Filter(channels_of(self.kind), (self.state,) if self.state else (), self.queue, self.flagged)

    def query(self, **changes: object) -> dict[str, Any]:
        """Return the query string of this page with some values changed; defaults are left out."""
        asked = replace(self, **changes)  # type: ignore[arg-type]
        values = {
            "user": asked.user,
            "unit": asked.unit,
            "date": asked.date.isoformat(),
            "tz": asked.tz,
            "from": asked.since,
            "to": asked.until,
            "minutes": asked.minutes,
            "hours": "24" if asked.all_day else "",
            "deactivated": int(asked.deactivated),
            "kind": asked.kind,
            "state": asked.state,
            "queue": asked.queue,
            "flagged": int(asked.flagged),
            "sort": "-start" if asked.descending else "",
            "after": ".".join(map(str, asked.after)) if asked.after else "",
            "before": ".".join(map(str, asked.before)) if asked.before else "",
            "page": asked.page if asked.page > 1 else "",
            "rows": int(asked.listed),
            "table": asked.table,
            "events": int(asked.events),
        }
        return {name: str(value) for name, value in values.items() if value not in ("", 0, None)}


def channels_of(kind: str) -> tuple[str, ...]:
    """Return the channels that a kind of the list stands for; () for all."""
    return {"": (), "chat": CHAT_CHANNELS}.get(kind, (kind,))


def parse(args: Mapping[str, str], own: str, zone: str) -> TraceQuery:
    """Return the parsed query; a bad value gives an error by field and stands at its default."""
    errors: dict[str, str] = {}
    chosen = args.get("tz") or zone
    try:
        clock.zone(chosen)
    except ValueError:
        errors["tz"] = _("Unknown time zone. Use an IANA name such as Europe/Prague.")
        chosen = zone
    today = clock.local_date(clock.now_s(), chosen)
    day = parse_date(args.get("date", ""), today)
    if day is None:
        errors["date"] = _(NO_DATE)
    unit = _one_of(args, "unit", SPANS, "day", _("Unit must be day, week or month."), errors)
    minutes = _one_of(args, "minutes", ("0", *MINUTES), "", _("Minutes must be 5, 15 or 60."), errors)
    sort = _one_of(args, "sort", SORTS, "", _("Sort must be start or -start."), errors)
    since, until = args.get("from", ""), args.get("to", "")
    faults = hours_faults(unit, day or today, chosen, since, until)
    errors |= {name: _(text) for name, text in faults.items()}
    if faults:
        since = until = ""
    states = ("", NOT_TAKEN, *(state.value for state in State))
    return TraceQuery(
        user=args.get("user") or own,
        unit=unit,
        date=day or today,
        zone=chosen,
        tz=args.get("tz", "") if "tz" not in errors else "",
        since=since,
        until=until,
        minutes=int(minutes or 0) if unit == "day" else 0,
        all_day=args.get("hours") == "24",
        deactivated=args.get("deactivated") == "1",
        kind=_one_of(args, "kind", LISTED, "", _("Unknown activity type."), errors),
        state=_one_of(args, "state", states, "", _("Unknown result."), errors),
        queue=_queue(args, errors),
        flagged=args.get("flagged") == "1",
        descending=sort == "-start",
        after=_cursor(args, "after", errors),
        before=_cursor(args, "before", errors),
        page=_page(args),
        listed=args.get("rows") == "1",
        table=_one_of(args, "table", TABLES, "", _("Table must be days."), errors),
        events=args.get("events") == "1",
        errors=errors,
    )


def _page(args: Mapping[str, str]) -> int:
    """The page's number is for the reader only; the cursor says where it begins."""
    given = args.get("page", "")
    return max(1, int(given)) if given.isascii() and given.isdecimal() and len(given) < 7 else 1


def _one_of(
    args: Mapping[str, str],
    name: str,
    allowed: tuple[str, ...],
    default: str,
    text: str,
    errors: dict[str, str],
) -> str:
    value = args.get(name) or default
    if value in allowed:
        return value
    errors[name] = text
    return default


def _queue(args: Mapping[str, str], errors: dict[str, str]) -> int | None:
    given = args.get("queue", "")
    if not given:
        return None
    if given.isascii() and given.isdecimal() and len(given) < 10:
        return int(given)
    errors["queue"] = _("Unknown queue.")
    return None


def _cursor(args: Mapping[str, str], name: str, errors: dict[str, str]) -> tuple[int, int, int] | None:
    given = args.get(name, "")
    if not given:
        return None
    parts = given.split(".")
    if len(parts) == CURSOR_PARTS and all(p.isascii() and p.isdecimal() and len(p) < 19 for p in parts):
        start, rank, ident = map(int, parts)
        return start, rank, ident
    errors[name] = _("Page not found. Showing the first page.")
    return None
