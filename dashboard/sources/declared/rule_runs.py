"""The source of rule runs: evaluations of rules on events and deadlines, with what came of their actions.

A viewer sees the runs of rules that they may see, about what lies in their scope: `rules.permissions` and
`ruletext.run_scope` say the same for single runs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from flask_babel import gettext as _

from dashboard import catalog
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.catalog.channels import CHANNELS
from dashboard.db import database
from dashboard.i18n.message import N_
from dashboard.models import Interaction, Queue, User
from dashboard.models import Source as Origin
from dashboard.rulelang.outcomes import ACTED, RUN_LABELS, StepState
from dashboard.rulelang.subjects import SubjectKind, SubjectName, of_user
from dashboard.sources import display
from dashboard.sources.declared.entities import yes
from dashboard.sources.types import Entity, Field, Source, Type

RULE = "u"  # alias of the table of rules
TYPE_LABELS = {each.name: each.label for each in catalog.CATALOG.values()}
NONE = display.Name("", "")
FAILED = (StepState.FAILED, StepState.DEAD, StepState.UNCERTAIN)


def among(column: str, values: Collection[Any]) -> str:
    """Return the condition that a column has one of these values, which are numbers or enums."""
    shown = ", ".join(f"'{each}'" if isinstance(each, str) else str(each) for each in sorted(values))
    return f"{column} IN ({shown or 'NULL'})"


def rule_seen(scope: Scope, owner: str = f"{RULE}.owner_id", ident: str = f"{RULE}.id") -> str:
    """Return the condition on a rule that keeps to those whose runs the viewer may see."""
    kinds = []
    if scope.can(Permission.RULES_OWN):
        kinds.append(f"{owner} = {scope.viewer_id}")
    if scope.can(Permission.RULES_TRACES) and scope.can(Permission.RULES_VIEW):
        kinds.append(f"({owner} IS NULL AND {ident} IS NOT NULL)")
    if scope.can(Permission.RULES_TRACES) and scope.can(Permission.RULES_OVERSEE):
        kinds.append(f"{owner} <> {scope.viewer_id}")
    return f"({' OR '.join(kinds) or '1 = 0'})"


def rule_names(scope: Scope, ids: Collection[Any] | None) -> Mapping[Any, str]:
    """Return the names of these rules, or of all whose runs the viewer may see."""
    where = rule_seen(scope) if ids is None else among(f"{RULE}.id", ids)
    return dict(database.execute_sql(f'SELECT u.id, u.name FROM "rule" {RULE} WHERE {where}').fetchall())


def _covered(scope: Scope) -> str:
    """Return the condition that keeps runs to events, or without one to subjects, in the viewer's scope."""
    if scope.is_whole:
        return "1 = 1"
    viewer, users, queues = scope.viewer_id, "e.user_id IS NOT NULL", "1 = 1"
    if scope.users is not None:
        users = among("e.user_id", scope.users | {viewer})
    if scope.queues is not None:
        queues = among("e.queue_id", scope.queues)
    idle = "(e.queue_id IS NULL AND e.interaction IS NULL)"  # of a user and no work
    subjects = [f"r.subject LIKE '{SubjectKind.RULE}:%'", f"r.subject = '{of_user(viewer)}'"]
    for kind, ids in ((SubjectKind.USER, scope.users), (SubjectKind.QUEUE, scope.queues)):
        names = [str(SubjectName(kind, str(ident))) for ident in ids or ()]
        subjects.append(f"r.subject LIKE '{kind}:%'" if ids is None else among("r.subject", names))
    return (
        f"(({users} AND (e.user_id = {viewer} OR {idle} OR {queues}))"
        f" OR (e.user_id IS NULL AND e.queue_id IS NOT NULL AND {queues})"
        f" OR (e.id IS NULL AND ({' OR '.join(subjects)})))"
    )


def subject_names(scope: Scope, subjects: Collection[Any] | None) -> Mapping[Any, str]:
    """Return what runs are about: a user, a queue, or an interaction as its channel, queue and contact.

    Contacts are masked as the scope says, and left out where the viewer may not see the interaction. One that
    is not stored, and a session, have their id.
    """
    found = {each: SubjectName.parse(each) for each in subjects or ()}
    ids = {
        kind: {each.number or 0 for each in found.values() if each and each.kind is kind}
        for kind in (SubjectKind.USER, SubjectKind.QUEUE)
    }
    stored = _interactions([each for each in found.values() if each and each.kind is SubjectKind.INTERACTION])
    queues = ids[SubjectKind.QUEUE] | {each.queue_id for each in stored.values() if each.queue_id}
    contacts = {each.contact_id for each in stored.values() if each.contact_id}
    allowed = Queue.select(Queue.id).where(Queue.id.in_(sorted(queues)) & scope.allows_queue(Queue.id))
    visible = User.select(User.id).where(User.id.in_(sorted(ids[SubjectKind.USER])) & scope.allows(User.id))
    of_queues = display.named(scope, Type.QUEUE, {row[0] for row in allowed.tuples()})
    of_users = display.named(scope, Type.USER, {row[0] for row in visible.tuples()})
    of_contacts = display.named(scope, Type.CONTACT, contacts)

    def interaction(about: SubjectName, row: Interaction | None) -> str:
        if row is None:
            return about.ident
        hidden = scope.queues is not None and row.queue_id not in of_queues
        queue = (
            str(_("another queue"))
            if hidden and row.queue_id
            else of_queues.get(row.queue_id or 0, NONE).shown
        )
        contact = "" if hidden else of_contacts.get(row.contact_id or 0, NONE).shown
        number = about.ident if row.channel == "ticket" or not (hidden or contact) else ""
        channel = str(_(CHANNELS[row.channel])) if row.channel in CHANNELS else ""
        return str(_(", ")).join(filter(None, [channel, queue, contact, number])) or about.ident

    def text(about: SubjectName | None) -> str:
        if about is None or about.kind is SubjectKind.RULE:
            return str(_("No item"))
        if about.kind is SubjectKind.USER:
            return of_users.get(about.number or 0, NONE).shown or str(_("another user"))
        if about.kind is SubjectKind.QUEUE:
            return of_queues.get(about.number or 0, NONE).shown or str(_("another queue"))
        if about.kind is SubjectKind.SESSION:
            return str(_("Session %(id)s", id=about.ident))
        return interaction(about, stored.get(about))

    return {each: text(about) for each, about in found.items()}


