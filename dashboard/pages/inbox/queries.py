"""The viewer's own notifications, grouped by rule and hour of what they are about, the latest first.

Hours are those of the viewer's zone. Those of other users cannot be read.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import timedelta
from itertools import groupby
from typing import Any, NamedTuple

import peewee
from flask_babel import gettext as _
from peewee import SQL, fn

from dashboard import clock
from dashboard.db import database, keyset, rows
from dashboard.db.prepared import plain
from dashboard.i18n import formats
from dashboard.i18n.formats import CAP
from dashboard.models import Notification, Rule, RuleMute
from dashboard.web import lists

SIZE = 50
ID_MAX = 10**18 - 1
MINUTE_MS, HOUR_MS = 60_000, 3_600_000
LATE_MS = 300_000  # made so long after the event, a notification says so
_BEFORE = re.compile(r"([0-9]{1,15})\.([0-9]{1,18})")
_KEY = re.compile(r"([0-9]{1,9})-([0-9]{1,9})")
ALL, NEW, SNOOZED = "all", "new", "snoozed"


class Notice(NamedTuple):
    id: int
    title: str
    body: str
    url: str
    urgent: bool
    made_ms: int
    at_ms: int
    read_ms: int | None
    snoozed_ms: int | None
    run_id: int | None
    rule_id: int | None
    owner: int | None  # of the rule
    rule: str | None  # its name now; None when the rule is gone
    muted: int | None

    @property
    def at_ts(self) -> int:
        return self.at_ms // 1000

    @property
    def late_ts(self) -> int | None:
        """Return when it was made, if that was long after what it is about."""
        return self.made_ms // 1000 if self.made_ms - self.at_ms > LATE_MS else None

    def asleep(self, now_ms: int) -> bool:
        return self.snoozed_ms is not None and self.snoozed_ms > now_ms

    def is_new(self, now_ms: int) -> bool:
        return self.read_ms is None and not self.asleep(now_ms)


class GroupKey(NamedTuple):
    """A rule and the minute in which an hour begins, counted from 1970; in the address as "rule-minute"."""

    rule_id: int
    minute: int

    @classmethod
    def parse(cls, text: str) -> GroupKey | None:
        found = _KEY.fullmatch(text)
        return cls(int(found[1]), int(found[2])) if found else None

    def __str__(self) -> str:
        return f"{self.rule_id}-{self.minute}"


class Group(NamedTuple):
    """The notifications of one rule in one hour; one without a rule stands alone."""

    key: GroupKey
    number: int
    new: int
    urgent: bool
    first_ts: int
    last_ts: int
    latest: Notice

    @property
    def title(self) -> str:
        return self.latest.rule or self.latest.title


class Day(NamedTuple):
    label: str
    groups: list[Group]


class Before(NamedTuple):
    """The last row of a page: its moment and id, of a group those of its latest notification."""

    at_ms: int
    id: int

    @classmethod
    def parse(cls, text: str) -> Before | None:
        found = _BEFORE.fullmatch(text)
        return cls(int(found[1]), int(found[2])) if found else None

    def __str__(self) -> str:
        return f"{self.at_ms}.{self.id}"


class Muted(NamedTuple):
    rule_id: int
    name: str


def groups(
    viewer_id: int, view: str, before: Before | None, now_ms: int, zone: str
) -> tuple[list[Group], Before | None]:
    """Return a page of SIZE groups, and the end of it if others follow.

    It reads LOOKED_THROUGH notifications and the rest of an hour: a page may have fewer groups than follow.
    """
    n = Notification
    past_ms = clock.offset_s(now_ms // 1000, zone) * 1000 % HOUR_MS  # of the zone's hours after those of UTC
    hour = ((n.at_ms + past_ms) / HOUR_MS * 60 - past_ms // MINUTE_MS).alias("hour")
    rule = fn.COALESCE(n.rule_id, n.id * -1).alias("rule")
    last, ident = fn.MAX(n.at_ms), fn.MAX(n.id)
    new = fn.SUM(peewee.Case(None, [(_inside(NEW, now_ms), 1)], 0))
    urgent = fn.MAX(peewee.Case(None, [(n.urgent, 1)], 0))
    query = n.select(rule, hour, fn.COUNT(n.id), new, urgent, fn.MIN(n.at_ms), last, ident)
    mine = n.user_id == viewer_id
    if before is not None:
        mine &= n.at_ms < _start(before.at_ms, past_ms) + HOUR_MS
        query = query.having((last < before.at_ms) | ((last == before.at_ms) & (ident < before.id)))
    start = _reach(mine, past_ms)
    query = query.where(mine & (n.at_ms >= start) & _inside(view, now_ms))
    ordered = query.group_by(SQL("1"), SQL("2")).order_by(last.desc(), ident.desc())
    found = list(ordered.limit(SIZE + 1).tuples())
    page = found[:SIZE]
    latest = {row.id: row for row in rows(_query().where(n.id.in_([each[-1] for each in page])), Notice)}
    made = [
        Group(GroupKey(of, at), number, fresh, bool(hot), first // 1000, end // 1000, latest[shown])
        for of, at, number, fresh, hot, first, end, shown in page
    ]
    if len(found) > SIZE:
        return made, Before(*page[-1][6:])
    return made, Before(start - 1, ID_MAX) if start else None


def _start(at_ms: int, past_ms: int) -> int:
    """Return the start of the hour, where hours begin `past_ms` before those of UTC."""
    return (at_ms + past_ms) // HOUR_MS * HOUR_MS - past_ms


def _reach(mine: Any, past_ms: int) -> int:
    """Return the moment down to which a page reads whole hours; 0 for all."""
    n = Notification
    part = (
        n.select(n.at_ms).where(mine).order_by(n.at_ms.desc()).limit(keyset.LOOKED_THROUGH + 1).alias("part")
    )
    values = fn.MIN(part.c.at_ms), fn.COUNT(part.c.at_ms)
    at_ms, number = peewee.Select([part], values).bind(database.obj).tuples().get()
    return _start(int(at_ms), past_ms) if number > keyset.LOOKED_THROUGH else 0


def notices(
    viewer_id: int, view: str, key: GroupKey, before: Before | None, now_ms: int
) -> tuple[list[Notice], Before | None]:
    """Return SIZE notifications of a group, the latest first, and the end of the page if others follow."""
    n = Notification
    query = _query().where((n.user_id == viewer_id) & _inside(view, now_ms) & within(key))
    if before is not None:
        query = query.where((n.at_ms < before.at_ms) | ((n.at_ms == before.at_ms) & (n.id < before.id)))
    found = rows(query.order_by(n.at_ms.desc(), n.id.desc()).limit(SIZE + 1), Notice)
    page = found[:SIZE]
    return page, Before(page[-1].at_ms, page[-1].id) if len(found) > SIZE else None


def within(key: GroupKey) -> Any:
    """Return the condition on the notifications of a group."""
    n, start = Notification, key.minute * MINUTE_MS
    return (n.rule_id == key.rule_id) & (n.at_ms >= start) & (n.at_ms < start + HOUR_MS)


def chosen(ids: Collection[int], keys: Collection[GroupKey], view: str, now_ms: int) -> Any:
    """Return the condition on these notifications, and on those of these groups that a view shows."""
    found = Notification.id.in_(sorted(ids))
    for key in keys:
        found |= within(key) & _inside(view, now_ms)
    return found


def notice(viewer_id: int, ident: int) -> Notice | None:
    mine = (Notification.user_id == viewer_id) & (Notification.id == ident)
    found: list[Notice] = rows(_query().where(mine), Notice)
    return found[0] if found else None


def counts(viewer_id: int, now_ms: int) -> dict[str, int]:
    """Return how many notifications each view holds, counted up to CAP."""
    mine = Notification.select(Notification.id).where(Notification.user_id == viewer_id)
    return {view: len(plain(mine.where(_inside(view, now_ms)).limit(CAP))) for view in (ALL, NEW, SNOOZED)}


def days(found: list[Group], zone: str, now_ms: int) -> list[Day]:
    """Return the groups under the headings of their local days."""
    grouped = groupby(found, lambda one: heading(one.last_ts, zone, now_ms))
    return [Day(label, list(part)) for label, part in grouped]


def muted(viewer_id: int) -> list[Muted]:
    """Return the rules that the viewer has muted, by name."""
    query = RuleMute.select(Rule.id, Rule.name).join(Rule).where(RuleMute.user_id == viewer_id)
    return lists.by_name(rows(query, Muted), lambda one: one.name)


def _query() -> Any:
    n = Notification
    mine = (RuleMute.rule == n.rule_id) & (RuleMute.user_id == n.user_id)
    return (
        n.select(
            n.id,
            n.title,
            n.body,
            n.url,
            n.urgent,
            n.made_ms,
            n.at_ms,
            n.read_ms,
            n.snoozed_ms,
            n.run_id,
            n.rule_id,
            Rule.owner_id,
            Rule.name,
            RuleMute.user_id,
        )
        .join(Rule, peewee.JOIN.LEFT_OUTER, on=(Rule.id == n.rule_id))
        .join(RuleMute, peewee.JOIN.LEFT_OUTER, on=mine)
    )


def _inside(view: str, now_ms: int) -> Any:
    n = Notification
    asleep = n.snoozed_ms.is_null(False) & (n.snoozed_ms > now_ms)
    if view == SNOOZED:
        return asleep
    awake = n.snoozed_ms.is_null() | (n.snoozed_ms <= now_ms)
    return awake & n.read_ms.is_null() if view == NEW else awake


def heading(ts: int, zone: str, now_ms: int) -> str:
    """Return what the local day of a moment is called."""
    on, today = (clock.local_date(each, zone) for each in (ts, now_ms // 1000))
    if on == today:
        return str(_("Today"))
    return str(_("Yesterday")) if on == today - timedelta(days=1) else formats.date_short(on)
