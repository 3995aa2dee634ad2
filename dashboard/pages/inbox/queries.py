"""The viewer's own notifications, newest first; those of other users cannot be read."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import groupby
from typing import Any, NamedTuple

import peewee
from flask_babel import gettext as _

from dashboard import clock
from dashboard.db import keyset, rows
from dashboard.db.prepared import plain
from dashboard.i18n import formats
from dashboard.i18n.formats import CAP
from dashboard.models import Notification, Rule, RuleMute
from dashboard.web import lists

SIZE = 50
ALL, NEW, SNOOZED = "all", "new", "snoozed"


class Notice(NamedTuple):
    id: int
    title: str
    body: str
    url: str
    urgent: bool
    made_ms: int
    read_ms: int | None
    snoozed_ms: int | None
    rule_id: int | None
    rule: str | None  # its name now; None when the rule is gone
    muted: int | None

    @property
    def made_ts(self) -> int:
        return self.made_ms // 1000

    def asleep(self, now_ms: int) -> bool:
        return self.snoozed_ms is not None and self.snoozed_ms > now_ms

    def is_new(self, now_ms: int) -> bool:
        return self.read_ms is None and not self.asleep(now_ms)


class Day(NamedTuple):
    label: str
    notices: list[Notice]


class Muted(NamedTuple):
    rule_id: int
    name: str


def notices(viewer_id: int, view: str, before: int | None, now_ms: int) -> tuple[list[Notice], int | None]:
    """Return a page of SIZE notifications older than the id `before`, and the id to go on from."""
    query, mine = _query().where(_inside(view, now_ms)), Notification.user_id == viewer_id
    found, older = keyset.page(query, Notification.id, [mine], SIZE, below=before, descending=True)
    return [Notice(*row) for row in found], older


def notice(viewer_id: int, ident: int) -> Notice | None:
    mine = (Notification.user_id == viewer_id) & (Notification.id == ident)
    found: list[Notice] = rows(_query().where(mine), Notice)
    return found[0] if found else None


def counts(viewer_id: int, now_ms: int) -> dict[str, int]:
    """Return how many notifications each view holds, counted up to CAP."""
    mine = Notification.select(Notification.id).where(Notification.user_id == viewer_id)
    return {view: len(plain(mine.where(_inside(view, now_ms)).limit(CAP))) for view in (ALL, NEW, SNOOZED)}


def days(found: list[Notice], zone: str, now_ms: int) -> list[Day]:
    """Return the notices under the headings of their local days."""
    today = clock.local_date(now_ms // 1000, zone)
    grouped = groupby(found, lambda one: clock.local_date(one.made_ts, zone))
    return [Day(_heading(on, today), list(part)) for on, part in grouped]


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
            n.read_ms,
            n.snoozed_ms,
            n.rule_id,
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


def _heading(on: date, today: date) -> str:
    if on == today:
        return str(_("Today"))
    return str(_("Yesterday")) if on == today - timedelta(days=1) else formats.date_short(on)
