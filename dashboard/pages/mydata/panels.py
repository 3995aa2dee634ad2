"""What the page of the viewer's own data shows around the list of looks."""

from __future__ import annotations

from typing import NamedTuple

from flask import g
from peewee import fn

from dashboard import clock
from dashboard.access import policy
from dashboard.db import pieces
from dashboard.events import kept
from dashboard.events.kept import Kept
from dashboard.i18n import formats, zone
from dashboard.i18n.message import N_
from dashboard.models import Activity, AuditSubject, Event, ExportFile, Interval, Notification
from dashboard.pages.mydata import own
from dashboard.sources import answer, run
from dashboard.sources.declared.looks import LOOKS
from dashboard.sources.parameters import parse

PERIOD = "last_30_days"


class PolicyText(NamedTuple):
    """The newest version of the monitoring policy as the viewer reads it."""

    number: int
    paragraphs: list[str]
    read: str  # when, "" until they have
    date: str  # of its publication


class Looks(NamedTuple):
    """How often the viewer's data were looked at in the last 30 days, and by how many."""

    number: int
    exported: int
    people: int
    machines: int
    most: str  # who looked most often
    most_number: int
    last: str  # when, "" for never
    last_by: str


class OwnFile(NamedTuple):
    ident: str
    name: str
    made: str
    size: int  # bytes
    until: str
    is_ready: bool


class Stock(NamedTuple):
    """What is stored about the viewer: `days` are how long it is kept, None for ever."""

    label: str
    oldest: str
    rows: int
    days: int | None


def policy_text() -> PolicyText | None:
    newest = policy.current()
    if newest is None:
        return None
    paragraphs = [part for part in policy.text(newest, formats.language()).split("\n\n") if part]
    at = policy.read_at(g.user.id, newest)
    published = formats.date_plain(clock.local_date(newest.created_ts, zone()))
    return PolicyText(newest.id, paragraphs, formats.stamp(at, zone()) if at else "", published)


def looks() -> Looks:
    scope, now = g.scope, clock.now_s()
    names = answer.names(scope)
    given = {"group": ["actor_type,actor,action"], "measures": ["count"]}
    by: dict[tuple[str, str], int] = {}
    exported = 0
    for (kind, actor, action), values in run.figures(
        scope, parse(LOOKS, given, zone(), now, names, PERIOD)
    ).rows:
        number = int(values["count"] or 0)
        by[(str(kind), str(actor))] = by.get((str(kind), str(actor)), 0) + number
        exported += number if str(action).endswith("exported") else 0
    newest = parse(LOOKS, {"columns": ["time,actor"], "limit": ["1"]}, zone(), now, names, PERIOD)
    last = run.rows(scope, newest).rows
    people = sum(kind == "user" for kind, _actor in by)
    most = max(by, key=lambda each: by[each], default=("", ""))
    at, last_by = last[0][1] if last else (0, "")
    return Looks(
        sum(by.values()),
        exported,
        people,
        len(by) - people,
        most[1],
        by.get(most, 0),
        formats.day_clock(at // 1000, zone()) if last else "",
        last_by,
    )


def files() -> list[OwnFile]:
    """Return the viewer's files that are kept still, newest first."""
    return [
        OwnFile(
            each.id,
            each.name,
            formats.stamp(each.created_ts, zone()),
            each.size,
            formats.stamp(each.expires_ts, zone()),
            bool(each.sha256),
        )
        for each in own.files(g.user.id).where(ExportFile.expires_ts > clock.now_s()).limit(20)
    ]


def stock() -> list[Stock]:
    """Return how much is stored about the viewer, and since when."""
    me = g.user.id
    days = kept.periods().days
    return [
        Stock(
            label,
            "" if oldest is None else formats.date_plain(clock.local_date(int(oldest) // scale, zone())),
            rows,
            days[kind],
        )
        for label, user, at, scale, kind in (
            (N_("Activities"), Activity.user_id, Activity.start_ts, 1, Kept.INTERVALS),
            (N_("Times of status and work"), Interval.user_id, Interval.start_ts, 1, Kept.INTERVALS),
            (N_("Events"), Event.user_id, Event.time_ms, 1000, Kept.EVENTS),
            (N_("Notifications"), Notification.user_id, Notification.made_ms, 1000, Kept.CONTENT),
            (N_("Looks by name"), AuditSubject.user_id, AuditSubject.occurred_ms, 1000, Kept.AUDIT),
            (N_("Exported files"), ExportFile.user_id, ExportFile.created_ts, 1, Kept.EXPORTS),
        )
        for oldest in [user.model.select(fn.MIN(at)).where(user == me).scalar()]
        for rows in [pieces.count(user.model.select().where(user == me))]
    ]
