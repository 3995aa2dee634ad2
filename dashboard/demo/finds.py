"""What there is to find in the days before the first run, in figures and lists, some as alarms. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta

from msgspec.structs import replace

from dashboard import clock
from dashboard.clock import Span
from dashboard.demo import browsing
from dashboard.demo.cast import BILLING, COFFEE, SUPPORT, TICKETS, customer
from dashboard.demo.story import Contact, Piece, Step
from dashboard.demo.work import dice

MONDAY, WEDNESDAY, THURSDAY = 0, 2, 3
BAD_FROM, BAD_TO = time(13), time(16)  # of Wednesday's afternoon in Billing
LOST_EVERY_S = 420
OVERDRAWN = "svoboda"
OVERDRAWN_S = 6300  # that his first break on Thursday lasts longer
WORKED_BY = "sato"
VIP = customer(77, "call")
VIP_AGO_S, VIP_WAIT_S = 2 * 3600, 170
IDLE_S, IDLE_AGO_S = 3 * 86_400, 3600  # the ticket has been idle for so long since so long ago
TICKET = {"number": 3814, "title": "Complaint about a repair", "priority": "high"}
IDLE_TICKET = Contact("idle", "ticket", WORKED_BY, TICKETS, customer(64, "ticket"), TICKET)
ALARMING = (IDLE_TICKET.name,)  # interactions of which rules evaluate all events, however old


def added(pieces: Sequence[Piece], now: int, zone: str) -> Iterator[Piece]:
    """Yield the planned pieces with what there is to find: on the last Wednesday, Thursday and Monday before
    the local date of `now`, two hours before `now`, and in conversations before that."""
    today = clock.local_date(now, zone)
    yield from _long_break(
        _bad_afternoon(pieces, _last(today, WEDNESDAY), zone), _last(today, THURSDAY), zone
    )
    yield _idle_ticket(_at(_last(today, MONDAY), time(9, 5), zone), now - IDLE_S - IDLE_AGO_S)
    queued = now - VIP_AGO_S
    vip = Contact(f"vip-{queued}", "call", "", SUPPORT, VIP, {"direction": "in"})
    yield vip.lost(queued, queued + VIP_WAIT_S)
    yield from browsing.sessions(pieces, now)


def _bad_afternoon(pieces: Sequence[Piece], day: date, zone: str) -> Iterator[Piece]:
    """Let the callers of Billing wait for minutes, and many give up."""
    span = Span(_at(day, BAD_FROM, zone), _at(day, BAD_TO, zone))
    roll = dice("bad", day)
    for piece in pieces:
        first = piece.events[0]
        late = first.type == "call.queued" and first.queue == BILLING.name
        if late and span.start <= first.time_ms // 1000 < span.end:
            queued = replace(first, time_ms=first.time_ms - 1000 * roll.randint(90, 300))
            yield piece._replace(events=(queued, *piece.events[1:]))
        else:
            yield piece
    for number, start in enumerate(range(span.start, span.end, LOST_EVERY_S)):
        at = start + roll.randrange(LOST_EVERY_S)
        who = customer(roll.randrange(120), "call")
        lost = Contact(f"bad-{number}-{day}", "call", "", BILLING, who, {"direction": "in"})
        yield lost.lost(at, at + roll.randint(70, 300))


def _long_break(pieces: Iterator[Piece], day: date, zone: str) -> Iterator[Piece]:
    """Let one person come back from a break much too late."""
    span = clock.day(day, zone)
    theirs: list[Piece] = []
    for piece in pieces:
        if piece.login == OVERDRAWN and span.start <= piece.start < span.end:
            theirs.append(piece)
        else:
            yield piece
    found = next((piece for piece in sorted(theirs, key=lambda each: each.start) if _is_break(piece)), None)
    for piece in theirs:
        if found is None or piece.end <= found.start or piece.start >= found.end + OVERDRAWN_S:
            yield piece
    if found is not None:
        begun, ended = found.events
        end = found.end + OVERDRAWN_S
        yield found._replace(end=end, events=(begun, replace(ended, time_ms=end * 1000)))


def _is_break(piece: Piece) -> bool:
    first = piece.events[0]
    return first.type == "agent.pause_started" and json.loads(first.data)["pause"] == COFFEE.name


def _idle_ticket(created: int, asked: int) -> Piece:
    """Return the ticket whose requester has asked again without an answer."""
    updated = min(created + 2100, asked - 600)
    steps: tuple[Step, ...] = (
        (min(created, updated - 900), "created", {}),
        (updated, "updated", {"seconds": 300}),
        (asked, "message_received", {}),
    )
    return IDLE_TICKET.piece(updated - 300, updated, *steps)


def _last(today: date, weekday: int) -> date:
    """Return the last such day before today."""
    return today - timedelta(days=(today.weekday() - weekday - 1) % 7 + 1)


def _at(day: date, hour: time, zone: str) -> int:
    return clock.resolve(datetime.combine(day, hour), zone)
