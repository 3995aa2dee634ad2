"""Co-browsing on the site of the invented centre: agents help customers during their conversations. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from dashboard.demo.story import Piece
from dashboard.demo.work import dice
from dashboard.ingest.schema import NewEvent

SHOP = "https://www.example.org"
OFFERS, COMPARE, THANKS = (
    ("offers/tariffs", "Tariffs"),
    ("offers/compare", "Compare"),
    ("thanks", "Thank you"),
)
LEAST_S = 200  # of a conversation that has room for a session
LAST_S = 600  # before now
Act = tuple[int, str, str, dict[str, Any]]  # seconds from the beginning, who, verb, data
CHANGE: tuple[Act, ...] = (
    (0, "agent", "joined", {}),
    (13, "customer", "page_changed", {"page": OFFERS}),
    (31, "customer", "scrolled", {"page": OFFERS, "position": 62}),
    (47, "agent", "clicked", {"page": OFFERS, "element": "Compare tariffs"}),
    (49, "agent", "page_changed", {"page": COMPARE}),
    (70, "customer", "selected", {"page": COMPARE, "length": 14}),
    (94, "customer", "input_changed", {"page": COMPARE, "element": "E-mail", "length": 19}),
    (111, "customer", "input_changed", {"page": COMPARE, "element": "Phone", "length": 13}),
    (139, "customer", "clicked", {"page": COMPARE, "element": "I agree"}),
    (143, "customer", "form_sent", {"page": COMPARE, "form": "Tariff change"}),
    (145, "customer", "page_changed", {"page": THANKS}),
    (161, "customer", "custom", {"page": THANKS, "name": "order_confirmed", "value": "20418"}),
    (165, "agent", "left", {}),
)
ALONE: tuple[Act, ...] = tuple(
    (at, who, verb, data) for at, who, verb, data in CHANGE if who == "customer" and at < 130
)


def sessions(pieces: Sequence[Piece], now: int) -> Iterator[Piece]:
    """Yield sessions during the latest conversations of three agents, one of them long, and one of a customer
    without an agent."""
    talks: dict[str, Piece] = {}
    for piece in sorted(pieces, key=lambda each: (each.start, each.login)):
        closed = piece.login and piece.events[-1].type in ("call.closed", "chat.closed")
        if closed and piece.end - piece.start >= LEAST_S and piece.end < now - LAST_S:
            talks[piece.login] = piece
    chosen = sorted(talks.values(), key=lambda each: (each.start, each.login))[-3:]
    for number, (piece, acts) in enumerate(zip(chosen, (CHANGE, _long(now), CHANGE), strict=False)):
        yield _session(f"cb-{2215 + number}", piece, acts)
    if chosen:
        earlier = chosen[0]._replace(start=chosen[0].start - 1800)
        yield _session("cb-2214", earlier, ALONE)


def _long(now: int) -> tuple[Act, ...]:
    """Return a session in which the customer reads many pages and agent and customer click about."""
    roll, acts, at = dice("browsing", now), [CHANGE[0]], 3
    for number in range(180):
        at += roll.choice((0, 1, 1, 2))
        page = (f"help/{number // 12 + 1}", f"Help {number // 12 + 1}")
        who = "customer" if roll.random() < 0.7 else "agent"
        if number % 12 == 0:
            acts.append((at, who, "page_changed", {"page": page}))
        elif number % 3 == 0:
            acts.append((at, who, "scrolled", {"page": page, "position": roll.randrange(101)}))
        else:
            acts.append((at, who, "clicked", {"page": page, "element": f"Link {roll.randrange(1, 9)}"}))
    return (*acts, (at + 4, "agent", "left", {}))


def _session(name: str, piece: Piece, acts: Sequence[Act]) -> Piece:
    """Return a session that begins with a conversation; a customer alone is nobody's contact yet."""
    start = piece.start + 20
    first = piece.events[0]
    events = tuple(
        NewEvent(
            id=f"{name}:{first.interaction}:{number}",
            type=f"cobrowse.{verb}",
            time_ms=(start + at) * 1000,
            user=piece.login if who == "agent" else None,
            queue=None,
            interaction=first.interaction if verb == "joined" else None,
            contact=first.contact if verb == "joined" else None,
            session=name,
            data=json.dumps({"by": who, **_data(data)}, ensure_ascii=False),
        )
        for number, (at, who, verb, data) in enumerate(acts)
    )
    return Piece("", start, start + acts[-1][0], events)


def _data(data: dict[str, Any]) -> dict[str, Any]:
    path, title = data.get("page", ("", ""))
    page = {"url": f"{SHOP}/{path}", "title": title} if path else {}
    return {**page, **{name: value for name, value in data.items() if name != "page"}}