def _interactions(subjects: Collection[SubjectName]) -> dict[SubjectName, Interaction]:
    """Return the stored interactions that these subjects name."""
    names = {each.source for each in subjects}
    sources = dict(Origin.select(Origin.name, Origin.id).where(Origin.name.in_(sorted(names))).tuples())
    keys = {(sources[each.source], each.ident): each for each in subjects if each.source in sources}
    found: dict[SubjectName, Interaction] = {}
    for source in {source for source, _ident in keys}:
        idents = sorted(ident for of, ident in keys if of == source)
        for row in Interaction.select().where(
            (Interaction.source == source) & Interaction.external_id.in_(idents)
        ):
            found[keys[source, row.external_id]] = row
    return found


def error_texts(scope: Scope, errors: Collection[Any] | None) -> Mapping[Any, str]:
    """Return stored messages in the reader's language."""
    return {each: str(_(each)) if each else "" for each in errors or ()}


def _steps(states: Collection[str]) -> str:
    """Return the number of a run's actions in one of these states, as SQL."""
    return f'(SELECT count(*) FROM "step" s WHERE s.run_id = r.id AND {among("s.state", states)})'


RUN_FIELDS = (
    Field("id", N_("Run"), Type.ID, "r.id"),
    Field("started", N_("Evaluated at"), Type.MOMENT, "r.made_ms", scale=1000),
    Field("time", N_("Time of the event"), Type.MOMENT, "r.at_ms", scale=1000),
    Field("rule", N_("Rule"), Type.ID, "r.rule_id", texts=rule_names),
    Field("subject", N_("Item"), Type.TEXT, "r.subject", texts=subject_names),
    # Joined to nothing, so that the index of outcomes is not chosen: it would sort all rows of one.
    Field(
        "outcome",
        N_("Outcome"),
        Type.CHOICE,
        "(r.outcome || '')",
        {str(key): label for key, label in RUN_LABELS.items()},
    ),
    Field("acted", N_("Triggered"), Type.YES_NO, yes(among("r.outcome", ACTED))),
    Field("event_type", N_("Event type"), Type.TEXT, "e.type", TYPE_LABELS),
    Field("event", N_("Event"), Type.ID, "r.event_id"),
    Field("done", N_("Actions done"), Type.NUMBER, _steps((StepState.DONE,))),
    Field("failed", N_("Actions failed"), Type.NUMBER, _steps(FAILED)),
    Field("waiting", N_("Actions waiting"), Type.NUMBER, _steps((StepState.WAITING, StepState.RUNNING))),
    Field("held", N_("Actions rate-limited"), Type.NUMBER, "r.held"),
    Field("late", N_("Delayed by"), Type.DURATION, "r.late_s"),
    Field("version", N_("Version"), Type.NUMBER, "r.version"),
    Field("error", N_("Error"), Type.TEXT, "r.error", texts=error_texts),
)
RULE_ENTITY = Entity(
    "of_rule",
    N_("Rule"),
    N_("Rules"),
    f"{RULE}.id",
    (
        Field("name", N_("Name"), Type.TEXT, f"{RULE}.name"),
        Field("owner", N_("Owner"), Type.USER, f"{RULE}.owner_id"),
        Field("active", N_("Active"), Type.YES_NO, yes(f"{RULE}.state = 'on'")),
    ),
)
RULE_RUNS = Source(
    "rule_runs",
    f'"run" r LEFT JOIN "event" e ON e.id = r.event_id LEFT JOIN "rule" {RULE} ON {RULE}.id = r.rule_id',
    (Entity("run", N_("Run"), N_("Runs"), "r.id", RUN_FIELDS), RULE_ENTITY),
    moment="started",
    grain=N_("One row is one run of a rule."),
    permission=Permission.RULES_TRACES,
    scoped=lambda scope: f"{rule_seen(scope)} AND {_covered(scope)}",
    searched=("r.subject", "r.error"),
)
