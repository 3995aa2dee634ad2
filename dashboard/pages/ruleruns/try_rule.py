"""Tests a rule on one event: the trace of its conditions and the effect of each action; nothing is run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from flask import abort, g, request, url_for
from flask_babel import gettext as _

from dashboard import clock
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.i18n import formats
from dashboard.models import Event, Rule
from dashboard.models.rules import RuleDraft
from dashboard.pages.ruleruns import run_page
from dashboard.pages.ruleruns.run_page import Words
from dashboard.rulelang import matcher
from dashboard.rulelang import schema as definitions
from dashboard.rulelang.actions import ActionConfig
from dashboard.rulelang.fields import EventFacts
from dashboard.rulelang.matcher import Outcome, State
from dashboard.rulelang.rate_limits import By, Often
from dashboard.rulelang.schema import Definition
from dashboard.rulelang.values import Text
from dashboard.rules import active_rules, event_rows, explain, occurrences, permissions, subject_history
from dashboard.rules.action_planner import ActionPlanner, DeliveryPlan
from dashboard.rules.active_rules import LiveRule
from dashboard.rules.event_rows import EventRow
from dashboard.rules.internal_actions import Impossible
from dashboard.rules.limit_store import LimitStore
from dashboard.rules.occurrences import Occurrence
from dashboard.rules.recipients import People, Reader
from dashboard.rules.timing import deadlines
from dashboard.ruletext import names, sentences, traces
from dashboard.web.forms import one

OFFERED = 20  # events to choose from
READ = 60  # latest events of each type that are searched for those inside the scope
SHOWN = 10  # recipients whose texts are shown


class Offer(NamedTuple):
    """An event to test the rule with."""

    id: int
    label: str


class Effect(NamedTuple):
    """The effect of one action: its recipients with their texts, or the problem."""

    action: str
    limit: str
    problem: str
    held: str
    recipients: list[tuple[str, list[tuple[str, str]]]]


class OnlyVisible(People):
    """Renders the texts of all recipients with no more contact details than the viewer may see."""

    def __init__(self, viewer: Scope) -> None:
        super().__init__()
        self._viewer = viewer

    def reader(self, user_id: int | None) -> Reader | None:
        found = super().reader(user_id)
        if found is None or self._viewer.can(Permission.PII_UNMASK):
            return found
        permissions = found.scope.permissions - {Permission.PII_UNMASK}
        return replace(found, scope=replace(found.scope, permissions=permissions))

    def own(self, facts: EventFacts) -> frozenset[str]:
        return super().own(facts) if self._viewer.can(Permission.PII_UNMASK) else frozenset()


def offers(scope: Scope, rule: LiveRule, zone: str) -> list[Offer]:
    """Return the latest events of the rule's types inside the scope, newest first."""
    found: list[EventRow] = []
    for type_ in sorted(types(rule)):
        query = event_rows.columns().where(Event.type == type_)
        latest = event_rows.rows(query.order_by(Event.time_ms.desc()).limit(READ))
        found += [row for row in latest if explain.sees(scope, row)]
    found.sort(key=lambda row: (-row.time_ms, -row.id))
    return [Offer(row.id, _label(row, zone)) for row in found[:OFFERED]]


def types(rule: LiveRule) -> Iterable[str]:
    """Return the types of the events to test with: for a timer or a count those that it follows from."""
    said = rule.definition
    return deadlines.waking(rule.spec.types) if said.after or said.count else rule.spec.types


def occurrence(rule: LiveRule, event_id: int | None, scope: Scope, zone: str) -> Occurrence | None:
    """Return what the rule would be evaluated on: the event, or the timer that follows from it.

    None where the rule's types have no such event, the viewer may not see it, or no timer follows from it.
    """
    if rule.definition.schedule is not None:
        return occurrences.of_schedule(rule)
    row = subject_history.event(event_id) if event_id else None
    if row is None or row.type not in types(rule) or not explain.sees(scope, row):
        return None
    return occurrences.of_event(rule, row, zone)


def tried(scope: Scope, rule: LiveRule, tested: Occurrence, zone: str) -> dict[str, Any]:
    """Return what the test page shows."""
    found = tested.facts
    run = matcher.explain(rule.spec, found)
    obstacle = tested.obstacle if run.outcome is Outcome.MATCHED else None
    words = Words.load(scope, [], [found], [rule.definition])
    shown = run_page.reader(words, scope, rule.spec.context.zone)
    return {
        "trace": traces.line(run.trace.as_json(), rule.spec.types, shown),
        "verdict": _verdict(run.outcome) if obstacle is None else _("The conditions are met"),
        "obstacle": obstacle.render(_) if obstacle is not None else "",
        "event": run_page.event(found, words, scope),
        "effects": effects(scope, rule, found, words),
        "notes": notes(rule),
    }


def effects(scope: Scope, rule: LiveRule, found: EventFacts, words: Words) -> list[Effect]:
    people = OnlyVisible(scope)
    planner = ActionPlanner(rule, found, people, clock.now_ms())
    ledgers = LimitStore()  # never flushed
    return [_effect(n, each, planner, ledgers, words, scope) for n, each in enumerate(rule.definition.then)]


