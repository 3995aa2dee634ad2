"""Which runs of rules a viewer may see, and the badges of their outcomes, for any page."""

from __future__ import annotations

from typing import Any

from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.models import Event, Rule, Run
from dashboard.rulelang import subjects
from dashboard.rulelang.outcomes import RunOutcome, StepState
from dashboard.rulelang.subjects import SubjectKind, SubjectName
from dashboard.rules import permissions

BADGES = {
    RunOutcome.DONE: "ok",
    RunOutcome.WAITING: "info",
    RunOutcome.PARTLY: "warn",
    RunOutcome.FAILED: "bad",
    RunOutcome.ERROR: "bad",
    RunOutcome.LOOP_STOPPED: "warn",
    RunOutcome.DEPTH_STOPPED: "warn",
    RunOutcome.EXPIRED: "warn",
    RunOutcome.SHADOW: "info",
    RunOutcome.TEST: "info",
}

STEP_BADGES = {
    StepState.DONE: "ok",
    StepState.WAITING: "info",
    StepState.RUNNING: "info",
    StepState.FAILED: "bad",
    StepState.DEAD: "bad",
    StepState.UNCERTAIN: "warn",
}


def covers(scope: Scope) -> Any:
    """Return the condition on a run and its event that keeps to what the viewer may see.

    The same as `rules.recipients.covers`. A run without an event is about a rule, a user or a queue; about
    the first it tells nothing of people.
    """
    if scope.is_whole:
        return Run.id.is_null(False)
    idle = Event.queue_id.is_null() & Event.interaction.is_null()  # of a user and no work
    working = (Event.user_id == scope.viewer_id) | idle | scope.allows_queue(Event.queue_id)
    of_user = Event.user_id.is_null(False) & scope.allows(Event.user_id) & working
    of_queue = Event.user_id.is_null() & Event.queue_id.is_null(False) & scope.allows_queue(Event.queue_id)
    return of_user | of_queue | (Event.id.is_null() & _without_event(scope))


def _without_event(scope: Scope) -> Any:
    found = Run.subject.startswith(f"{SubjectKind.RULE}:")
    found |= Run.subject == subjects.of_user(scope.viewer_id)
    for kind, ids in ((SubjectKind.USER, scope.users), (SubjectKind.QUEUE, scope.queues)):
        if ids is None:
            found |= Run.subject.startswith(f"{kind}:")
        else:
            found |= Run.subject.in_([str(SubjectName(kind, str(ident))) for ident in sorted(ids)])
    return found


def traced(scope: Scope) -> Any:
    """Return the condition on a rule that keeps to those whose runs the viewer may see: `rights.traces`."""
    visible = permissions.visible(scope)
    return visible if scope.can(Permission.RULES_TRACES) else visible & (Rule.owner_id == scope.viewer_id)
