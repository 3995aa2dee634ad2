"""What the parts of a run are called for one reader: subjects, types, outcomes, people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from flask_babel import gettext as _

from dashboard.access import masking
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.models import Step
from dashboard.rulelang.schema import Definition
from dashboard.rulelang.text_templates import Names
from dashboard.rulelang.values import Facts
from dashboard.rules.outcomes import RUN_LABELS, RunOutcome, StepState
from dashboard.ruletext import names as rule_names

STEP_BADGES = {
    StepState.DONE: "ok",
    StepState.WAITING: "info",
    StepState.RUNNING: "info",
    StepState.FAILED: "bad",
    StepState.DEAD: "bad",
    StepState.UNCERTAIN: "warn",
}


class Words(NamedTuple):
    """What ids are called; what lies outside the reader's scope has no name here."""

    names: Names

    @classmethod
    def load(
        cls,
        scope: Scope,
        subjects: Iterable[str] = (),
        seen: Iterable[Facts] = (),
        definitions: Iterable[Definition] = (),
        rules: Iterable[int] = (),
    ) -> Words:
        """Return the names of these subjects and rules, and of all that facts and definitions mention."""
        ids: dict[str, set[int]] = {"user": set(), "queue": set(), "user.team": set()}
        for subject in subjects:
            kind, _colon, rest = subject.partition(":")
            ids.get(kind, set()).add(_number(rest))
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

    def subject(self, subject: str) -> str:
        """Return what a run is about: a user, a queue, the id of an interaction or a session."""
        kind, _colon, rest = subject.partition(":")
        if kind == "user":
            return self.names.users.get(_number(rest), _(rule_names.OTHER_USER))
        if kind == "queue":
            return self.names.queues.get(_number(rest), _(rule_names.OTHER_QUEUE))
        if kind in ("interaction", "session"):
            return rest.partition(":")[2]
        return str(_("No subject"))

    def type(self, name: str | None) -> str:
        return rule_names.type_label(name) if name else "–"

    def outcome(self, outcome: str) -> str:
        return str(_(RUN_LABELS[RunOutcome(outcome)]))

    def recipient(self, step: Step, scope: Scope) -> str:
        """Return whom a step was for: a user or a channel by name, an address; "" for nobody."""
        user = reader_of(step)
        if user is not None:
            return self.names.users.get(user) or _(rule_names.OTHER_USER)
        if step.channel_id is not None:
            return self.names.channels.get(step.channel_id) or step.recipient
        full = scope.can(Permission.PII_UNMASK) or "@" not in step.recipient
        return str(step.recipient if full else masking.email(step.recipient))


def reader_of(step: Step) -> int | None:
    """Return the user whom a notice or an e-mail is for; None for an address and for what has no reader."""
    user = step.payload.get("user") if step.action in ("notify", "email") else None
    return user if isinstance(user, int) else None


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0
