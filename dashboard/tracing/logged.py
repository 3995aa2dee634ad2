"""The stored events of an interaction in the order in which they count, and the pages of rules' subjects."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import urlencode

import peewee

from dashboard import clock
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.catalog.effects import in_order
from dashboard.db import rows
from dashboard.models import Event, Interaction, Queue, Site, Source, User, Visit
from dashboard.rulelang.subjects import SubjectKind, SubjectName


def page_of(scope: Scope, of_source: Any, external_id: str | None) -> int | None:
    """Return the id of an interaction's page, None where the viewer may not open it or there is none.

    `of_source` is the condition on the interaction's source.
    """
    if external_id is None or not scope.can(Permission.QUEUES_FIGURES):
        return None
    i = Interaction
    shown = scope.allows_queue(i.queue_id) & i.first_ms.is_null(False)
    query = i.select(i.id).join(Source, on=(Source.id == i.source))
    found: int | None = query.where(of_source & (i.external_id == external_id) & shown).scalar()
    return found


def subject_page(scope: Scope, subject: str, at_ms: int, zone: str) -> str | None:
    """Return the address of the page of what a rule is about, None where the viewer may not open it.

    It is the page of an interaction or a visit, or the day of a user or queue at the moment `at_ms` (UTC) in
    `zone`.
    """
    about = SubjectName.parse(subject)
    if about is not None and about.kind is SubjectKind.INTERACTION:
        ident = page_of(scope, Source.name == about.source, about.ident)
        return None if ident is None else f"/interactions/{ident}"
    if about is None:
        return None
    if about.kind is SubjectKind.SESSION:
        return _visit_page(scope, about)
    on, ident = clock.local_date(at_ms // 1000, zone).isoformat(), about.number or 0
    if about.kind is SubjectKind.USER and scope.can(Permission.TRACING_VIEW):
        login = User.select(User.login).where((User.id == ident) & scope.allows(User.id)).scalar()
        return None if login is None else f"/tracing?{urlencode({'user': login, 'date': on})}"
    if about.kind is SubjectKind.QUEUE and scope.can(Permission.QUEUES_FIGURES):
        name = Queue.select(Queue.name).where((Queue.id == ident) & scope.allows_queue(Queue.id)).scalar()
        asked = {"by": "hour", "unit": "day", "queue": name, "date": on}
        return None if name is None else f"/figures?{urlencode(asked)}"
    return None


def _visit_page(scope: Scope, about: SubjectName) -> str | None:
    if not scope.can(Permission.VISITORS_VIEW):
        return None
    named = (Source.name == about.source) & (Visit.token == about.ident)
    query = Visit.select(Visit.id).join(Site).join(Source).where(named & scope.allows_queue(Site.queue_id))
    ident = query.scalar()
    return None if ident is None else f"/visitors/{ident}"


class Logged(NamedTuple):
    """An event with what orders it; `name` is its user's, "" outside the viewer's scope, None for nobody."""

    source_id: int
    external_id: str
    type: str
    time_ms: int
    seq: int
    file_ts: int | None
    uid: int | None
    user_id: int | None
    queue_id: int | None
    data: str
    name: str | None


def events(scope: Scope, source_id: int, interaction: Any, limit: int | None = None) -> list[Logged]:
    """Return the events of an interaction whose content the caller has found visible, the first `limit`.

    `interaction` is its id in the source, or a query that selects it; an index range.
    """
    e = Event
    columns = (getattr(e, field) for field in Logged._fields if field != "name")
    query = (
        e.select(*columns, User.name)
        .join(User, peewee.JOIN.LEFT_OUTER, on=(User.id == e.user_id))
        .where((e.source_id == source_id) & (e.interaction == interaction))
        .order_by(e.id)
        .limit(limit)
    )
    ordered = in_order(rows(query, Logged), lambda _thing, _event: None)
    return [each._replace(name=_named(scope, each)) for each in ordered]


def _named(scope: Scope, event: Logged) -> str | None:
    if event.user_id is None:
        return None
    return (event.name or "") if scope.sees(event.user_id) else ""
