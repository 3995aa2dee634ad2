"""Reading a vendor's JSON by name, and the event that it becomes. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from markupsafe import Markup

from dashboard.i18n.message import Errors, Message
from dashboard.ingest import data as payload
from dashboard.ingest.schema import CONTACT_LIMITS, Contact, Event, NewEvent, Outcome, Refusal, accept

MAX_TEXT = 4_000  # characters of a message that are kept: with all else it fits in an event's data
_NOT_IN_WORDS = re.compile(r"[^a-z0-9_]+")
JsonObject = dict[str, Any]


class Snapshot(NamedTuple):
    """What an interaction was at a time in ms UTC, by whom and in which queue."""

    data: Mapping[str, Any]
    time_ms: int
    user: str | None
    queue: str | None


# Of an interaction and a time in ms UTC, the data of its latest snapshot before, {} while there is none, and
# its next one after.
Known = Callable[[str, int], tuple[Mapping[str, Any], Snapshot | None]]


class FieldError(Exception):
    """A payload from which no event can be made; `errors` says why, by path of the field."""

    def __init__(self, path: str, why: str | Message) -> None:
        super().__init__(path)
        self.errors: Errors = {path: why if isinstance(why, Message) else Message(why)}


class Draft(NamedTuple):
    """An event before it is checked; `time_ms` is UTC. Members of `data` that say nothing are left out."""

    id: str
    type: str
    time_ms: int
    interaction: str | None = None
    user: str | None = None
    queue: str | None = None
    contact: Contact | None = None
    data: JsonObject | None = None
    session: str | None = None

    def checked(self) -> NewEvent | Errors:
        """Return the event, or its errors by field."""
        data = {name: value for name, value in (self.data or {}).items() if value not in ("", None, [])}
        given = Event(
            id=self.id,
            type=self.type,
            user=self.user,
            queue=self.queue,
            interaction=self.interaction,
            contact=self.contact,
            session=self.session,
        )
        return accept(given, self.time_ms, payload.kept(data))


def outcomes(drafts: list[Draft]) -> list[Outcome]:
    """Return each draft as an event or as a refusal."""
    found = enumerate(draft.checked() for draft in drafts)
    return [one if isinstance(one, NewEvent) else Refusal(index, one) for index, one in found]


def part(value: JsonObject, path: str) -> JsonObject:
    """Return the object at a path such as `ticket.owner`; {} where there is none.

    Raises FieldError where something else than an object stands at the path or on the way.
    """
    found: Any = value
    names = path.split(".")
    for depth, name in enumerate(names, 1):
        found = found.get(name)
        if found is None:
            return {}
        if not isinstance(found, dict):
            raise FieldError(".".join(names[:depth]), payload.NOT_AN_OBJECT)
    return dict(found)


def text(value: JsonObject, path: str, needed: bool = False) -> str:
    """Return the text or whole number at a path as text, "" where there is none.

    What no database keeps in a text is replaced: ids are looked up before the event is checked.
    Raises FieldError for anything else, and with `needed` where there is none.
    """
    above, _, name = path.rpartition(".")
    found = (part(value, above) if above else value).get(name)
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    if found is not None and not isinstance(found, str):
        raise FieldError(path, payload.NOT_TEXT)
    found = str(payload.cleaned(found or "")).strip()
    if needed and not found:
        raise FieldError(path, payload.REQUIRED)
    return found


def plain(html: str) -> str:
    """Return the text of HTML in one line, without its elements."""
    return Markup(html).striptags()[:MAX_TEXT]  # noqa: S704 - the result is plain text


def word(name: str) -> str:
    """Return a name as a lower-case word, which the channel of an interaction has to be."""
    return _NOT_IN_WORDS.sub("_", name.lower()).strip("_")[:20]


def contact(name: str, phone: str, email: str) -> Contact | None:
    """Return a contact, its texts cut to what is kept; None when nothing is known."""
    given = {"name": name, "phone": phone, "email": email}
    kept = {each: value[: CONTACT_LIMITS[each]] for each, value in given.items() if value}
    return Contact(**kept) if kept else None
