"""View models of runs, steps and events, in the language of the reader."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from flask_babel import gettext as _

from dashboard.access import masking
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.i18n import formats, site_zone
from dashboard.models import Rule, RuleVersion, Run, Step
from dashboard.notify import letter
from dashboard.pages.ruleruns import queries
from dashboard.rulelang import schema as definitions
from dashboard.rulelang import subjects, text_templates
from dashboard.rulelang.actions import ACTIONS
from dashboard.rulelang.fields import EventFacts
from dashboard.rulelang.outcomes import RUN_LABELS, STEP_LABELS, RunOutcome, StepState
from dashboard.rulelang.schema import Definition
from dashboard.rulelang.subjects import SubjectName
from dashboard.rulelang.text_templates import Names
from dashboard.rules import event_facts
from dashboard.rules.runs import EDITED
from dashboard.ruletext import names as rule_names
from dashboard.ruletext import sentences, traces
from dashboard.ruletext.run_scope import BADGES, STEP_BADGES
from dashboard.ruletext.traces import Line as TraceLine
from dashboard.sources.declared.rule_runs import subject_names
from dashboard.tracing import logged


class Words(NamedTuple):
    """Names by id; ids outside the reader's scope have none."""

    names: Names

    @classmethod
    def load(
        cls,
        scope: Scope,
        subjects: Iterable[str] = (),
        seen: Iterable[EventFacts] = (),
        definitions: Iterable[Definition] = (),
        rules: Iterable[int] = (),
    ) -> Words:
        """Return the names of these subjects and rules, and of all that facts and definitions mention."""
        ids: dict[str, set[int]] = {"user": set(), "queue": set(), "user.team": set()}
        for subject in subjects:
            about = SubjectName.parse(subject)
            if about is not None and about.kind in ids:
                ids[about.kind].add(about.number or 0)
        for facts in seen:
            for name, known in ids.items():
                value = facts[name]
                known.update(
                    each for each in (value if isinstance(value, list) else [value]) if isinstance(each, int)
                )
        return cls(rule_names.names(scope, definitions, ids["user"], ids["queue"], ids["user.team"], rules))

    @property
    def rules(self) -> Mapping[int, str]:
        return self.names.rules

    def type(self, name: str | None) -> str:
        return rule_names.type_label(name) if name else "–"

    def outcome(self, outcome: str) -> str:
        return str(_(RUN_LABELS[RunOutcome(outcome)]))

    def recipient(self, step: Step, scope: Scope) -> str:
        """Return the recipient of a step: the name of a user or channel, or an address; "" for none."""
        user = reader_of(step)
        if user is not None:
            return self.names.users.get(user) or _(rule_names.OTHER_USER)
        if step.channel_id is not None:
            return self.names.channels.get(step.channel_id) or step.recipient
        full = scope.can(Permission.PII_UNMASK) or "@" not in step.recipient
        return str(step.recipient if full else masking.email(step.recipient))


def reader_of(step: Step) -> int | None:
    """Return the id of the user who receives a notification or email; None if there is none."""
    user = step.payload.get("user") if step.action in ("notify", "email") else None
    return user if isinstance(user, int) else None


class StepRow(NamedTuple):
    """An action of a run for one recipient; `texts` are what was sent, (label, text)."""

    action: str
    recipient: str
    state: str
    badge: str
    attempts: int
    time: str
    receipt: str
    error: str
    texts: list[tuple[str, str]]


class Of(NamedTuple):
    """The run that steps belong to: its version of the rule and its event, where they are kept."""

    scope: Scope
    words: Words
    said: Definition | None
    event: EventFacts | None


