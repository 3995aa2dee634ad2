"""Words and rows shared by the fold, the statistics and the windows. Pure."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from enum import IntEnum, StrEnum
from typing import Any, NamedTuple, TypedDict

from dashboard import clock
from dashboard.clock import Span
from dashboard.i18n.message import N_


class Kind(IntEnum):
    """What a stretch of a user's day is."""

    LOGIN = 1
    READY = 2
    PAUSE = 3
    RINGING = 4
    HANDLING = 5
    TALK = 6
    HOLD = 7
    UNPROVED = 8  # from where own events stop proving an activity to its bound; in no sum
    LOGIN_ORIGINAL = 9  # recorded, but a correction stands in its place; in no sum
    PAUSE_ORIGINAL = 10


PRESENCE = (Kind.LOGIN, Kind.READY, Kind.PAUSE)
ORIGINALS = {Kind.LOGIN: Kind.LOGIN_ORIGINAL, Kind.PAUSE: Kind.PAUSE_ORIGINAL}
SHOWN = tuple(kind for kind in Kind if kind not in ORIGINALS.values())


class State(StrEnum):
    """Where an activity stands; those from CLOSED on never change by themselves."""

    RINGING = "ringing"
    OPEN = "open"
    POSTPONED = "postponed"
    CLOSED = "closed"
    TRANSFERRED = "transferred"
    MISSED = "missed"
    REJECTED = "rejected"
    ANSWERED_ELSEWHERE = "answered_elsewhere"
    EDITED = "edited"


CHAT_CHANNELS = ("webchat", "sms", "messenger", "whatsapp", "viber", "line", "instagram")
ACTIVITY_TYPES = ("call", "email", "chat", "ticket")
NOT_TAKEN = "not_taken"  # in a filter of states: rang at the user, who did not take it


def type_of(channel: str) -> str:
    """Return the activity type of a channel: call (dialled included), email, ticket, else chat."""
    return {"call": "call", "dialled": "call", "email": "email", "ticket": "ticket"}.get(channel, "chat")


class Said(TypedDict, total=False):
    """What the fold reads of an event's data; the rest need not be decoded for it."""

    callid: Any  # of a source that has an interaction for each queue of a call
    title: Any
    subject: Any
    number: Any
    direction: Any
    channel: Any
    connected: Any
    attended: Any
    join: Any
    reason: Any
    ended_by: Any
    wait_s: Any
    ring_s: Any
    ring_ms: Any
    talk_s: Any
    seconds: Any
    device: Any
    login_s: Any
    pause: Any
    paused: Any
    label: Any
    paid: Any


class EventRow(NamedTuple):
    """An event as the fold reads it; of `data` it looks at what Said names."""

    id: int
    time_ms: int
    seq: int
    type: str
    source_id: int
    external_id: str
    user_id: int | None
    queue_id: int | None
    contact_id: int | None
    data: dict[str, Any]
    uid: int | None = None
    file_ts: int | None = None


class IntervalRow(NamedTuple):
    """A stretch as the statistics and the timeline read it; `end` is None while open."""

    kind: int
    start: int
    end: int | None
    channel: str = ""
    activity_id: int | None = None
    queue_id: int | None = None
    source_id: int = 0
    label: str = ""
    paid: bool = False
    inferred: bool = False
    reported_s: int | None = None
    hidden: bool = False  # outside the viewer's queues: time kept, content gone
    proved: int | None = None  # up to where an open segment is proved
    expires: int | None = None  # when time alone bounds it
    reason: str | None = None  # why its end or bound was concluded
    was_open: bool = False  # its end is where it is proved as of the answer


class ClosedRow(NamedTuple):
    """An activity that ended in the period, for the counts."""

    channel: str
    state: str
    interaction_id: int
    handling_s: int
    at: int = 0


class Segment(NamedTuple):
    """A stretch of one activity in UTC seconds: ringing, handling, talk or hold; `end` None while open."""

    kind: Kind
    start: int
    end: int | None
    inferred: bool = False


