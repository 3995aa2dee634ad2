"""What a run and its steps come to. Stored by value and never renamed. Pure."""

from __future__ import annotations

from enum import StrEnum

from dashboard.i18n.message import N_


class RunOutcome(StrEnum):
    """The outcome of an evaluated rule; source: semantics 9.10 and 9.11."""

    WAITING = "waiting"  # steps are still to be done
    DONE = "done"
    PARTLY = "partly"  # some steps failed
    FAILED = "failed"  # every step failed
    ERROR = "error"  # a condition was neither true nor false
    NOT_MATCHED = "not_matched"
    THROTTLED = "throttled"  # limits held every action back
    LOOP_STOPPED = "loop_stopped"
    DEPTH_STOPPED = "depth_stopped"
    MUTED = "muted"  # its only readers have muted the rule
    CANCELLED = "cancelled"  # the state ended before the deadline
    EXPIRED = "expired"  # what it is about lay over a day back
    DISABLED = "disabled"  # the rule was off or changed when its deadline came
    SHADOW = "shadow"
    TEST = "test"


class StepState(StrEnum):
    """Where an action of a run is."""

    WAITING = "waiting"
    RUNNING = "running"  # claimed; when the lease runs out it becomes uncertain or waits again
    DONE = "done"
    FAILED = "failed"  # cannot succeed however often it is retried
    DEAD = "dead"  # given up after the last try; may be sent again by hand
    UNCERTAIN = "uncertain"  # the worker died between sending and marking; not sent again by itself
    HELD = "held"  # by its limit
    CANCELLED = "cancelled"


ACTED = (RunOutcome.WAITING, RunOutcome.DONE, RunOutcome.PARTLY, RunOutcome.FAILED)

RUN_LABELS = {
    RunOutcome.WAITING: N_("In progress"),
    RunOutcome.DONE: N_("Done"),
    RunOutcome.PARTLY: N_("Partially done"),
    RunOutcome.FAILED: N_("Failed"),
    RunOutcome.ERROR: N_("Condition error"),
    RunOutcome.NOT_MATCHED: N_("Didn't match"),
    RunOutcome.THROTTLED: N_("Rate-limited"),
    RunOutcome.LOOP_STOPPED: N_("Loop stopped"),
    RunOutcome.DEPTH_STOPPED: N_("Rule chain too long"),
    RunOutcome.MUTED: N_("Muted"),
    RunOutcome.CANCELLED: N_("Cancelled"),
    RunOutcome.EXPIRED: N_("Expired"),
    RunOutcome.DISABLED: N_("Rule was off"),
    RunOutcome.SHADOW: N_("Dry run"),
    RunOutcome.TEST: N_("Test"),
}
STEP_LABELS = {
    StepState.WAITING: N_("Waiting"),
    StepState.RUNNING: N_("Sending"),
    StepState.DONE: N_("Done"),
    StepState.FAILED: N_("Failed"),
    StepState.DEAD: N_("Undeliverable"),
    StepState.UNCERTAIN: N_("Possibly sent"),
    StepState.HELD: N_("Rate-limited"),
    StepState.CANCELLED: N_("Cancelled"),
}
