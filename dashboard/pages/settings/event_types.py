"""Event types: which events are recorded, which of them rules may use, and how long they are kept.

The list has the types of the catalogue and the custom ones that occurred. Its rows are no rows of a table, so
it has its own update: a save names what the page showed, and nothing is saved where somebody else has changed
one of the same switches meanwhile. Without a filter the page shows what Stopa finds out itself and what
occurred of late; the rest is a link away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from flask import Blueprint, Response, flash, g, make_response, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from dashboard import catalog, clock
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.audit import record as audit
from dashboard.catalog import EventType
from dashboard.catalog.system import FOUND_BY_STOPA
from dashboard.clock import DAY_MS
from dashboard.db import database
from dashboard.events import seen, switches
from dashboard.events.switches import Choice
from dashboard.i18n.message import N_
from dashboard.web import forms, lists
from dashboard.web.page import render

LATE_MS = 30 * DAY_MS
MOST_DAYS = 36_500
MOST_ROWS = 160  # of a filtered page, in 100 kB
OWN = "stopa"  # the group of what Stopa finds out itself, whichever group of the catalogue it is in
GROUPS = {OWN: N_("Made by Stopa itself"), **catalog.GROUPS}
TARGET = ("settings", "system_events", "System events")
SWITCHES = {
    "recorded": N_("%(type)s, record"),
    "in_rules": N_("%(type)s, use in rules"),
    "days": N_("%(type)s, retention in days"),
}
STATES = {
    "": N_("Any"),
    "seen": N_("Occurred in the last 24 hours"),
    "off": N_("Not recorded"),
    "closed": N_("Not available to rules"),
    "source": N_("Requires a source"),
}

bp = Blueprint("systemevents", __name__, url_prefix="/settings/system-events")


@dataclass(frozen=True)
class EventTypeFilter:
    text: str = ""
    group: str = ""
    state: str = ""


class EventTypeRow(NamedTuple):
    """A type with its setting, its events of the last 24 hours and the time of the latest one in ms."""

    type: EventType
    label: str
    choice: Choice
    events: int
    last_ms: int | None
    is_late: bool  # it occurred in the last 30 days

    @property
    def shown(self) -> str:
        """What the page shows, as the form sends it back: "11 30 chat.queued"."""
        days = self.choice.days or ""
        return f"{self.choice.recorded:d}{self.choice.in_rules:d} {days} {self.type.name}"

    @property
    def last(self) -> str:
        return lists.moment(None if self.last_ms is None else self.last_ms // 1000)

    def fits(self, asked: EventTypeFilter) -> bool:
        state = {
            "": True,
            "seen": self.events > 0,
            "off": not self.choice.recorded,
            "closed": not self.choice.in_rules,
            "source": self.type.needs_source,
        }
        own = self.type.name in FOUND_BY_STOPA
        in_group = own if asked.group == OWN else asked.group in ("", self.type.group)
        return in_group and state[asked.state] and lists.found(asked.text, self.label, self.type.name)


class Group(NamedTuple):
    """Types under one heading; `more` counts those of the group that are a link away."""

    key: str
    label: str
    lines: list[EventTypeRow]
    more: int


class Change(NamedTuple):
    """What was ticked and typed for a type, and what its page showed before."""

    type: str
    was: Choice
    now: Choice
    days: str  # as typed

    @property
    def problem(self) -> str:
        """What is wrong with the days, or nothing."""
        fits = not self.days or forms.whole(self.days, 1, MOST_DAYS) is not None
        return "" if fits else f"{_name(self.type)}: {forms.whole_problem(1, MOST_DAYS)}"


@bp.get("")
@require(Permission.SYSTEM_EVENTS_VIEW)
def index() -> Response:
    return _page()


@bp.post("")
@require(Permission.SYSTEM_EVENTS_EDIT)
def update() -> Response:
    """Save the switches of all types that the page showed."""
    changes = parse(request.form)
    typed = {each.type: each for each in changes}
    if problems := {f"days.{each.type}": each.problem for each in changes if each.problem}:
        return _page(typed, problems=problems, status=422)
    if stale := save(changes):
        return _page(typed, _both(stale), status=422)
    flash(_("Saved."), "ok")
    kept: dict[str, Any] = {
        key: request.args[key] for key in ("q", "group", "state") if request.args.get(key)
    }
    return make_response(redirect(url_for(".index", **kept)))


def parse_filter(args: Mapping[str, str]) -> EventTypeFilter:
    """Return the filter of an address; what it cannot mean is no filter."""
    group, state = args.get("group", ""), args.get("state", "")
    return EventTypeFilter(
        lists.needle(args), group if group in GROUPS else "", state if state in STATES else ""
    )


def parse(form: MultiDict[str, str]) -> list[Change]:
    """Return the changes of a form: types that were shown one way and are ticked or typed another.

    What the form did not show stays as it is, so nothing is switched off by a list that was filtered.
    """
    recorded, in_rules = set(form.getlist("recorded")), set(form.getlist("rules"))
    changes = []
    for name, was in dict(_shown(form.getlist("was"))).items():
        days = forms.text(form, f"days.{name}")
        now = Choice(name in recorded, name in in_rules, forms.whole(days, 1, MOST_DAYS))
        each = Change(name, was, now, days)
        if was != now or each.problem:
            changes.append(each)
    return changes


def save(changes: Sequence[Change]) -> list[Change]:
    """Store the choices, all or none; return those that somebody has changed otherwise meanwhile."""
    with database.atomic():
        stored = {each.type: switches.choice(each.type) for each in changes}
        if stale := [each for each in changes if stored[each.type] not in (each.was, each.now)]:
            return stale
        entry: dict[str, tuple[Any, Any]] = {}
        for each in changes:
            differing = audit.differences(stored[each.type]._asdict(), each.now._asdict())
            if differing:
                switches.choose(each.type, each.now)
                entry |= {f"{each.type} {name}": values for name, values in differing.items()}
        if entry:
            audit.record("settings.updated", "u", TARGET, entry)
    return []


def groups(asked: EventTypeFilter, now_ms: int) -> list[Group]:
    """Return the groups with the types that fit the filter, both by label; empty groups are left out.

    Without a filter these are the types that Stopa finds out itself, then those of late in each group. With
    one, groups beyond MOST_ROWS rows have no lines, so that a page stays small.
    """
    rows = [row for row in _rows(now_ms) if row.fits(asked)]
    if asked != EventTypeFilter():
        return _within(_grouped(rows, asked.group))
    own = [row for row in rows if row.type.name in FOUND_BY_STOPA]
    late = [row for row in rows if row.is_late and row.type.name not in FOUND_BY_STOPA]
    sizes = {key: sum(row.type.group == key for row in rows) for key in catalog.GROUPS}
    found = {group.key: group for group in _grouped(late)}
    every = [
        found.get(key) or Group(key, _(label), [], 0) for key, label in catalog.GROUPS.items() if sizes[key]
    ]
    rest = lists.by_name(every, lambda group: group.label)
    return [
        *_grouped(sorted(own, key=lambda row: not row.is_late), OWN),
        *(group._replace(more=sizes[group.key] - len(group.lines)) for group in rest),
    ]


def _within(found: Sequence[Group]) -> list[Group]:
    rows, kept = 0, []
    for group in found:
        rows += len(group.lines)
        fits = rows <= MOST_ROWS or group is found[0]
        kept.append(group if fits else group._replace(lines=[], more=len(group.lines)))
    return kept


def _grouped(rows: Iterable[EventTypeRow], only: str = "") -> list[Group]:
    """Return the groups of the rows by label, or one group `only`; the order of the rows is kept."""
    found: dict[str, list[EventTypeRow]] = {}
    for row in rows:
        found.setdefault(only or row.type.group, []).append(row)
    made = [Group(key, _(GROUPS[key]), lines, 0) for key, lines in found.items()]
    return lists.by_name(made, lambda group: group.label)


def _rows(now_ms: int) -> list[EventTypeRow]:
    """Return all types by label: of the catalogue, and the custom ones that occurred or are switched."""
    chosen, last = switches.choices(), seen.last_times()
    others = {name for name in (*chosen, *last) if name.startswith(catalog.CUSTOM)}
    types = [*catalog.CATALOG.values(), *filter(None, map(catalog.find, others))]
    counts = seen.last_day([name for name, time_ms in last.items() if time_ms >= now_ms - DAY_MS], now_ms)
    rows = [
        EventTypeRow(
            type_,
            _name(type_.name),
            chosen.get(type_.name) or switches.default(type_.name),
            counts.get(type_.name, 0),
            last.get(type_.name),
            last.get(type_.name, 0) >= now_ms - LATE_MS,
        )
        for type_ in types
    ]
    return lists.by_name(rows, lambda row: row.label)


def _shown(values: Iterable[str]) -> Iterable[tuple[str, Choice]]:
    """Yield the types that the page showed: "11 30 chat.queued" was recorded, open to rules, kept 30 days."""
    for value in values:
        marks, _space, rest = value.partition(" ")
        days, _space, name = rest.partition(" ")
        known = catalog.find(name)
        if len(marks) == 2 and known is not None and known.name == name:
            yield name, Choice(marks[0] == "1", marks[1] == "1", forms.whole(days, 1, MOST_DAYS))


def _name(type_: str) -> str:
    known = catalog.find(type_)
    return type_ if known is None or known.group == "custom" else str(_(known.label))


def _page(
    typed: Mapping[str, Change] | None = None,
    differing: Sequence[forms.Both] | None = None,
    problems: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    asked = parse_filter(request.args)
    named = lists.by_name(catalog.GROUPS.items(), lambda pair: _(pair[1]))
    found = groups(asked, clock.now_ms())
    return render(
        "systemevents/index.html",
        {"result"},
        status,
        asked=asked,
        differing=differing,
        problems=problems or {},
        typed=typed or {},
        groups=[group for group in found if group.lines],
        unseen=[group for group in found if not group.lines],
        states=[(key, _(label)) for key, label in STATES.items()],
        named=[("", _("All")), (OWN, _(GROUPS[OWN]))] + [(key, _(label)) for key, label in named],
        filtered=asked != EventTypeFilter(),
        may_edit=g.scope.can(Permission.SYSTEM_EVENTS_EDIT),
    )


def _both(stale: Sequence[Change]) -> list[forms.Both]:
    """Return what is stored now beside what was ticked, for the switches that differ."""
    found = []
    for each in stale:
        labels = {name: _(text, type=_name(each.type)) for name, text in SWITCHES.items()}
        found += forms.both(labels, switches.choice(each.type)._asdict(), each.now._asdict())
    return found
