"""The data sources of co-browsing: what was done in sessions, and the sessions themselves."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from peewee import JOIN

from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.i18n import formats
from dashboard.i18n.message import N_
from dashboard.models import CobrowseAgent, CobrowseSession, User, Visit
from dashboard.sources.declared.entities import queue, yes
from dashboard.sources.declared.visits import browser_name
from dashboard.sources.types import Entity, Field, Source, Type

KINDS = {  # of steps, with the seven kinds of a co-browsing log first
    "click": N_("Click"),
    "scroll": N_("Scroll"),
    "form": N_("Form sent"),
    "input": N_("Input"),
    "page": N_("Page change"),
    "selection": N_("Text selected"),
    "custom": N_("Custom event"),
    "joined": N_("Agent joined"),
    "left": N_("Agent left"),
}
ACTORS = {"agent": N_("Agent"), "customer": N_("Customer")}
_BESIDE = """LEFT JOIN "site" st ON st.source_id = s.source_id LEFT JOIN "visit" v ON v.id = s.visit_id
    LEFT JOIN "interaction" i ON i.source_id = s.source_id AND i.external_id = s.interaction"""
QUEUE = "coalesce(st.queue_id, i.queue_id)"
CONTACT = "coalesce(s.contact_id, v.contact_id, i.contact_id)"
_BY = "CASE WHEN x.by_agent THEN 'agent' ELSE 'customer' END"


def _visible(scope: Scope) -> str:
    """Return the condition of sessions that a viewer may see: those of queues in the scope and their own;
    of a session without a queue an agent must be in the scope."""
    if scope.queues is None:
        return "1 = 1"
    own = _joined_by([scope.viewer_id])
    found = f"({_joined_by(None if scope.users is None else sorted(scope.users))} AND {QUEUE} IS NULL)"
    queues = ", ".join(map(str, sorted(scope.queues))) or "NULL"
    return f"({own} OR {found} OR {QUEUE} IN ({queues}))"


def _joined_by(users: Collection[int] | None) -> str:
    among = "" if users is None else f" WHERE a.user_id IN ({', '.join(map(str, users)) or 'NULL'})"
    return f's.id IN (SELECT a.session_id FROM "cobrowse_agent" a{among})'


def session_names(_scope: Scope, ids: Collection[Any] | None) -> Mapping[Any, str]:
    """Return the visitors of sessions of visits, and what sources call other sessions."""
    s, v = CobrowseSession, Visit
    query = s.select(s.id, s.external_id, v.browser).join(v, JOIN.LEFT_OUTER, on=(v.id == s.visit))
    found = query.where(s.id.in_(sorted(ids or ()))).tuples()
    return {ident: browser_name(browser) if browser else name for ident, name, browser in found}


def agent_names(scope: Scope, ids: Collection[Any] | None) -> Mapping[Any, str]:
    """Return the names of the agents of these sessions, as far as the viewer may see them."""
    a, u, names = CobrowseAgent, User, dict[int, list[str]]()
    query = a.select(a.session, u.name).join(u, on=(u.id == a.user_id)).order_by(u.name)
    for session, name in query.where(a.session.in_(sorted(ids or ())) & scope.allows(u.id)).tuples():
        names.setdefault(session, []).append(name)
    return {session: formats.listed(found) for session, found in names.items()}


_PLACE = (
    Field("contact", N_("Contact"), Type.CONTACT, CONTACT),
    Field("queue", N_("Queue"), Type.QUEUE, QUEUE),
    Field("source", N_("Source"), Type.SOURCE, "(s.source_id + 0)"),
)
_STEP = (
    Field("kind", N_("Action"), Type.CHOICE, "x.kind", KINDS),
    Field("by", N_("Done by"), Type.CHOICE, _BY, ACTORS),
    Field("page", N_("Page"), Type.TEXT, "x.page"),
    Field("element", N_("Page element"), Type.TEXT, "x.element"),
)
COBROWSING = Source(
    "cobrowsing",
    f'"cobrowse_step" x JOIN "cobrowse_session" s ON s.id = x.session_id {_BESIDE}',
    (
        Entity(
            "action",
            N_("Co-browsing action"),
            N_("Co-browsing actions"),
            "x.event_id",
            (
                Field("time", N_("Time"), Type.MOMENT, "x.time_ms", scale=1000),
                Field("session", N_("Session"), Type.ID, "x.session_id", texts=session_names, many=True),
                *_STEP,
                Field("user", N_("User"), Type.USER, "x.user_id"),
                Field("length", N_("Number of characters"), Type.NUMBER, "x.length"),
                *_PLACE,
                Field("visit", N_("Visit"), Type.ID, "s.visit_id"),
                *(
                    Field(f"is_{kind}", "", Type.YES_NO, yes(f"x.kind = '{kind}'"), counted=label)
                    for kind, label in KINDS.items()
                ),
            ),
        ),
        Entity(
            "session",
            N_("Co-browsing session"),
            N_("Co-browsing sessions"),
            "s.id",
            (
                Field("start", N_("Start"), Type.MOMENT, "s.first_ms", scale=1000),
                Field("duration", N_("Duration"), Type.DURATION, "(s.last_ms - s.first_ms) / 1000"),
                Field("joined", N_("With an agent"), Type.YES_NO, yes("s.joined")),
                Field("interaction", N_("Interaction"), Type.TEXT, "s.interaction"),
            ),
        ),
        queue(QUEUE),
    ),
    moment="time",
    grain=N_("One row is one action of an agent or a customer in a co-browsing session."),
    permission=Permission.SESSIONS_VIEW,
    users="x.user_id",
    scoped=_visible,
    id_searched="s.external_id",
    contact=CONTACT,
)
SESSIONS = Source(
    "cobrowsing_sessions",
    f'"cobrowse_session" s {_BESIDE}',
    (
        Entity(
            "session",
            N_("Co-browsing session"),
            N_("Co-browsing sessions"),
            "s.id",
            (
                Field("start", N_("Start"), Type.MOMENT, "s.first_ms", scale=1000),
                Field("name", N_("Session"), Type.NOTE, "s.id", texts=session_names),
                Field("id", N_("Session ID"), Type.TEXT, "s.external_id"),
                Field("number", N_("Number"), Type.ID, "s.id"),
                Field("agents", N_("Agents"), Type.NOTE, "s.id", texts=agent_names),
                *_PLACE,
                Field("page", N_("First page"), Type.TEXT, "s.page"),
                Field("steps", N_("Number of actions"), Type.NUMBER, "s.steps"),
                Field("duration", N_("Duration"), Type.DURATION, "(s.last_ms - s.first_ms) / 1000"),
                Field("end", N_("End"), Type.MOMENT, "s.last_ms", scale=1000),
                Field("joined", N_("With an agent"), Type.YES_NO, yes("s.joined")),
                Field("interaction", N_("Interaction"), Type.TEXT, "s.interaction"),
                Field("visit", N_("Visit"), Type.ID, "s.visit_id"),
            ),
        ),
        Entity(
            "agent",
            N_("Agent"),
            N_("Agents"),
            "a.user_id",
            (Field("user", N_("Agent"), Type.USER, "a.user_id"),),
            join='LEFT JOIN "cobrowse_agent" a ON a.session_id = s.id',
            many='"cobrowse_agent" a WHERE a.session_id = s.id',
        ),
        Entity(
            "action",
            N_("Co-browsing action"),
            N_("Co-browsing actions"),
            "x.event_id",
            _STEP,
            join='LEFT JOIN "cobrowse_step" x ON x.session_id = s.id',
            many='"cobrowse_step" x WHERE x.session_id = s.id',
        ),
        queue(QUEUE),
    ),
    moment="start",
    grain=N_("One row is one session, with or without an agent."),
    permission=Permission.SESSIONS_VIEW,
    users="a.user_id",
    scoped=_visible,
    id_searched="s.external_id",
    contact=CONTACT,
    # Pages have no query; with the first one of the session, those of all its steps.
    scanned="s.external_id || ' ' || coalesce((SELECT group_concat(z.page, ' ') FROM (SELECT DISTINCT x.page"
    " FROM \"cobrowse_step\" x WHERE x.session_id = s.id) z), '')",
)