def row(found: Step, run: Of, zone: str) -> StepRow:
    known = ACTIONS.get(found.action)
    state = StepState(found.state)
    ended = found.done_ms or found.due_ms or found.made_ms
    return StepRow(
        _(known.label) if known else found.action,
        run.words.recipient(found, run.scope),
        _(STEP_LABELS[state]),
        STEP_BADGES.get(state, ""),
        found.attempts,
        formats.stamp(ended // 1000, zone),
        receipt(found.receipt),
        _(found.error) if found.error else "",
        list(texts(found, run)),
    )


def texts(found: Step, run: Of) -> Iterator[tuple[str, str]]:
    """Yield the texts of a step by label: as they were sent to its reader and to who may see contacts
    whole, to others made anew as they may see them."""
    known = ACTIONS.get(found.action)
    as_sent = run.scope.can(Permission.PII_UNMASK) or reader_of(found) == run.scope.viewer_id
    for param in known.params if known else ():
        sent = found.payload.get(param.name)
        if isinstance(sent, str) and sent:
            text = sent if as_sent else _anew(found, run, param.name)
            if text:
                yield _(param.label), text


def _anew(found: Step, run: Of, name: str) -> str:
    if run.said is None or run.event is None or found.n >= len(run.said.then):
        return ""
    params: Mapping[str, Any] = run.said.then[found.n].params
    template = params.get(name) or (params.get("title") if name == "subject" else "")
    return text_templates.render(str(template or ""), run.event, run.words.names, run.scope)


def receipt(found: Mapping[str, Any]) -> str:
    """Return what the receiver answered: status, time taken, note."""
    parts = []
    if found.get("status"):
        parts.append(str(found["status"]))
    if isinstance(found.get("took_ms"), int):
        parts.append(_("%(num)s ms", num=formats.number(found["took_ms"])))
    if found.get("invitation"):
        parts.append(_("Invitation %(number)s", number=found["invitation"]))
    if found.get("note"):
        parts.append(_(str(found["note"])))
    return " · ".join(parts)


def whole(scope: Scope, rule: Rule, run: Run, zone: str) -> dict[str, Any]:
    """Return all that the page of a run shows."""
    found = event_facts.of_event(run.event_id) if run.event_id else None
    raw = queries.definition(rule.id, run.version) or rule.definition
    read = definitions.load(raw)
    said = [read] if isinstance(read, Definition) else []
    steps = queries.steps(run.id)
    readers = (subjects.of_user(reader_of(each) or 0) for each in steps)
    words = Words.load(
        scope,
        [run.subject, *readers],
        [found] if found else [],
        said,
        run.chain,
    )
    thing = logged.subject_page(scope, run.subject, run.at_ms, zone)
    run_of = Of(scope, words, read if isinstance(read, Definition) else None, found)
    return {
        "rule": rule,
        "run": run,
        "time": formats.stamp(run.at_ms // 1000, zone),
        "late": formats.duration(run.late_s) if run.late_s else "",
        "outcome": words.outcome(run.outcome),
        "badge_kind": BADGES.get(RunOutcome(run.outcome), ""),
        "subject": subject_names(scope, [run.subject])[run.subject],
        "thing": thing,
        "thing_label": letter.page_label(thing or ""),
        "event": event(found, words, scope),
        "trace": trace(run.trace, raw, words, scope),
        "limits": [limited for each in said for limited in limits(each, words)],
        "steps": [row(each, run_of, zone) for each in steps],
        "chain": [(ident, words.rules.get(ident, str(ident))) for ident in run.chain],
        "followed": queries.followed(run, steps, zone),
        "edit": _edit(scope, run, zone) if run.error == EDITED else "",
    }


def _edit(scope: Scope, run: Run, zone: str) -> str:
    """Return which edit cancelled the wait of a run: the latest version saved by then."""
    mine = (RuleVersion.rule == run.rule_id) & (RuleVersion.made_ts <= run.made_ms // 1000)
    saved = RuleVersion.select().where(mine).order_by(RuleVersion.version.desc()).first()
    if saved is None:
        return ""
    name = rule_names.names(scope, users=[saved.made_by] if saved.made_by else []).users.get(saved.made_by)
    text: str = _(
        "Version %(number)s was saved at %(time)s by %(name)s.",
        number=formats.number(saved.version),
        time=formats.stamp(saved.made_ts, zone),
        name=name or _(rule_names.OTHER_USER),
    )
    return text


def event(found: EventFacts | None, words: Words, scope: Scope) -> list[tuple[str, str]]:
    """Return label and text of each field of an event that the viewer may see."""
    if found is None:
        return []
    named = text_templates.names((found["type"],))
    pairs = [
        (_(label), text_templates.render("{{ " + name + " }}", found, words.names, scope))
        for name, label in named.items()
    ]
    return [(label, text) for label, text in pairs if text]


def trace(
    stored: Mapping[str, Any] | None, raw: Mapping[str, Any], words: Words, scope: Scope
) -> TraceLine | None:
    """Return a stored trace as lines; None where none was kept."""
    if not stored:
        return None
    types = [each for each in raw.get("types", ()) if isinstance(each, str)]
    return traces.line(stored, types, reader(words, scope, str(raw.get("zone") or "")))


def reader(words: Words, scope: Scope, zone: str) -> traces.Reader:
    """Return how a trace is shown to the viewer; times of day are those of the rule's zone."""
    return traces.Reader(words.names, zone or site_zone(), scope.can(Permission.PII_UNMASK))


def limits(said: Definition, words: Words) -> list[str]:
    """Return for each rate-limited action its text and its limit."""
    return [
        _(
            "%(action)s: %(limit)s",
            action=sentences.action_text(each, words.names),
            limit=sentences.limit_text(each.limit),
        )
        for each in said.then
        if sentences.limit_text(each.limit)
    ]


def masked(text: str, scope: Scope) -> str:
    """Return an address, masked unless the viewer may see contact details."""
    return text if scope.can(Permission.PII_UNMASK) else text_templates.masked("", text)