class FoldedActivity(NamedTuple):
    """One user's work on one interaction, stint `n`; columns as in `models.Activity`.

    The lengths count ended segments only: there is no clock in the fold.
    """

    user_id: int
    n: int
    channel: str
    direction: str
    state: State
    queue_id: int | None
    contact_id: int | None
    title: str
    start: int
    end: int | None
    closed: int | None
    ringing_s: int
    handling_s: int
    talk_s: int
    hold_s: int
    inferred: bool
    segments: tuple[Segment, ...]
    wrapup: int | None = None  # second from which on handling is wrap-up


class Evidence(NamedTuple):
    """What a user's own events show of one of their activities; for the bounds of ends that never came.

    `acts` are the seconds of these events, `last_ms` the time of the last one; `taken_ms` is when
    another user connected the same call, if no own event followed.
    """

    acts: tuple[int, ...]
    last_ms: int
    taken_ms: int | None


class FoldedInteraction(NamedTuple):
    """What the events of one interaction say; columns as in `models.Interaction`."""

    channel: str
    direction: str
    queue_id: int | None
    contact_id: int | None
    first_ms: int | None
    queued_ts: int | None
    answered_ts: int | None
    ended_ts: int | None
    wait_s: int | None
    talk_s: int
    outcome: str
    reason: str
    activities: tuple[FoldedActivity, ...]
    timeouts: int = 0  # earlier stays in the queue that timed out


UNITS = ("day", "week")
NO_TIME = N_("Enter a time from 00:00 to 24:00 as HH:MM.")
EMPTY_PART = N_("Enter an end after the start.")
ONLY_DAY = N_("Hours can be chosen for a day only.")
_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00")
NO_DATE = N_("Enter a date from 1970-01-02 to 2100-12-31 as YYYY-MM-DD.")
FIRST_DATE, LAST_DATE = date(1970, 1, 2), date(2100, 12, 31)  # what events may carry, with room for any zone


def parse_date(text: str, default: date) -> date | None:
    """Return the date of YYYY-MM-DD, `default` for an empty text, None for what NO_DATE refuses."""
    if not text:
        return default
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if FIRST_DATE <= found <= LAST_DATE else None


def period_span(unit: str, day: date, zone: str, since: str = "", until: str = "") -> Span:
    """Return the local day, its part from `since` to `until` (HH:MM), or the ISO week or month with it.

    A time that the day has twice is the first one, a skipped one the next there is: parts that meet on the
    clock meet in time. Of what `hours_faults` refuses, the period is whole.
    """
    whole = _whole(unit, day, zone)
    if hours_faults(unit, day, zone, since, until):
        return whole
    return _part(whole, day, zone, since, until)


def _whole(unit: str, day: date, zone: str) -> Span:
    if unit == "month":
        return Span(clock.day(day.replace(day=1), zone).start, clock.day(_next_month(day), zone).start)
    return clock.week(day, zone) if unit == "week" else clock.day(day, zone)


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _part(whole: Span, day: date, zone: str, since: str, until: str) -> Span:
    start = _instant(whole, day, zone, since) if since else whole.start
    return Span(start, _instant(whole, day, zone, until) if until else whole.end)


def _instant(whole: Span, day: date, zone: str, text: str) -> int:
    if text == "24:00":
        return whole.end
    found = clock.resolve(datetime.combine(day, time.fromisoformat(text)), zone)
    return min(max(found, whole.start), whole.end)


def hours_faults(unit: str, day: date, zone: str, since: str, until: str) -> dict[str, str]:
    """Return what is wrong with the part of a day that `from` and `to` name, by parameter; untranslated."""
    given = {name: text for name, text in (("from", since), ("to", until)) if text}
    faults = {name: NO_TIME for name, text in given.items() if not _TIME.fullmatch(text)}
    if given and not faults and unit != "day":
        faults = dict.fromkeys(given, ONLY_DAY)
    if given and not faults and _part(clock.day(day, zone), day, zone, since, until).seconds <= 0:
        faults = {"to" if until else "from": EMPTY_PART}
    return faults


def shift_period(unit: str, day: date, by: int) -> date:
    """Return the same place in the day or week that lies `by` units on, of a month its first day, kept
    within the calendar."""
    moved = day + timedelta(days=by * (7 if unit == "week" else 1))
    if unit == "month":
        moved = _next_month(day) if by > 0 else (day.replace(day=1) - timedelta(days=1)).replace(day=1)
    return min(max(moved, FIRST_DATE), LAST_DATE)
