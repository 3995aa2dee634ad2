"""One ordinary day of one user as events, and what GET /api/v1/tracing must say about it."""

from __future__ import annotations

from typing import Any

DATE = "2026-03-02"
ZONE = "Europe/Prague"


def event(clock: str, kind: str, interaction: str = "", queue: str = "", **data: object) -> dict[str, Any]:
    """Return an event of jana at a clock time of the day; its id names it."""
    found: dict[str, Any] = {
        "id": f"{interaction or 'jana'}:{kind}:{clock}",
        "type": kind,
        "time": f"{DATE}T{clock}+01:00",
        "user": "jana",
        "data": data,
    }
    if interaction:
        found["interaction"] = interaction
    if queue:
        found["queue"] = queue
    return found


def chat(name: str, start: str, end: str) -> list[dict[str, Any]]:
    return [
        event(start, "chat.accepted", name, "web", channel="webchat"),
        event(end, "chat.closed", name, "web", channel="webchat"),
    ]


DAY = [
    event("08:00:00", "agent.signed_in"),
    event("08:05:00", "agent.ready"),
    event("09:00:00", "call.accepted", "c-1", "support", direction="in"),
    event("09:00:20", "call.connected", "c-1", "support"),
    event("09:05:20", "call.disconnected", "c-1", "support"),
    event("09:06:40", "call.closed", "c-1", "support"),
    event("10:00:00", "agent.pause_started", pause="coffee", paid=True),
    event("10:15:00", "agent.pause_ended"),
    *chat("t-1", "11:00:00", "11:30:00"),
    *chat("t-2", "11:10:00", "11:40:00"),
    *chat("t-3", "11:20:00", "11:25:00"),
    event("12:00:00", "agent.pause_started", pause="lunch", paid=False),
    event("12:20:00", "email.accepted", "e-1", "support"),
    event("12:30:00", "agent.pause_ended"),
    event("12:40:00", "email.closed", "e-1", "support"),
    event("16:20:00", "agent.not_ready"),
    event("16:30:00", "agent.signed_out"),
]

STATISTICS = {
    "login": 30600,
    "ready": 27000,
    "not_ready": 900,
    "busy": 3400,
    "ringing": 0,
    "free": 23600,
    "offline": 55800,
    "work_in_pause": 600,
    "work_logged_out": 0,
    "calls": {"handling": 400, "talk": 300, "hold": 0, "load": 400, "closed": 1},
    "emails": {"handling": 1200, "load": 1200, "closed": 1},
    "chats": {
        "handling": 2400,
        "load": 3900,
        "closed": 3,
        "webchat": {"handling": 2400, "load": 3900, "closed": 3},
    },
    "tickets": {"edited": 0, "closed": 0},
}
PAUSE = {"total": 2700, "paid": 900, "unpaid": 1800}
ACTIVITIES = [  # type, start, seconds, talk, queue
    ("call", "09:00:00", 400, 300, "support"),
    ("chat", "11:00:00", 1800, 0, "web"),
    ("chat", "11:10:00", 1800, 0, "web"),
    ("chat", "11:20:00", 300, 0, "web"),
    ("email", "12:20:00", 1200, 0, "support"),
]
