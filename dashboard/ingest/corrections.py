"""Corrects a user's signed-in time and pauses: checks that nothing overlaps, appends the event, folds it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from dashboard import clock
from dashboard.audit import record as audit
from dashboard.catalog.agents import TIME_CORRECTED
from dashboard.clock import DAY_S, Span
from dashboard.db import database, dialect
from dashboard.db.locks import Lock
from dashboard.events import internal
from dashboard.events import record as events
from dashboard.i18n import formats
from dashboard.i18n.message import N_, Message, message
from dashboard.ingest.schema import NewEvent
from dashboard.intervals import subtract, union
from dashboard.models import Interval, User
from dashboard.tracing import corrections, people, projection
from dashboard.tracing.corrections import Correction, Stretch
from dashboard.tracing.types import Kind

LONGEST_S = 2 * DAY_S
ENDS_BEFORE = N_("The end must be later than the beginning.")
TOO_LONG = N_("A stretch lasts at most %(hours)s hours.")
IN_FUTURE = N_("Choose a time that has passed.")
OVERLAPS = N_("Overlaps %(other)s. Correct that one, or choose other times.")
OUTSIDE = N_("A pause lies within signed-in time. The user was not signed in from %(start)s to %(end)s.")
CHANGED = N_("This stretch has changed meanwhile. Choose it again.")
NOTHING = N_("Nothing would change.")


class CorrectionError(Exception):
    """The correction cannot be made: the field, and why."""

    def __init__(self, field: str, problem: Message) -> None:
        super().__init__(field)
        self.field, self.problem = field, problem


class Wanted(NamedTuple):
    """What to correct: `was` is a stretch as it counts now, None for a missing one; `now` None removes it."""

    kind: Kind
    was: Stretch | None
    now: Stretch | None
    reason: str


def stretches(user_id: int, kind: Kind, span: Span, as_of: int) -> list[Stretch]:
    """Return the sign-ins, over all devices, or the pauses that overlap `span`, as they count, whole."""
    i = Interval
    first, last = span.start - LONGEST_S, span.end + LONGEST_S  # stretches that touch are one
    near = (i.start_ts >= first - DAY_S) | i.long
    over = (i.start_ts < last) & (i.end_ts.is_null() | (i.end_ts > first))
    query = i.select(i.start_ts, i.end_ts, i.label, i.paid).where(
        (i.user_id == user_id) & (i.kind == kind) & near & over
    )
    pairs: dict[tuple[str, bool], list[tuple[int, int]]] = {}
    for start, end, label, paid in query.tuples():
        pairs.setdefault((label, bool(paid)) if kind is Kind.PAUSE else ("", False), []).append(
            (start, as_of if end is None else end)
        )
    found = [Stretch(*pair, *name) for name, parts in pairs.items() for pair in union(parts)]
    return sorted(part for part in found if part.start < span.end and part.end > span.start)


def correct(user: User, wanted: Wanted, author: User, zone: str) -> None:
    """Make the correction, with its audit entry. Raises CorrectionError, and nothing has changed then."""
    with database.atomic():
        dialect.one_at_a_time(Lock.PROJECTION)
        _check(user.id, wanted, clock.now_s(), zone)
        write = partial(clock.iso, zone=zone)
        data = corrections.data_of(wanted.kind, wanted.was, wanted.now, wanted.reason, author.login, write)
        _append(user, data)
        audit.record(
            "session.corrected",
            "u",
            audit.user_target(user),
            changes={corrections.NAMES[wanted.kind]: (_said(wanted.was, write), _said(wanted.now, write))},
            details={"reason": wanted.reason},
        )


def take_back(user: User, one: Correction, reason: str, author: User, zone: str) -> None:
    """Withdraw a correction: what was recorded, and other corrections, count again."""
    with database.atomic():
        dialect.one_at_a_time(Lock.PROJECTION)
        write = partial(clock.iso, zone=zone)
        _append(user, corrections.take_back_data(one.id, reason, author.login))
        audit.record(
            "session.corrected",
            "u",
            audit.user_target(user),
            changes={corrections.NAMES[one.kind]: (_said(one.now, write), _said(one.was, write))},
            details={"reason": reason, "takes_back": one.id},
        )


def _append(user: User, data: dict[str, Any]) -> None:
    """Append the event and fold it, so that the next page shows it."""
    event = NewEvent(
        id=f"correction:{uuid.uuid4()}",
        type=TIME_CORRECTED,
        time_ms=clock.now_ms(),
        user=user.login,
        data=json.dumps(data, ensure_ascii=False),
    )
    events.append(events.source(internal.SOURCE).id, [event], makes=False)
    projection.fold_touched({}, {user.id: event.time_ms}, {}, {})


def _said(part: Stretch | None, write: Callable[[int], str]) -> str:
    return "" if part is None else f"{write(part.start)} – {write(part.end)} {part.pause}".strip()


def _check(user_id: int, wanted: Wanted, as_of: int, zone: str) -> None:
    was, now = wanted.was, wanted.now
    if was is None and now is None:
        raise CorrectionError("from", Message(NOTHING))
    around = [part for part in (was, now) if part is not None]
    if now is not None and now.end <= now.start:
        raise CorrectionError("to", Message(ENDS_BEFORE))
    if now is not None and now.end - now.start > LONGEST_S:
        raise CorrectionError("to", message(TOO_LONG, hours=LONGEST_S // 3600))
    if now is not None and now.end > as_of:
        raise CorrectionError("to", Message(IN_FUTURE))
    if was == now:
        raise CorrectionError("from", Message(NOTHING))
    span = Span(min(part.start for part in around), max(part.end for part in around))
    counted = stretches(user_id, wanted.kind, span, as_of)
    if was is not None and was not in counted:
        raise CorrectionError("was", Message(CHANGED))
    if now is not None:
        others = [part for part in counted if part != was]
        _check_overlaps(now, others, zone)
        if wanted.kind is Kind.PAUSE and not people.never_signed_in(user_id):
            _check_inside(now, stretches(user_id, Kind.LOGIN, span, as_of), zone)


def _check_overlaps(now: Stretch, others: Sequence[Stretch], zone: str) -> None:
    for other in others:
        if other.start < now.end and other.end > now.start:
            text = f"{formats.stamp(other.start, zone)} – {formats.stamp(other.end, zone)} {other.pause}"
            field = "from" if other.start <= now.start else "to"
            raise CorrectionError(field, message(OVERLAPS, other=text.strip()))


def _check_inside(now: Stretch, logins: Sequence[Stretch], zone: str) -> None:
    missing = subtract([(now.start, now.end)], [(part.start, part.end) for part in logins])
    if missing:
        start, end = (formats.stamp(at, zone) for at in missing[0])
        field = "from" if missing[0][0] == now.start else "to"
        raise CorrectionError(field, message(OUTSIDE, start=start, end=end))
