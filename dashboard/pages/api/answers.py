"""What the API answers: each body once, as the type that is encoded and that the description is made from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from flask import Response
from msgspec import Meta

from dashboard import clock
from dashboard.access import masking
from dashboard.tracing import queues, trace
from dashboard.tracing.load import ActivityRow
from dashboard.tracing.queues import QueueDay
from dashboard.tracing.statistics import as_json
from dashboard.tracing.trace import Trace
from dashboard.tracing.types import Kind, type_of

Instant = Annotated[
    str, Meta(examples=["2026-03-02T09:00:00+01:00"], extra_json_schema={"format": "date-time"})
]
Seconds = Annotated[int, Meta(ge=0)]


_ENVELOPE = msgspec.json.Decoder(dict[str, msgspec.Raw])
_NAMING = ("id", "source", "type", "specversion", "time", "datacontenttype", "dataschema")


class Errors(msgspec.Struct):
    """What is wrong, by the name of the parameter."""

    errors: dict[str, str]


class Stored(msgspec.Struct):
    """An event as it is stored; `data` and `contact` are the stored JSON. A CloudEvent has its attributes,
    and data in base64, in `cloudevent`; if it gave no time, `time` is that of its arrival."""

    cursor: str
    source: str
    id: str
    type: str
    time: Instant
    recorded: Instant
    user: str | None
    queue: str | None
    interaction: str | None
    contact: Annotated[msgspec.Raw, Meta(extra_json_schema={"type": ["object", "null"]})]
    session: str | None
    data: Annotated[msgspec.Raw, Meta(description="Any JSON value; an object but for CloudEvents.")]
    cloudevent: dict[str, msgspec.Raw] | None
    time_of_arrival: bool


class Events(msgspec.Struct):
    """A page of events; with filters it may be short or empty. `after` is null on the last one."""

    events: list[Stored]
    after: str | None


class Period(msgspec.Struct):
    """A period of local days; times carry the offset of the zone."""

    start: Instant
    end: Instant
    seconds: Seconds
    zone: str


class Activity(msgspec.Struct):
    """One activity of the user: lengths are seconds, of the whole activity but for `seconds_in_period`.

    Of one whose end never came, `end` is null, `end_bound` the latest moment it can have had,
    `end_reason` why, all lengths are what is proved, and it is `inferred`.
    """

    id: int
    type: str
    channel: str
    direction: str | None
    state: str
    queue: str | None
    start: Instant
    end: Instant | None
    seconds: Seconds
    seconds_in_period: Seconds
    talk: Seconds
    hold: Seconds
    ringing: Seconds
    inferred: bool
    hidden: bool
    end_bound: Instant | None
    end_reason: str | None
    proved_s: Seconds | None


class Tracing(msgspec.Struct):
    """The day or week of a user, the same as on the page."""

    user: str
    period: Period
    as_of: Instant
    statistics: Annotated[dict[str, Any], Meta(description="Whole seconds and counts.")]
    activities: list[Activity]


QueueFigures = Annotated[
    dict[str, Any], Meta(description="Counts, whole seconds, whole percent; null without a figure.")
]


class Queue(msgspec.Struct):
    """The day of a queue, the same as on the page; each hour has its `start` and `end`."""

    queue: str
    label: str
    channel: str
    level_seconds: int | None
    period: Period
    as_of: Instant
    hours: list[QueueFigures]
    total: QueueFigures


class Health(msgspec.Struct):
    """Whether the database answers and is of this version."""

    status: str


def send(body: msgspec.Struct, status: int = 200) -> Response:
    """Return the answer with this body."""
    return Response(msgspec.json.encode(body), status, content_type="application/json")


def stored(row: tuple[Any, ...], full: bool) -> Stored:
    """Return the event of a row of `queries.events`; contact details are masked unless `full`."""
    number, source, ident, kind, time_ms, recorded_ms, user, queue, interaction, contact, session, *rest = row
    data, envelope, time_of_arrival = rest
    members = _ENVELOPE.decode(envelope) if envelope else {}
    if members:
        ident = msgspec.json.decode(members["id"], type=str)
        data = bytes(members.pop("data", data.encode())).decode()
    contact, data = masking.event(kind, contact, data, full)
    members = masking.hidden(kind, members if full else _masked_members(members))
    return Stored(
        cursor=str(number),
        source=source,
        id=ident,
        type=kind,
        time=_utc(time_ms),
        recorded=_utc(recorded_ms),
        user=user,
        queue=queue,
        interaction=interaction,
        contact=msgspec.Raw(contact or "null"),
        session=session,
        data=msgspec.Raw(data),
        cloudevent=members or None,
        time_of_arrival=bool(time_of_arrival),
    )


def _masked_members(members: Mapping[str, msgspec.Raw]) -> dict[str, msgspec.Raw]:
    """Return the attributes of a CloudEvent masked like data, but for those that say what event it is; bytes
    are left out."""
    return {
        name: value
        if name in _NAMING
        else msgspec.Raw(msgspec.json.encode(masking.data(msgspec.json.decode(value), {}, name)))
        for name, value in members.items()
        if name != "data_base64"
    }


def tracing(found: Trace) -> Tracing:
    return Tracing(
        user=found.person.login,
        period=_period(found.span, found.zone),
        as_of=clock.iso(found.as_of, found.zone),
        statistics=as_json(found.figures),
        activities=[_activity(found, row) for row in found.activities],
    )


def queue(found: QueueDay, as_of: int) -> Queue:
    hours = zip(found.slots, found.hours, strict=True)
    return Queue(
        queue=found.queue.name,
        label=found.queue.label,
        channel=found.queue.channel,
        level_seconds=found.queue.sla_seconds,
        period=_period(found.span, found.zone),
        as_of=clock.iso(as_of, found.zone),
        hours=[
            {
                "start": clock.iso(slot.start, found.zone),
                "end": clock.iso(slot.end, found.zone),
                **queues.as_json(figures),
            }
            for slot, figures in hours
        ],
        total=queues.as_json(found.total),
    )


def _activity(found: Trace, row: ActivityRow) -> Activity:
    return Activity(
        id=row.id,
        type=type_of(row.channel),
        channel=row.channel,
        direction=row.direction or None,
        state=row.state,
        queue=row.queue or None,
        start=clock.iso(row.start, found.zone),
        end=clock.iso(row.end, found.zone) if row.end is not None else None,
        seconds=trace.length(found, row, Kind.HANDLING),
        seconds_in_period=found.seconds.get(row.id, 0),
        talk=trace.length(found, row, Kind.TALK),
        hold=trace.length(found, row, Kind.HOLD),
        ringing=row.ringing_s,
        inferred=bool(row.inferred) or row.end_bound is not None,
        hidden=row.hidden,
        end_bound=None if row.end_bound is None else clock.iso(row.end_bound, found.zone),
        end_reason=row.end_reason,
        proved_s=None if row.end_bound is None else trace.length(found, row, Kind.HANDLING),
    )


def _period(span: clock.Span, zone: str) -> Period:
    return Period(clock.iso(span.start, zone), clock.iso(span.end, zone), span.seconds, zone)


def _utc(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
