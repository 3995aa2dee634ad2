"""Corrections of signed-in time and pauses, for payroll: events that lie over what sources recorded.

A correction replaces what one stretch of a user's day was by what it should have been; in its `area`, the
time of both, nothing else of that kind remains. So the result is free of overlaps in every order of
recorded events, and depends on the log alone. Recorded rows that a correction touches stay in the database
with a kind of their own, which no sum counts, and the fold goes on from them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from dashboard.access.scope import Scope
from dashboard.catalog.agents import TIME_CORRECTED
from dashboard.clock import DAY_S, Span
from dashboard.db.prepared import Prepared, plain, slot
from dashboard.models import Event, Interval
from dashboard.tracing import store
from dashboard.tracing.bounds import EndReason
from dashboard.tracing.presence_rows import Presence
from dashboard.tracing.types import ORIGINALS, PRESENCE, Kind

NAMES = {Kind.LOGIN: "login", Kind.PAUSE: "pause"}  # as the data of the event calls them
KINDS = {name: kind for kind, name in NAMES.items()}


class Stretch(NamedTuple):
    """[start, end) in UTC seconds; of a pause with its name and whether it is paid."""

    start: int
    end: int
    pause: str = ""
    paid: bool = False


class Correction(NamedTuple):
    """What a stretch was and what it is; None for nothing. `id` is that of its event, `at` the second of its
    making, `by` the login of its author. `taken_back` is the correction that withdrew it."""

    id: str
    source_id: int
    at: int
    user_id: int
    kind: Kind
    was: Stretch | None
    now: Stretch | None
    reason: str
    by: str
    taken_back: TakenBack | None = None

    @property
    def changed_at(self) -> int:
        """The second of the last event about it."""
        return self.at if self.taken_back is None else self.taken_back.at

    @property
    def area(self) -> Span:
        parts = [part for part in (self.was, self.now) if part is not None]
        return Span(min(part.start for part in parts), max(part.end for part in parts))


class TakenBack(NamedTuple):
    at: int
    reason: str
    by: str


def data_of(
    kind: Kind, was: Stretch | None, now: Stretch | None, reason: str, by: str, write: Any
) -> dict[str, Any]:
    """Return the data of the event of a correction; `write` turns a second into a time with an offset."""
    said: dict[str, Any] = {"what": NAMES[kind], "reason": reason, "author": by}
    for prefix, part in (("was_", was), ("", now)):
        if part is not None:
            said |= {f"{prefix}starts": write(part.start), f"{prefix}ends": write(part.end)}
            if kind is Kind.PAUSE:
                said |= {f"{prefix}pause": part.pause, f"{prefix}paid": part.paid}
    return said


def take_back_data(ident: str, reason: str, by: str) -> dict[str, Any]:
    return {"takes_back": ident, "reason": reason, "author": by}


def _stretch(said: dict[str, Any], prefix: str) -> Stretch | None:
    if f"{prefix}starts" not in said:
        return None
    start, end = (int(datetime.fromisoformat(said[prefix + name]).timestamp()) for name in ("starts", "ends"))
    return Stretch(start, end, said.get(f"{prefix}pause", ""), said.get(f"{prefix}paid", False))


def read(events: Iterable[tuple[int, str, int, int, int, str]]) -> list[Correction]:
    """Return the corrections of events (id, external id, source, time in ms, user, data), in the order of
    making; those that were taken back say so."""
    found: dict[str, Correction] = {}
    for _id, name, source, time_ms, user, text in sorted(events, key=lambda event: (event[3], event[0])):
        said, at = json.loads(text), time_ms // 1000
        reason, by = said["reason"], said["author"]
        if (target := found.get(said.get("takes_back", ""))) is not None:
            found[target.id] = target._replace(taken_back=TakenBack(at, reason, by))
        elif "what" in said:
            was, now = _stretch(said, "was_"), _stretch(said, "")
            found[name] = Correction(name, source, at, user, KINDS[said["what"]], was, now, reason, by)
    return list(found.values())


def overlay(
    rows: Sequence[Presence], corrections: Sequence[Correction]
) -> tuple[list[Presence], list[Presence]]:
    """Return the recorded `rows` that corrections touch, and what stands in their place: the parts of them
    outside the areas, and what the corrections say. Corrections lie over each other in order. Pure."""
    touched: list[Presence] = []
    made: list[Presence] = []
    for kind in ORIGINALS:
        recorded = [row for row in rows if row.kind == kind]
        pieces = recorded
        for one in (each for each in corrections if each.kind is kind and each.taken_back is None):
            pieces = [part for row in pieces for part in _outside(row, one.area)]
            pieces += [] if one.now is None else [_row(one, one.now)]
        touched += [row for row in recorded if row not in pieces]
        made += [row._replace(id=None, reason=EndReason.CORRECTED) for row in pieces if row not in recorded]
    return touched, made


def _outside(row: Presence, area: Span) -> list[Presence]:
    """Return what of a row lies before and after the area; the row itself where they do not meet."""
    if (row.end is not None and row.end <= area.start) or row.start >= area.end:
        return [row]
    before = row._replace(end=area.start, closed_ms=area.start * 1000)
    after = row._replace(start=area.end, opened_ms=area.end * 1000)
    goes_on = row.end is None or row.end > area.end
    return [*([before] if row.start < area.start else []), *([after] if goes_on else [])]


def _row(one: Correction, part: Stretch) -> Presence:
    times = (part.start * 1000, part.end * 1000)
    return Presence(
        one.kind, "", part.start, part.end, part.pause, part.paid, False, None, *times, one.source_id
    )


_COLUMNS = (Event.id, Event.external_id, Event.source_id, Event.time_ms, Event.user_id, Event.data)
_OF_USERS = Prepared(
    lambda: Event.select(*_COLUMNS).where(Event.user_id.in_([slot("users")]) & (Event.type == TIME_CORRECTED))
)


def of_user(user: int) -> list[Correction]:
    """Return all corrections of a user, those that were taken back included (a step in an index)."""
    return read(_OF_USERS.rows(users=[user]))


def of_users(scope: Scope, users: Iterable[int], span: Span) -> dict[int, list[Correction]]:
    """Return user → corrections of time in `span`, for users inside the scope who have any."""
    seen = sorted(user for user in users if scope.sees(user))
    found: dict[int, list[Correction]] = {}
    for one in read(_OF_USERS.rows(users=seen)):
        if one.area.start < span.end and one.area.end > span.start:
            found.setdefault(one.user_id, []).append(one)
    return found


def counting(made: Iterable[Correction], span: Span) -> list[Correction]:
    """Return the corrections of time in `span` that were not taken back."""
    return [
        one
        for one in made
        if one.taken_back is None and one.area.start < span.end and one.area.end > span.start
    ]


def lift(user: int) -> list[Correction]:
    """Bring back the recorded rows of a user as if nothing was corrected, for the fold to go on from; return
    the corrections, to be laid over them again."""
    found = of_user(user)
    if found:
        i = Interval
        made = (i.kind <= max(PRESENCE)) & (i.end_reason == EndReason.CORRECTED.value)
        i.delete().where((i.user_id == user) & made).execute()
        mine = (i.user_id == user) & (i.kind >= min(ORIGINALS.values()))
        # With a column that the wide index lacks, SQLite takes the small one of originals.
        originals = plain(i.select(i.id, i.kind, i.key).where(mine))
        for kind, original in ORIGINALS.items():
            ids = [ident for ident, stored, _key in originals if stored == original]
            i.update(kind=int(kind)).where(i.id.in_(ids)).execute()
    return found


def lay(user: int, corrections: Sequence[Correction], since_ms: int) -> list[int]:
    """Put the corrections over the recorded rows of a user, inside the transaction of their fold; return from
    which seconds on those made or withdrawn since `since_ms` change what counts."""
    if corrections:
        touched, made = overlay(_recorded(user, corrections), corrections)
        for kind, original in ORIGINALS.items():
            ids = [row.id for row in touched if row.kind == kind]
            Interval.update(kind=int(original)).where(Interval.id.in_(ids)).execute()
        store.presence(user, [], made)
    return [one.area.start for one in corrections if one.changed_at * 1000 >= since_ms]


def _recorded(user: int, corrections: Sequence[Correction]) -> list[Presence]:
    """Return the user's recorded sign-ins and pauses that overlap areas of corrections."""
    i = Interval
    of_user = (i.user_id == user) & i.kind.in_([int(kind) for kind in ORIGINALS])
    found: dict[int, Presence] = {}
    for area in (one.area for one in corrections if one.taken_back is None):
        over = (i.start_ts < area.end) & (i.end_ts.is_null() | (i.end_ts > area.start))
        for part in ((i.start_ts >= area.start - DAY_S), i.long & (i.start_ts < area.start - DAY_S)):
            found |= {row.id: store.presence_of(row) for row in i.select().where(of_user & over & part)}
    return list(found.values())
