"""Webhooks of any system: a mapping says where in its JSON each field of an event stands. Pure.

A mapping is two texts of lines `name = value`. In `fields` the name is that of an event's field (FIELDS, or
`data.` and a name) and the value a path such as `ticket.agents.0.email`, or a text in quotation marks. In
`types` the name is what the sender writes as the type, and the value an event type. What is not given: the
id is made of the body, so that repeats add none, and the time is that of arrival.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from dashboard import catalog
from dashboard.i18n.message import N_, Message, message
from dashboard.ingest import cloudevents, times
from dashboard.ingest import data as payload
from dashboard.ingest.connectors.fields import Draft, FieldError, JsonObject, contact

FIELDS = frozenset(
    {
        *("id", "type", "time", "user", "queue", "interaction", "session"),
        *("contact.name", "contact.phone", "contact.email"),
    }
)
DATA = "data."
FIXED = '"'  # around a text that is itself the value
MAX_LINES = 100
MAX_PATHS = 300  # of samples
SHOWN_CHARS = 40  # of a value beside its path
EPOCH_MS = 10**11  # from here on a number is milliseconds: as seconds it would be beyond the year 5000
NOT_A_LINE = N_("Line %(line)s: write name = value.")
NO_FIELD = N_("Line %(line)s: %(name)s is no field of an event.")
NO_TYPE = N_("Line %(line)s: %(name)s is no event type that may be sent.")
TWICE = N_("Line %(line)s: %(name)s stands twice.")
TOO_MANY = N_("Up to %(limit)s lines are allowed.")


class MappingError(Exception):
    """Lines that are no mapping; `why` says which and why."""

    def __init__(self, why: Message) -> None:
        super().__init__(why.render())
        self.why = why


class Pairs(NamedTuple):
    """The lines of both texts of a mapping."""

    fields: Mapping[str, str]
    types: Mapping[str, str]


def read(fields: str, types: str) -> Pairs:
    """Return the pairs of a mapping's texts. Raises MappingError with the line that is none."""
    pairs = Pairs(dict(_pairs(fields)), dict(_pairs(types)))
    for line, name in enumerate(pairs.fields, 1):
        if name not in FIELDS and not (name.startswith(DATA) and len(name) > len(DATA)):
            raise MappingError(message(NO_FIELD, line=line, name=name[:60]))
    for line, name in enumerate(pairs.types.values(), 1):
        type_ = catalog.find(name)
        if type_ is None or type_.internal:
            raise MappingError(message(NO_TYPE, line=line, name=name[:60]))
    return pairs


def _pairs(text: str) -> list[tuple[str, str]]:
    found: dict[str, str] = {}
    pairs = loose(text)
    if len(pairs) > MAX_LINES:
        raise MappingError(message(TOO_MANY, limit=MAX_LINES))
    for line, (name, value) in enumerate(pairs, 1):
        if not name or not value:
            raise MappingError(message(NOT_A_LINE, line=line))
        if name in found:
            raise MappingError(message(TWICE, line=line, name=name[:60]))
        found[name] = value
    return list(found.items())


def loose(text: str) -> list[tuple[str, str]]:
    """Return the two sides of each line, "" for one that is missing."""
    parts = [each.partition("=") for each in text.splitlines() if each.strip()]
    return [(name.strip(), value.strip()) for name, _equals, value in parts]


def lines(pairs: Iterable[tuple[str, str]]) -> str:
    """Return the text of pairs, of which loose() makes the same pairs."""
    return "\n".join(f"{name} = {value}" for name, value in pairs)


def is_fixed(path: str) -> bool:
    return len(path) > 1 and path[0] == path[-1] == FIXED


def paths(samples: Iterable[JsonObject]) -> dict[str, str]:
    """Return the paths to the texts, numbers and truth values of samples, each with its first value.

    At most MAX_PATHS; what no path of a mapping can name is left out.
    """
    found: dict[str, str] = {}
    for sample in samples:
        for path, value in _leaves(sample, ""):
            if len(found) >= MAX_PATHS:
                return found
            shown = "" if value is None else " ".join(payload.cleaned(str(value)).split())[:SHOWN_CHARS]
            if not found.get(path):
                found[path] = shown
    return found


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, each in value.items():
            is_word = name == " ".join(name.split()) and name == payload.cleaned(name)
            if name and is_word and "." not in name and FIXED not in name:
                yield from _leaves(each, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for number, each in enumerate(value[:3]):
            yield from _leaves(each, f"{path}.{number}")
    else:
        yield path, value


def values(samples: Iterable[JsonObject], path: str) -> list[str]:
    """Return the different texts at a path of samples, those that a line of a mapping can name."""
    given = [_value(sample, path) for sample in samples] if path and not is_fixed(path) else []
    found = [str(each).strip() for each in given if isinstance(each, str | int)]
    named = (each for each in found if "=" not in each and each == payload.cleaned(each))
    return list(dict.fromkeys(each for each in named if len(each.splitlines()) == 1))


def drafts(pairs: Pairs, body: JsonObject, ident: str, now_ms: int) -> list[Draft]:
    """Return the event of a payload that came at `now_ms`; `ident` is its id where none is mapped.

    Raises FieldError where a value does not fit.
    """
    found = {name: _value(body, path) for name, path in pairs.fields.items()}
    texts = {name: _text(found.get(name), pairs.fields.get(name, name)) for name in FIELDS - {"time"}}
    if not texts["type"]:
        raise FieldError(pairs.fields.get("type", "type"), payload.REQUIRED)
    given = found.get("time")
    data = {name.removeprefix(DATA): value for name, value in found.items() if name.startswith(DATA)}
    return [
        Draft(
            id=texts["id"] or ident,
            type=pairs.types.get(texts["type"]) or cloudevents.type_of(texts["type"]),
            time_ms=now_ms if given in (None, "") else _time(given, pairs.fields["time"]),
            interaction=texts["interaction"] or None,
            user=texts["user"] or None,
            queue=texts["queue"] or None,
            contact=contact(texts["contact.name"], texts["contact.phone"], texts["contact.email"]),
            data=data,
            session=texts["session"] or None,
        )
    ]


def _value(body: Any, path: str) -> Any:
    """Return what stands at a path, None for nothing; a path in quotation marks is itself the text."""
    if is_fixed(path):
        return path[1:-1]
    found = body
    for name in path.split("."):
        if isinstance(found, dict):
            found = found.get(name)
        elif isinstance(found, list) and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        else:
            return None
    return found


def _text(value: Any, path: str) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if value is not None and not isinstance(value, str):
        raise FieldError(path, payload.NOT_TEXT)
    return (value or "").strip()


def _time(value: Any, path: str) -> int:
    """Return the UTC milliseconds of an RFC 3339 time, or of epoch seconds or milliseconds."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        is_ms = abs(value) >= EPOCH_MS
        ms = value if is_ms else value * 1000
        found = times.in_range(round(ms)) if abs(ms) < times.LAST_MS else times.BAD_RANGE
    else:
        found = times.rfc3339(_text(value, path))
    if isinstance(found, Message):
        raise FieldError(path, found)
    return found
