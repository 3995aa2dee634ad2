"""When the mail or chat that goes beside a notice fails for good, somebody else gets the notice."""

from __future__ import annotations

from dashboard import clock
from dashboard.i18n.mark import N_
from dashboard.i18n.words import translator
from dashboard.models import Notification, Rule, Run, Step
from dashboard.rules import active_rules, event_facts
from dashboard.rules.internal_actions import TITLE_MAX
from dashboard.rules.recipients import People, Reader, profile_of

TITLE = N_("A notice did not reach %(name)s")
TEXT = N_("The rule “%(rule)s” could not tell %(name)s, who has named you for that case.")


def tell(step: Step) -> None:
    """Put the notice that `step` goes beside into the inbox of its reader's fallback, in the caller's
    transaction. Nothing happens for other steps, without a fallback, or the second time.
    """
    notice: Step | None = Step.get_or_none(
        (Step.run == step.run_id)
        & (Step.n == step.n)
        & (Step.action == "notify")
        & (Step.recipient == step.recipient)
    )
    profile = profile_of(int(notice.payload["user"])) if notice is not None and notice.id != step.id else None
    if notice is None or profile is None or profile.fallback_id is None:
        return
    people = People()
    other, first = people.reader(profile.fallback_id), people.reader(profile.user_id)
    told = (Notification.run_id == step.run_id) & (Notification.user_id == profile.fallback_id)
    if other is None or first is None or Notification.select().where(told).exists():
        return
    title, text = _words(step, people, first, other)
    Notification.create(
        user_id=other.id,
        rule_id=step.rule_id,
        run_id=step.run_id,
        title=title[:TITLE_MAX],
        body=text,
        urgent=bool(notice.payload.get("urgent")),
        made_ms=clock.now_ms(),
    )


def _words(step: Step, people: People, first: Reader, other: Reader) -> tuple[str, str]:
    """Return title and text for the fallback, who may see less than the first reader: the rule's own texts
    made anew where rule and event are still the same, else only that a notice was missed."""
    say, run = translator(other.locale), _run(step)
    row: Rule | None = Rule.get_or_none(Rule.id == step.rule_id)
    why = say(TEXT) % {"rule": row.name if row is not None else step.rule_id, "name": first.name}
    live = active_rules.load(row) if row is not None and row.version == run.version else None
    event = event_facts.of_event(run.event_id) if run.event_id is not None else None
    if live is None or event is None:
        return say(TITLE) % {"name": first.name}, why
    params = live.definition.then[step.n].params
    title = people.say(str(params.get("title", "")), event, other) or live.name
    return title, f"{people.say(str(params.get('text', '')), event, other)}\n\n{why}".strip()


def _run(step: Step) -> Run:
    run: Run = step.run
    return run
