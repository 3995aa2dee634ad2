"""Keeps co-browsing sessions, their steps and agents equal to what the log says.

A session begins to exist with its first event of a type `cobrowse.`; page views of the same visitor session
are steps of it too. What is stored depends on the log alone, not on when, how often or in which order events
came: steps have the id of their event, and all else is computed from the steps or from the log.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from peewee import Case, fn

from dashboard.catalog.visitors import STEPS
from dashboard.db import database, dialect
from dashboard.db.locks import Lock
from dashboard.db.prepared import Prepared, plain, slot, update_row
from dashboard.models import CobrowseAgent, CobrowseSession, CobrowseStep, Event, Site, Visit
from dashboard.tracing.contacts import contact_ids

CHUNK = 400  # sessions
PAGE_MAX, ELEMENT_MAX, LENGTH_MAX = 500, 200, 2**31 - 1
ELEMENTS = (
    "element",
    "form",
    "name",
)  # fields of data that name what a step acts on, the first that is given
JOINS = ("joined", "left")  # steps of agents, whatever they say
COLUMNS = ("event_id", "session_id", "time_ms", "kind", "by_agent", "user_id", "page", "element", "length")
_TYPES = tuple(sorted(STEPS))
_OWN = (Event.type >= "cobrowse.") & (Event.type < "cobrowse/")  # a range: it can use an index


class Acted(NamedTuple):
    """An event of a session."""

    id: int
    source: int
    session: str
    type: str
    time_ms: int
    user: int | None
    data: str
    names_more: bool  # an interaction or a contact


def _events() -> Any:
    e = Event
    more = Case(None, [(e.interaction.is_null(False) | e.contact.is_null(False), 1)], 0)
    return e.select(e.id, e.source_id, e.session, e.type, e.time_ms, e.user_id, e.data, more)


_NEW = Prepared(
    lambda: _events().where(
        (Event.id > slot("after")) & (Event.id <= slot("to")) & Event.session.is_null(False)
    )
)
_MINE = (Event.source_id == slot("source")) & Event.session.in_([slot("names")])
_WHOLE = Prepared(lambda: _events().where(_MINE & Event.type.in_(_TYPES)).order_by(Event.id))
_KNOWN = Prepared(
    lambda: CobrowseSession.select(CobrowseSession.external_id, CobrowseSession.id).where(
        (CobrowseSession.source == slot("source")) & CobrowseSession.external_id.in_([slot("names")])
    )
)
_NAMING = Prepared(
    lambda: (
        Event.select(Event.session, Event.interaction, Event.contact)
        .where(_MINE & (Event.interaction.is_null(False) | Event.contact.is_null(False)))
        .order_by(Event.time_ms, Event.id)
    )
)


def note(after: int, to: int) -> None:
    """Add what the events with `after` < id <= `to` say of sessions, in the digest's transaction."""
    by_source: dict[int, list[Acted]] = {}
    for row in _NEW.rows(after=after, to=to):
        by_source.setdefault(row[1], []).append(Acted._make(row))
    for source, events in by_source.items():
        names = sorted({each.session for each in events})
        known = {name: ident for part in _parts(names) for name, ident in _known(source, part).items()}
        new = {each.session for each in events if each.session not in known and _begins(each)}
        for part in _parts(sorted(new)):
            fold(source, part)
        added = [each for each in events if each.session in known]
        _add([each for each in added if each.type in STEPS], known)
        _settle(sorted({known[each.session] for each in added if each.type in STEPS}))
        for part in _parts(sorted({each.session for each in added if each.names_more})):
            _relate(source, {name: known[name] for name in part})


def fold(source: int, names: Sequence[str]) -> None:
    """Make these sessions of a source anew from the log, in the caller's transaction; they keep their ids.

    Those without an event of a type `cobrowse.` are deleted. There are at most CHUNK names.
    """
    events = [Acted._make(row) for row in _WHOLE.rows(source=source, names=list(names))]
    begun = {each.session for each in events if _begins(each)}
    known = _known(source, names)
    _delete([ident for name, ident in known.items() if name not in begun])
    new = [(source, name, 0, 0, 0, False, "") for name in sorted(begun - known.keys())]
    columns = ("source_id", "external_id", "first_ms", "last_ms", "steps", "joined", "page")
    dialect.insert_many("cobrowse_session", columns, new)
    if not begun:
        return
    ids = _known(source, sorted(begun))
    for model in (CobrowseStep, CobrowseAgent):
        model.delete().where(model.session.in_(sorted(ids.values()))).execute()
    _add([each for each in events if each.session in ids], ids)
    _settle(sorted(ids.values()))
    _relate(source, ids)
    v = Visit
    visits = v.select(v.token, v.id).join(Site).where((Site.source == source) & v.token.in_(sorted(ids)))
    for name, visit in plain(visits):
        update_row(CobrowseSession, ids[name], visit_id=visit)


