"""What the API takes in the query string: the parameters of each address as a type, read and described by it.

The `Meta` of a parameter holds its description and, where text is not enough, its reader: text → value, or
the message that names the fault.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from flask_babel import gettext as _
from msgspec import Meta

from dashboard import clock
from dashboard.i18n.message import N_, NOT_WHOLE, Message, message
from dashboard.ingest import times
from dashboard.tracing.types import NO_DATE, UNITS, parse_date

LIMIT_MAX = 1000
CURSOR_MAX = 2**63 - 1

NO_ZONE = N_("Unknown time zone. Use an IANA name such as Europe/Prague.")
NO_UNIT = N_("Use day or week.")
NO_WEEK = N_("Use day.")
NO_USER = N_("Specify the user: user=…")
NO_QUEUE = N_("Specify the queue: queue=…")
UNKNOWN = N_("Unknown parameter.")
REVERSED = N_("The end can't be before the start.")


class ParameterError(Exception):
    """Parameters that cannot be used; `errors` maps each to its sentence in the reader's language."""

    def __init__(self, errors: Mapping[str, Message], status: int = 422) -> None:
        super().__init__(", ".join(errors))
        self.errors = {name: why.render(_) for name, why in errors.items()}
        self.status = status


def _number(low: int, high: int) -> Callable[[str], int | Message]:
    def read_number(text: str) -> int | Message:
        if text.isascii() and text.isdecimal() and len(text) < 20 and low <= int(text) <= high:
            return int(text)
        return message(NOT_WHOLE, least=low, most=high)

    return read_number


def _zone(text: str) -> str | Message:
    try:
        clock.zone(text)
    except ValueError:
        return Message(NO_ZONE)
    return text


def _date(text: str) -> date | Message:
    return parse_date(text, date.max) or Message(NO_DATE)


def _one_of(values: Sequence[str], fault: str) -> Callable[[str], str | Message]:
    return lambda text: text if text in values else Message(fault)


def _by(reader: Callable[[str], object] | None, text: str | None = None, **shape: object) -> Meta:
    return Meta(description=text, extra_json_schema=shape, extra={"reader": reader} if reader else {})


_TIME: dict[str, Any] = {
    "type": "string",
    "format": "date-time",
    "examples": ["2026-03-02T09:00:00+01:00"],
}
Since = Annotated[int | None, _by(times.rfc3339, "First instant of the events' time.", **_TIME)]
Until = Annotated[int | None, _by(times.rfc3339, "First instant after it.", **_TIME)]
Limit = Annotated[int, _by(_number(1, LIMIT_MAX), minimum=1, maximum=LIMIT_MAX)]
After = Annotated[int | None, _by(_number(0, CURSOR_MAX), "The `after` of the page before.", type="string")]
Day = Annotated[date | None, _by(_date, "A day of the period; today by default.")]
Zone = Annotated[str | None, _by(_zone, "An IANA time zone.", examples=["Europe/Prague"])]
Unit = Annotated[Literal["day", "week"], _by(_one_of(UNITS, NO_UNIT))]
DayOnly = Annotated[Literal["day"], _by(_one_of(("day",), NO_WEEK))]
Hour = Annotated[str | None, _by(None, "A part of a day, HH:MM from 00:00 to 24:00.", pattern=r"^\d\d:\d\d$")]
UserName = Annotated[str, Meta(description="The user name.", extra={"missing": NO_USER})]
QueueName = Annotated[str, Meta(description="The queue's name.", extra={"missing": NO_QUEUE})]


class EventQuery(msgspec.Struct, frozen=True, rename={"since_ms": "from", "until_ms": "to"}):
    """Filters of GET /api/v1/events; `after` is the id of the last event of the page before."""

    type: str | None = None
    user: str | None = None
    queue: str | None = None
    interaction: str | None = None
    session: str | None = None
    since_ms: Since = None
    until_ms: Until = None
    limit: Limit = 100
    after: After = None


class TracingQuery(msgspec.Struct, frozen=True, rename={"since": "from", "until": "to"}):
    """Parameters of GET /api/v1/tracing."""

    user: UserName
    unit: Unit = "day"
    date: Day = None
    tz: Zone = None
    since: Hour = None
    until: Hour = None


class QueueQuery(msgspec.Struct, frozen=True):
    """Parameters of GET /api/v1/queues."""

    queue: QueueName
    unit: DayOnly = "day"
    date: Day = None
    tz: Zone = None


Query = TypeVar("Query", bound=msgspec.Struct)


def read(kind: type[Query], args: Mapping[str, str]) -> Query:
    """Return the parameters of a query string; an empty one counts as left out.

    Raises ParameterError that names every parameter that is unknown (400) or cannot be read (422).
    """
    values: dict[str, Any] = {}
    fields = msgspec.inspect.type_info(kind).fields  # type: ignore[attr-defined]
    unknown = args.keys() - {field.encode_name for field in fields}
    errors = {name: Message(UNKNOWN) for name in sorted(unknown)}
    for field in fields:
        name, extra = field.encode_name, getattr(field.type, "extra", None) or {}
        given = args.get(name)
        if given:
            found = extra["reader"](given) if "reader" in extra else given
            if isinstance(found, Message):
                errors[name] = found
            values[field.name] = found
        elif field.required:
            errors[name] = Message(extra["missing"])
    if errors:
        raise ParameterError(errors, 400 if unknown else 422)
    return kind(**values)
