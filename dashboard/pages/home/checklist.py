"""The set-up checklist of Home: steps that the database ticks, for whoever administers roles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import peewee
from flask import current_app, url_for
from flask_babel import gettext as _
from peewee import fn

from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.db.prepared import plain
from dashboard.i18n.message import N_
from dashboard.ingest.imports import sample_data
from dashboard.models import PauseType, Queue, Rule, Setting, Source, TeamLead, TypeSwitch, User, UserIdentity
from dashboard.web import lists

SEEING = Permission.ACCESSES_EDIT
NAME = "checklist"  # of the setting: keys of steps that are not needed, and HIDDEN
HIDDEN = "hidden"
TARGET = ("settings", NAME, "Set-up")
DATA = "data"


class Step(NamedTuple):
    """A step, the page where it is done, and the query that has rows once it is."""

    key: str
    label: str
    hint: str
    verb: str
    endpoint: str
    query: dict[str, Any]
    done: Callable[[], Any]


def _own_data() -> Any:
    return lists.sources_with_data().where(Source.name != sample_data.NAME)


def _named_queues() -> Any:
    q = Queue
    made = (q.label != q.name) | (q.sla_seconds != q.sla_seconds.default)
    return q.select(q.id).where((q.version > 1) | (made & ~q.name.startswith(sample_data.PREFIX)))


def _pause_types() -> Any:
    return PauseType.select(PauseType.id).where(~PauseType.name.startswith(sample_data.PREFIX))


def _signing_in() -> Any:
    """Return the second user who can sign in."""
    first = User.alias("first")
    can = User.password_hash.is_null(False) | User.id.in_(UserIdentity.select(UserIdentity.user))
    least = first.select(fn.MIN(first.id)).where(first.password_hash.is_null(False))
    return User.select(User.id).where(can & (User.id > least))


def _mail_server() -> Any:
    return current_app.config["STOPA"].smtp_url != ""


STEPS = (
    Step(
        DATA,
        N_("Bring data in"),
        N_(
            "Import a log or a table. To receive events live, follow a log, or add a connector or an API key."
        ),
        N_("Import a file"),
        lists.BRING,
        {},
        _own_data,
    ),
    Step(
        "queues",
        N_("Name queues and set targets"),
        N_("Give each queue a label and the time within which contacts are answered."),
        N_("Open queues"),
        "queues.index",
        {},
        _named_queues,
    ),
    Step(
        "pauses",
        N_("Add pause types"),
        N_("Define which pauses are paid and how long they can take."),
        N_("Add a pause type"),
        "pauses.new",
        {},
        _pause_types,
    ),
    Step(
        "teams",
        N_("Set up teams and leads"),
        N_("Team leads can see the tracing of their team members."),
        N_("Add a team"),
        "teams.new",
        {},
        lambda: TeamLead.select(TeamLead.team),
    ),
    Step(
        "roles",
        N_("Choose who can see what"),
        N_("Give users a role and a password. Users without a role can't sign in."),
        N_("Open users"),
        "users.index",
        {},
        _signing_in,
    ),
    Step(
        "events",
        N_("Choose which system events are recorded"),
        N_("Turn off event types that you don't want to keep or use in rules."),
        N_("Open system events"),
        "systemevents.index",
        {},
        lambda: TypeSwitch.select(TypeSwitch.type),
    ),
    Step(
        "rules",
        N_("Add starter rules"),
        N_("Ready-made rules notify you of abandoned calls, long waits and long pauses."),
        N_("Open the starter set"),
        "rules.starter_set",
        {"list": "system"},
        lambda: Rule.select(Rule.id),
    ),
    Step(
        "mail",
        N_("Set up email"),
        N_("Set STOPA_SMTP_URL and restart Stopa to send notifications and reports by email."),
        N_("Open general settings"),
        "general.index",
        {},
        _mail_server,
    ),
)
KEYS = (*(step.key for step in STEPS), HIDDEN)


class Line(NamedTuple):
    """A step as the viewer sees it; `url` is its page."""

    key: str
    label: str
    hint: str
    verb: str
    url: str
    done: bool
    needed: bool

    @property
    def is_open(self) -> bool:
        return self.needed and not self.done


class Checklist(NamedTuple):
    """`has_data` says that there is something to see: data of a source, or the sample."""

    lines: tuple[Line, ...]
    hidden: bool
    has_data: bool
    sample: bool

    @property
    def finished(self) -> int:
        return sum(not line.is_open for line in self.lines)


def read(scope: Scope) -> Checklist | None:
    """Return the steps whose pages the viewer can open; None without the right, or with no step left."""
    if not scope.can(SEEING):
        return None
    kept, done = _kept(), _done()
    views = current_app.view_functions
    lines = tuple(
        Line(
            step.key,
            _(step.label),
            _(step.hint),
            _(step.verb),
            url_for(step.endpoint, **step.query),
            done[step.key],
            step.key not in kept,
        )
        for step in STEPS
        if scope.permissions.intersection(getattr(views[step.endpoint], "permissions"))  # noqa: B009
    )
    if not any(line.is_open for line in lines):
        return None
    sample = sample_data.is_loaded()
    return Checklist(lines, HIDDEN in kept, done[DATA] or sample, sample)


def mark(key: str, on: bool) -> None:
    """Mark a step as not needed, or with HIDDEN hide the checklist; undo it unless `on`.

    Raises ValueError for another key.
    """
    if key not in KEYS:
        raise ValueError(key)
    with database.atomic():
        before = _kept()
        after = before | {key} if on else before - {key}
        if after != before:
            Setting.put(NAME, " ".join(sorted(after)))
            audit.record("settings.updated", "u", TARGET, {key: (not on, on)})


def hide_at_first() -> None:
    """Hide the checklist of data that are made up, unless it has been shown or hidden before."""
    Setting.insert(name=NAME, value=HIDDEN).on_conflict_ignore().execute()


def _kept() -> frozenset[str]:
    stored = Setting.select(Setting.value).where(Setting.name == NAME).scalar()
    return frozenset((stored or "").split())


def _done() -> dict[str, bool]:
    """Return by key whether each step is done, with one statement."""
    found = {step.key: step.done() for step in STEPS}
    asked = {key: query for key, query in found.items() if not isinstance(query, bool)}
    (row,) = plain(peewee.Select(columns=[fn.EXISTS(query) for query in asked.values()]))
    return {**found, **{key: bool(value) for key, value in zip(asked, row, strict=True)}}
