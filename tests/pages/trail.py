"""Days of people for the tests of pages: events written as they come, stored and folded as at work.

Times are texts of Prague's clock; a time without a date is of DAY.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from itertools import count
from zoneinfo import ZoneInfo

from dashboard import catalog
from dashboard.events import record
from dashboard.ingest.schema import NewEvent
from dashboard.jobs import worker

PRAGUE = ZoneInfo("Europe/Prague")
DAY = "2026-03-02"
_numbers = count(1)


def at(text: str) -> int:
    """Return the UTC second of 09:00, 09:00:20 or 2026-03-01 22:15 in Prague."""
    return int(
        datetime.fromisoformat(text if " " in text else f"{DAY} {text}").replace(tzinfo=PRAGUE).timestamp()
    )


def event(kind: str, time: str | int, user: str | None = "jana", **more: object) -> NewEvent:
    """Return an event; `queue`, `interaction`, `contact` by name, all else is its data."""
    assert catalog.find(kind) is not None, kind
    whole = {name: more.pop(name) for name in ("queue", "interaction", "contact", "session") if name in more}
    seconds = at(time) if isinstance(time, str) else time
    return NewEvent(
        f"e{next(_numbers)}", kind, seconds * 1000, user, data=json.dumps(more, ensure_ascii=False), **whole
    )


def work(
    kind: str, name: str, start: str | int, end: str | int | None, user: str = "jana", **more: object
) -> list[NewEvent]:
    """Return the events of work on the interaction `name`; with `end` None it stays open."""
    contact = {"contact": more.pop("contact")} if "contact" in more else {}
    named = {"interaction": name, **({"queue": more.pop("queue")} if "queue" in more else {})}
    begun = event(f"{kind}.accepted", start, user, **named, **contact, **more)
    return [begun] if end is None else [begun, event(f"{kind}.closed", end, user, **named)]


def stay(start: str | int, end: str | int | None, user: str = "jana") -> list[NewEvent]:
    """Return the events of a user who is signed in and ready from `start` to `end`."""
    begun = [event("agent.signed_in", start, user), event("agent.ready", start, user)]
    return begun if end is None else [*begun, event("agent.signed_out", end, user)]


def pause(
    label: str, start: str | int, end: str | int | None, user: str = "jana", paid: bool = False
) -> list[NewEvent]:
    begun = event("agent.pause_started", start, user, pause=label, paid=paid)
    return [begun] if end is None else [begun, event("agent.pause_ended", end, user)]


def ordinary(user: str = "jana") -> list[NewEvent]:
    """Return the ordinary day whose figures the definitions of tracing give."""
    call = {"queue": "support", "interaction": f"c-{user}"}
    return [
        event("agent.signed_in", "08:00", user),
        event("agent.ready", "08:05", user),
        event(
            "call.accepted",
            "09:00",
            user,
            **call,
            direction="in",
            contact={"name": "Eva Malá", "phone": "+420601234567"},
        ),
        event("call.connected", "09:00:20", user, **call),
        event("call.disconnected", "09:05:20", user, **call),
        event("call.closed", "09:06:40", user, **call),
        *pause("short", "10:00", "10:15", user, paid=True),
        *work("chat", f"w1-{user}", "11:00", "11:30", user, queue="web", channel="webchat"),
        *work("chat", f"w2-{user}", "11:10", "11:40", user, queue="web", channel="webchat"),
        *work("chat", f"w3-{user}", "11:20", "11:25", user, queue="web", channel="webchat"),
        *pause("lunch", "12:00", "12:30", user),
        *work("email", f"m-{user}", "12:20", "12:40", user, queue="mail", subject="Invoice"),
        event("agent.not_ready", "16:20", user),
        event("agent.signed_out", "16:30", user),
    ]


def store(*events: NewEvent | Iterable[NewEvent], source: str = "pbx") -> None:
    """Append the events of one source in one transaction and fold them."""
    flat = [one for part in events for one in ([part] if isinstance(part, NewEvent) else part)]
    record.append(record.source(source).id, flat)
    worker.drain(["digest"])
