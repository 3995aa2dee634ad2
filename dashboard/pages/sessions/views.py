"""The lists of co-browsing sessions and of actions in them, and the page of one session with its files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from flask import Blueprint, Response, abort, g, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from dashboard import clock
from dashboard.access.guard import MissingPermission, require
from dashboard.access.permissions import Permission
from dashboard.audit import record as audit
from dashboard.audit.subjects import Seen
from dashboard.exports.table import file_name
from dashboard.i18n import formats, zone
from dashboard.i18n.message import N_, Message, message
from dashboard.models import Interaction
from dashboard.pages.sessions import files, queries, timeline, words
from dashboard.pages.sessions.queries import Found, Step
from dashboard.sources.catalogue import COBROWSING, SESSIONS
from dashboard.sources.declared.cobrowsing import ACTORS, KINDS
from dashboard.tracing import logged
from dashboard.web import listing_files
from dashboard.web.deliver import LABELS, deliver, export_links
from dashboard.web.errors import Detail
from dashboard.web.forms import ID_MAX
from dashboard.web.listing import Listing
from dashboard.web.lists import here
from dashboard.web.page import render, row_url

bp = Blueprint("sessions", __name__)

ROWS = 30  # of the table of steps at once
NOT_A_STEP = N_("Step: choose a number from 1 to %(last)s.")
NOT_A_KIND = N_("Action: choose one of %(names)s.")
LISTING = Listing(
    SESSIONS,
    N_("Co-browsing sessions"),
    N_("What customers and agents did together on your web sites."),
    columns=("start", "name", "contact", "agents", "page", "steps", "duration"),
    bar=("agent.user", "action.kind", "joined"),
    rare=("queue", "source"),
    count=lambda number: ngettext("%(num)d session", "%(num)d sessions", number),
    none=N_("No co-browsing sessions in this period"),
    of_sources=True,
    none_hint=N_("Choose another period, or remove filters."),
    links={
        "start": lambda key, _value: row_url("sessions.show", key),
        "name": lambda key, _value: row_url("sessions.show", key),
    },
    above="sessions/_above.html",
)
ACTIONS = Listing(
    COBROWSING,
    N_("Co-browsing actions"),
    N_("Every click, input and page change in co-browsing, newest first."),
    columns=("time", "session", "by", "user", "kind", "element", "page", "length"),
    bar=("kind", "by", "user"),
    rare=("queue", "source"),
    count=lambda number: ngettext("%(num)d action", "%(num)d actions", number),
    none=N_("No co-browsing actions in this period"),
    of_sources=True,
    none_hint=N_("Choose another period, or remove filters."),
    links={"session": lambda _key, value: row_url("sessions.show", value)},
    above="sessions/_above.html",
)
LISTINGS = (LISTING, ACTIONS)
listing_files.routes(bp, "/sessions", LISTING)
listing_files.routes(bp, "/sessions/actions", ACTIONS, "actions")


class Asked(NamedTuple):
    """What an address asks of a session: the steps of kinds and of an actor, and whether typed values are
    shown."""

    kinds: tuple[str, ...]
    by: str
    values: bool

    def chosen(self, steps: Sequence[Step]) -> list[Step]:
        return [
            one for one in steps if (not self.kinds or one.kind in self.kinds) and self.by in ("", one.by)
        ]


def asked() -> Asked:
    """Return what the request asks. Answers 400 where it is not understood, 403 where values may not be."""
    kinds = tuple(filter(None, request.args.getlist("kind")))
    by = request.args.get("by", "")
    for given, known in ((kinds, KINDS), ((by,), ("", *ACTORS))):
        if not set(given) <= set(known):
            _refuse(message(NOT_A_KIND, names=", ".join(filter(None, known))))
    values = request.args.get("values") == "1"
    if values and not g.scope.can(Permission.COBROWSE_VALUES):
        raise MissingPermission(Permission.COBROWSE_VALUES)
    return Asked(kinds, by, values)


def _refuse(why: Message) -> None:
    abort(400, Detail(why.render(_)))


def _found(ident: int) -> Found:
    found = queries.session(g.scope, ident, zone()) if ident <= ID_MAX else None
    if found is None:
        abort(404)
    return found


def _look(found: Found, values: bool) -> Seen:
    """Record a look at a session; return whose data it shows."""
    seen = Seen({user for user in found.users if g.scope.sees(user)})
    target = ("cobrowsing", found.row.id, found.row.external_id)
    audit.viewed("cobrowsing.viewed", target, {"source": found.source}, seen)
    if values:
        audit.viewed("cobrowsing.unmasked", target, {"source": found.source}, seen)
    return seen


@bp.get("/sessions/<int:ident>")
@require(Permission.SESSIONS_VIEW)
def show(ident: int) -> Response:
    """Show one session: its lanes, one step, and the steps around it."""
    found, given, in_zone = _found(ident), asked(), zone()
    steps = queries.steps(ident)
    chosen = given.chosen(steps)
    current = _current(steps, chosen)
    _look(found, given.values)
    place = next((at for at, one in enumerate(chosen) if one.n >= current.n), len(chosen))
    begin = place // ROWS * ROWS
    shown = chosen[begin : begin + ROWS]
    drawn = timeline.draw(steps, chosen, current, in_zone)
    around = list(dict.fromkeys([current, *shown, *(mark.step for mark in drawn.marks)]))
    values = queries.values(g.scope, found, around) if given.values else {}
    lines = {line.step: line for line in words.lines(found, around, values, in_zone)}
    return render(
        "sessions/show.html",
        {"session"},
        found=found,
        zone=in_zone,
        last=steps[-1],
        drawing=drawn,
        titles=words.titles(drawn.stays),
        words=words,
        link=_step,
        all_lines=lines,
        current=lines[current],
        lines=[lines[one] for one in shown],
        steps=_links(chosen, current),
        earlier=_step(chosen[begin - ROWS].n) if begin else None,
        later=_step(chosen[begin + ROWS].n) if begin + ROWS < len(chosen) else None,
        cut=len(steps) < found.row.steps,
        actors=_actors(steps, given),
        kinds=_kinds(steps, given),
        facts=_facts(found, in_zone),
        interaction=logged.page_of(g.scope, Interaction.source == found.row.source_id, found.row.interaction),
        day=clock.local_date(found.row.first_ms // 1000, in_zone).isoformat(),
        traced=g.scope.can(Permission.TRACING_VIEW),
        visited=g.scope.can(Permission.VISITORS_VIEW),
        values_url=_values_url(given),
        shows_values=given.values,
        exports=export_links(files.NAME, ident=ident, **_query(given)),
    )


def _current(steps: Sequence[Step], chosen: Sequence[Step]) -> Step:
    """Return the step of the address, by default the first that is chosen."""
    text = request.args.get("step", "")
    if not text:
        return (chosen or steps)[0]
    number = int(text) if text.isdecimal() and len(text) < 10 else 0
    if not 0 < number <= len(steps):
        _refuse(message(NOT_A_STEP, last=len(steps)))
    return steps[number - 1]


def _step(number: int) -> str:
    return here(step=str(number))


def _links(chosen: Sequence[Step], current: Step) -> dict[str, str | None]:
    """Return where the first, the one before, the next and the last chosen step are; None for nowhere."""
    before = [one.n for one in chosen if one.n < current.n]
    after = [one.n for one in chosen if one.n > current.n]
    places = {"first": before[:1], "back": before[-1:], "next": after[:1], "last": after[-1:]}
    return {name: _step(found[0]) if found else None for name, found in places.items()}


def _actors(steps: Sequence[Step], given: Asked) -> list[tuple[str, str, bool, int]]:
    """Return label, address, whether it is chosen and number of steps of each actor, and of all."""
    number = Counter(one.by for one in given._replace(by="").chosen(steps))
    links = [(str(_("All")), here(("by", "step")), not given.by, number.total())]
    return links + [
        (str(_(label)), here(("step",), by=name), given.by == name, number[name])
        for name, label in ACTORS.items()
    ]


def _kinds(steps: Sequence[Step], given: Asked) -> list[tuple[str, str, bool, int]]:
    """Return the same of each kind that occurs."""
    number = Counter(one.kind for one in given._replace(kinds=()).chosen(steps))
    links = [(str(_("All")), here(("kind", "step")), not given.kinds, number.total())]
    return links + [
        (str(_(label)), here(("step",), kind=name), name in given.kinds, number[name])
        for name, label in KINDS.items()
        if number[name] or name in given.kinds
    ]


def _facts(found: Found, in_zone: str) -> list[tuple[str, str]]:
    row = found.row
    return [
        (_("Start"), formats.stamp(row.first_ms // 1000, in_zone)),
        (_("End"), formats.stamp(row.last_ms // 1000, in_zone)),
        (_("Queue"), found.queue),
        (_("Source"), found.source),
        (_("First page"), row.page),
        (_("Session ID"), row.external_id if row.visit_id else ""),
    ]


def _values_url(given: Asked) -> str | None:
    """Return where typed values are shown, or hidden again; None for who may not see them."""
    if not g.scope.can(Permission.COBROWSE_VALUES):
        return None
    return here(("values",)) if given.values else here((), values="1")


def _query(given: Asked) -> dict[str, Any]:
    query: Mapping[str, Any] = {
        "kind": list(given.kinds),
        "by": given.by,
        "values": "1" if given.values else "",
    }
    return {name: value for name, value in query.items() if value}


@bp.get("/sessions/<int:ident>.<format_>")
@require(Permission.SESSIONS_VIEW)
def download(ident: int, format_: str) -> Response:
    """Answer with the steps of a session as a file."""
    if format_ not in LABELS:
        abort(404)
    found, given = _found(ident), asked()
    query = {
        "id": str(ident),
        "kind": "\n".join(given.kinds),
        "by": given.by,
        "values": str(int(given.values)),
    }
    day = clock.local_date(found.row.first_ms // 1000, zone())
    seen = _look(found, given.values)
    name = file_name("session", found.row.external_id, day, format_)
    return deliver(files.NAME, query, format_, name, found.row.steps, "report.exported", seen=seen)


@bp.context_processor
def tabs() -> dict[str, Any]:
    """Return the tabs above both lists."""
    given = (("sessions.index", LISTING.title), ("sessions.actions", ACTIONS.title))
    return {
        "session_tabs": [(_(title), url_for(name), name == request.endpoint, None) for name, title in given]
    }
