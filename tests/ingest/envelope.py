"""A CloudEvent with all that an event of ours has, and its attributes as headers."""

from __future__ import annotations

from typing import Any

ENVELOPE: dict[str, Any] = {
    "specversion": "1.0",
    "id": "c-1:accepted",
    "source": "/pbx/1",
    "type": "call.accepted",
    "time": "2026-03-02T09:00:00+01:00",
    "datacontenttype": "application/json",
    "traceparent": "00-1-1-00",
    "user": "jana",
    "queue": "support",
    "interaction": "c-1",
    "session": "s-1",
    "data": {"direction": "in", "x": 1.5},
}
OURS = {name: ENVELOPE[name] for name in ("id", "type", "user", "queue", "interaction", "session", "data")}
HEADERS = {f"ce-{name}": text for name, text in ENVELOPE.items() if name not in ("data", "datacontenttype")}