def _effect(
    n: int, doing: ActionConfig, planner: ActionPlanner, ledgers: LimitStore, words: Words, scope: Scope
) -> Effect:
    action = sentences.action_text(doing, words.names)
    limit = sentences.limit_text(doing.limit)
    try:
        planned = planner.plan(doing).parts
    except Impossible as error:
        return Effect(action, limit, _(str(error)), "", [])
    parts = [part for part in planned if not part.beside and not part.problem]
    problem = next((_(part.problem) for part in planned if part.problem), "")
    labels = {param.name: _(param.label) for param in doing.action.params if isinstance(param.kind, Text)}
    called = names.names(scope, users=[int(part.recipient) for part in parts if _is_user(part)])
    recipients = []
    for part in parts[:SHOWN]:
        name = part.recipient
        if _is_user(part):
            name = called.users.get(int(part.recipient)) or _(names.OTHER_USER)
        elif "@" in name:
            name = run_page.masked(name, scope)
        texts = [(label, str(part.payload[key])) for key, label in labels.items() if part.payload.get(key)]
        recipients.append((name, texts))
    return Effect(action, limit, problem, _held(n, doing, planner, ledgers), recipients)


def _is_user(part: DeliveryPlan) -> bool:
    return part.action == "notify" and part.recipient.isdigit()


def _held(n: int, doing: ActionConfig, planner: ActionPlanner, ledgers: LimitStore) -> str:
    """Return whether the limit blocks the action now, as a sentence; "" if it does not."""
    if doing.limit.often is Often.ALWAYS or doing.limit.by is By.RECIPIENT:
        return ""
    rule = planner.rule
    decision = ledgers.now(rule.id, n, doing.limit, planner.facts, shadow=False)
    if decision.allowed or decision.after is None:
        return ""
    if decision.after.next_ts is None:
        return str(_("It would be rate-limited now."))
    until = formats.stamp(decision.after.next_ts, rule.spec.context.zone)
    return str(_("It would be rate-limited until %(time)s.", time=until))


def notes(rule: LiveRule) -> list[str]:
    """Return what a single event cannot show: the number of times and the wait."""
    said = []
    times, wait = rule.definition.times, rule.definition.wait
    if times is not None:
        said.append(
            _(
                "The rule triggers after %(number)s occurrences within %(time)s.",
                number=formats.number(times.number),
                time=formats.duration(times.seconds),
            )
        )
    if wait is not None:
        said.append(
            _(
                "The rule waits %(time)s, then checks the conditions again.",
                time=formats.duration(wait.seconds),
            )
        )
    return [str(each) for each in said]


def _verdict(outcome: Outcome) -> str:
    return {
        Outcome.MATCHED: str(_("Matches")),
        Outcome.NOT_MATCHED: str(_("Does not match")),
        Outcome.ERROR: str(_("Error: not evaluated")),
        Outcome.LOOP_STOPPED: str(_("Matches, but stopped: the rule triggered the event itself")),
        Outcome.DEPTH_STOPPED: str(_("Matches, but stopped: too many rules in the chain")),
    }[outcome]


def _label(row: EventRow, zone: str) -> str:
    about = row.interaction or row.session or ""
    parts = (formats.stamp(row.time_ms // 1000, zone), names.type_label(row.type), about)
    return " · ".join(part for part in parts if part)


@dataclass(frozen=True)
class Candidate:
    """A rule to test. `live` is None for an invalid draft; `errors` then say why.

    `ident` is 0 for a rule that was never saved, the version of a draft is 0.
    """

    ident: int
    name: str
    owner: int | None
    live: LiveRule | None
    raw: dict[str, Any]
    draft: bool
    errors: list[str]

    @property
    def definition(self) -> Definition | None:
        return self.live.definition if self.live is not None else None

    @property
    def back_url(self) -> str:
        """Return the URL of the editor."""
        return f"/rules/{self.ident}/edit" if self.ident else "/rules/new"

    def url(self, endpoint: str, **query: Any) -> str:
        """Return a URL of this rule, with draft=1 for a draft."""
        return url_for(endpoint, ident=self.ident, draft=1 if self.draft else None, **query)


def wanted(ident: int) -> Candidate:
    """Return the rule of the URL, or with draft=1 the viewer's draft of it.

    404 for a rule that the viewer may not see, and for a draft that is not there.
    """
    rule = one(Rule, ident) if ident else None
    if rule is not None and not permissions.can_see(g.scope, rule.owner_id):
        abort(404)
    if request.values.get("draft") == "1":
        return _draft(ident, rule)
    if rule is None:
        abort(404)
    return _candidate(rule, rule.definition, draft=False)


def _draft(ident: int, rule: Rule | None) -> Candidate:
    row = RuleDraft.get_or_none((RuleDraft.user_id == g.scope.viewer_id) & (RuleDraft.rule_id == ident))
    if row is None or not isinstance(row.form.get("definition"), dict):
        abort(404)
    owner = rule.owner_id if rule is not None else _owner(row.form)
    if not permissions.can_change(g.scope, owner):
        abort(404)
    raw = row.form["definition"]
    typed = Rule(
        id=ident,
        name=str(row.form.get("name") or _("New rule"))[:120],
        owner_id=owner,
        definition=raw,
        version=0,
        state=State.ON.value,
        position=0,
        updated_by=g.scope.viewer_id,
        armed_ms=0,
    )
    return _candidate(typed, raw, draft=True)


def _owner(form: dict[str, Any]) -> int | None:
    """Return the owner of a new rule; None for a system rule, which needs the permission to edit these."""
    site = form.get("list") == "system" and g.scope.can(Permission.RULES_EDIT)
    return None if site else int(g.scope.viewer_id)


def _candidate(row: Rule, raw: dict[str, Any], draft: bool) -> Candidate:
    read = definitions.parse(raw, None)
    errors = [] if isinstance(read, Definition) else [said.render(_) for said in read.values()]
    live = active_rules.load(row) if not errors else None
    return Candidate(row.id, row.name, row.owner_id, live, raw, draft, list(dict.fromkeys(errors)))
