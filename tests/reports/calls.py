"""Two days of calls in two queues, for tests of reports."""

from __future__ import annotations

from typing import Any

from dashboard import clock

START = 1_772_442_000  # 2026-03-02 09:00 UTC, a Monday
AS_OF = START + 3 * 86_400
PERIOD = {"from": ["2026-03-02"], "to": ["2026-03-03"], "tz": ["UTC"]}
CALLS = [  # queue, seconds after START, waited, talked (None: abandoned)
    ("support", 0, 10, 100),
    ("support", 600, 30, 200),
    ("support", 1200, 5, None),
    ("support", 4000, 70, None),
    ("support", 8000, 20, 60),
    ("sales", 0, 3, 40),
    ("sales", 90_000, 8, 80),  # on the next day
]


def events() -> list[dict[str, Any]]:
    found = []
    for n, (queue, after, waited, talked) in enumerate(CALLS):
        start = START + after

        def event(kind: str, at: int, user: str = "", n: int = n, queue: str = queue) -> None:
            made = {"id": f"{n}{kind}", "type": f"call.{kind}", "time": clock.iso(at, "UTC"), "queue": queue}
            contact = {"contact": {"phone": f"+42060123456{n}"}} if kind == "queued" else {}
            found.append({**made, **contact, "interaction": f"c{n}", **({"user": user} if user else {})})

        event("queued", start)
        if talked is None:
            event("offered", start + 1, "petr")
            event("rejected", start + 2, "petr")
            event("abandoned", start + waited)
        else:
            for kind, at in (("accepted", 0), ("connected", 0), ("disconnected", talked), ("closed", talked)):
                event(kind, start + waited + at, "jana")
    return found