def of_events(ids: Sequence[int]) -> dict[int, set[str]]:
    """Return the sessions by source that have these events as steps."""
    found: dict[int, set[str]] = {}
    s, step = CobrowseSession, CobrowseStep
    for part in _parts(ids):
        query = s.select(s.source, s.external_id).join(step, on=(step.session == s.id)).distinct()
        for source, name in plain(query.where(step.event_id.in_(part))):
            found.setdefault(source, set()).add(name)
    return found


def fold_all(sessions: Mapping[int, Collection[str]]) -> None:
    """Make sessions anew by source, in the caller's transaction: events of theirs were changed or deleted."""
    for source, names in sessions.items():
        for part in _parts(sorted(names)):
            fold(source, part)


def rebuild() -> None:
    """Make all sessions anew from the log, some in a transaction."""
    s, e = CobrowseSession, Event
    known = {(source, name) for source, name in plain(s.select(s.source, s.external_id))}
    logged = plain(e.select(e.source_id, e.session).where(_OWN & e.session.is_null(False)).distinct())
    by_source: dict[int, list[str]] = {}
    for source, name in sorted(known.union(map(tuple, logged))):
        by_source.setdefault(source, []).append(name)
    for source, names in by_source.items():
        for part in _parts(names):
            with database.atomic():
                dialect.one_at_a_time(Lock.PROJECTION)
                fold(source, part)


def _begins(event: Acted) -> bool:
    return event.type.startswith("cobrowse.") and event.type in STEPS


def _known(source: int, names: Sequence[str]) -> dict[str, int]:
    return dict(_KNOWN.rows(source=source, names=list(names)))


def _delete(ids: Sequence[int]) -> None:
    if ids:
        for model in (CobrowseStep, CobrowseAgent):
            model.delete().where(model.session.in_(ids)).execute()
        CobrowseSession.delete().where(CobrowseSession.id.in_(ids)).execute()


def _add(events: Iterable[Acted], ids: Mapping[str, int]) -> None:
    """Add the steps and agents of events; those that are there stay."""
    steps = [(each.id, ids[each.session], each.time_ms, *_step(each)) for each in events]
    dialect.insert_many("cobrowse_step", COLUMNS, steps, ignore_repeats=True)
    agents = sorted({(step[1], step[5]) for step in steps if step[5] is not None})
    dialect.insert_many("cobrowse_agent", ("session_id", "user_id"), agents, ignore_repeats=True)


def _step(event: Acted) -> tuple[Any, ...]:
    """Return the values of COLUMNS from the kind on. Without `by`, what a user does is an agent's."""
    said = json.loads(event.data)
    said = said if isinstance(said, dict) else {}
    kind, by = STEPS[event.type], said.get("by")
    by_agent = kind in JOINS or (by == "agent" if by in ("agent", "customer") else event.user is not None)
    element = next((each for name in ELEMENTS if isinstance(each := said.get(name), str) and each), "")
    length = said.get("length")
    counted = isinstance(length, int) and not isinstance(length, bool) and 0 <= length <= LENGTH_MAX
    if not counted:
        typed = next((each for name in ("value", "text") if isinstance(each := said.get(name), str)), None)
        length = None if typed is None else len(typed)
    return kind, by_agent, event.user, page_of(said), element[:ELEMENT_MAX], length


def page_of(said: Mapping[str, Any]) -> str:
    """Return the address of the page that an event's data name, without query and fragment."""
    url = said.get("url")
    if not isinstance(url, str):
        return ""
    try:
        return urlsplit(url)._replace(query="", fragment="").geturl()[:PAGE_MAX]
    except ValueError:
        return url.partition("?")[0].partition("#")[0][:PAGE_MAX]


def _settle(ids: Sequence[int]) -> None:
    """Write what the steps of sessions sum up to."""
    t = CobrowseStep
    for part in _parts(ids):
        by_agent = fn.MAX(Case(None, [(t.by_agent, 1)], 0))
        sums = t.select(t.session, fn.MIN(t.time_ms), fn.MAX(t.time_ms), fn.COUNT(t.event_id), by_agent)
        for ident, first, last, number, joined in plain(sums.where(t.session.in_(part)).group_by(t.session)):
            pages = t.select(t.page).where((t.session == ident) & (t.page != ""))
            found = plain(pages.order_by(t.time_ms, t.event_id).limit(1))
            page = found[0][0] if found else ""
            values = {"first_ms": first, "last_ms": last, "steps": number, "joined": bool(joined)}
            update_row(CobrowseSession, ident, **values, page=page)


def _relate(source: int, ids: Mapping[str, int]) -> None:
    """Write the first interaction and the latest contact that events of these sessions name."""
    rows = _NAMING.rows(source=source, names=list(ids))
    contacts = contact_ids(
        source, dict.fromkeys(text for _name, _interaction, text in rows if text is not None)
    )
    found: dict[str, dict[str, Any]] = {}
    for name, interaction, text in rows:
        values = found.setdefault(name, {"interaction": None, "contact_id": None})
        values["interaction"] = values["interaction"] or interaction
        values["contact_id"] = contacts.get(text) or values["contact_id"]
    for name, ident in ids.items():
        update_row(CobrowseSession, ident, **found.get(name, {"interaction": None, "contact_id": None}))


def _parts(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
