"""Backtests as background jobs: nothing is sent, only the Backtest row is written."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from dashboard import clock
from dashboard.access import scope as scopes
from dashboard.access.scope import Scope
from dashboard.clock import DAY_MS
from dashboard.db import database
from dashboard.db.failure import AWAY
from dashboard.i18n.message import N_, Message, message
from dashboard.jobs import queue as jobs
from dashboard.models import Backtest, Job, Rule, User
from dashboard.rulelang.conditions import conditions
from dashboard.rulelang.fields import EVERY
from dashboard.rulelang.matcher import State
from dashboard.rules import active_rules, recipients
from dashboard.rules.active_rules import LiveRule
from dashboard.rules.backtest import replay
from dashboard.rules.backtest.replay import Period
from dashboard.rules.backtest.simulator import Simulator
from dashboard.rules.backtest.summary import BacktestSummary

DAYS = (1, 7, 30, 90)
MOST = 100_000  # runs of one version: a backtest that finds more ends there and says so
KEPT = 20  # results of one user; older ones go
TOLD_S = 1.0  # between two notes of progress
TODAYS = ("user.team", "user.access", "queue.channel")  # fields that the log does not hold

NO_USER = N_("The user who started it is deactivated.")
UNREADABLE = N_("The definition of the rule isn't valid.")
NO_CALENDAR = N_("The calendar “%(name)s” doesn't exist.")
DIED = N_("The worker stopped at every attempt. Choose fewer days.")
INTERNAL = N_("An internal error occurred (%(type)s). Your administrator finds it in the log of the worker.")


class BacktestError(jobs.Permanent):
    """A backtest that fails however often it is run; `reason` is shown on its page."""

    def __init__(self, reason: Message) -> None:
        super().__init__(reason.render())
        self.reason = reason


Report = Callable[[int, int], None]


def order(user_id: int, rule: LiveRule, raw: dict[str, Any], days: int) -> int:
    """Queue the backtest of a rule over the latest `days` and return its id, in the caller's transaction."""
    end_ms = clock.now_ms()
    made = Backtest.create(
        user_id=user_id,
        rule_id=rule.id,
        version=rule.version,
        owner_id=rule.owner,
        name=rule.name,
        definition=raw,
        days=days,
        start_ms=end_ms - days * DAY_MS,
        end_ms=end_ms,
        created_ts=end_ms // 1000,
    )
    mine = Backtest.user_id == user_id
    kept = Backtest.select(Backtest.id).where(mine).order_by(Backtest.id.desc()).limit(KEPT)
    Backtest.delete().where(mine & Backtest.id.not_in([row.id for row in kept])).execute()
    jobs.enqueue("backtest", {"backtest": made.id}, key=f"backtest:{made.id}")
    return int(made.id)


def make(waiting: list[Job]) -> None:
    """Run one backtest from the start; one that was begun by a worker that died is begun anew."""
    job = waiting[0]
    row = Backtest.get_or_none((Backtest.id == job.args["backtest"]) & (Backtest.state == "waiting"))
    if row is None:
        return
    try:
        result = run(row, _reporter(row.id, job.id))
    except BacktestError as error:
        _fail(row.id, error.reason)
        raise
    except AWAY:  # the database is away: the job runs again
        raise
    except Exception as error:
        reason = message(INTERNAL, type=type(error).__name__)
        _fail(row.id, reason)
        raise BacktestError(reason) from error
    Backtest.update(state="done", result=result).where(Backtest.id == row.id).execute()


def give_up(waiting: Job, _error: str) -> None:
    """Mark the backtest of a job whose worker died at every attempt as failed."""
    _fail(waiting.args["backtest"], Message(DIED))


def _fail(ident: int, reason: Message) -> None:
    """Mark a waiting backtest as failed for a reason."""
    result = {"error": reason.as_json()}
    mine = (Backtest.id == ident) & (Backtest.state == "waiting")
    Backtest.update(state="failed", result=result).where(mine).execute()


def failure(row: Backtest) -> Message:
    """Return why a failed backtest failed."""
    error = row.result.get("error")
    return Message.from_json(error) if isinstance(error, dict) else message(INTERNAL, type="Exception")


def run(row: Backtest, report: Report = lambda _done, _total: None) -> dict[str, Any]:
    """Return the result of a backtest as plain JSON values: see BacktestSummary.result."""
    user = User.get_or_none((User.id == row.user_id) & User.deactivated_ts.is_null())
    if user is None:
        raise BacktestError(Message(NO_USER))
    scope, period = scopes.of_user(user), Period(row.start_ms, row.end_ms)
    begun = time.monotonic()
    rule = _rule(row)
    made = _simulated(rule, period, partial(recipients.covers, scope), report)
    if not scope.is_whole:
        made |= {"asked": None, "until_ms": None, "paused_ms": None}  # they come of all events
    return {**made, "took_ms": int((time.monotonic() - begun) * 1000)}


def _simulated(
    rule: LiveRule, period: Period, covers: Callable[[Any], bool], report: Report
) -> dict[str, Any]:
    simulator, evaluated, found, until_ms = Simulator(rule), 0, 0, None
    tally = BacktestSummary(rule.spec.context.zone, covers)
    for read in replay.walk(simulator, period):
        evaluated += read.asked
        for each in read.found:
            tally.add(each)
        found += len(read.found)
        report(read.done, read.total)
        if found >= MOST:
            until_ms = read.found[-1].at_ms if read.found else None
            break
    used = {condition.field for _path, condition in conditions(rule.definition.tree)}
    return {
        **tally.result(),
        "asked": evaluated,
        "zone": rule.spec.context.zone,
        "until_ms": until_ms,
        "paused_ms": simulator.paused_ms,
        "todays": [EVERY[path].label for path in TODAYS if path in used],
    }


def _rule(row: Backtest) -> LiveRule:
    rule = active_rules.load(
        Rule(
            id=row.rule_id,
            name=row.name,
            owner_id=row.owner_id,
            definition=row.definition,
            version=row.version,
            state=State.ON.value,
            position=0,
            updated_by=row.user_id,
            armed_ms=0,
        )
    )
    if rule is None:
        raise BacktestError(Message(UNREADABLE))
    timed = (rule.definition.schedule, rule.definition.after, rule.definition.wait)
    named = {part.calendar for part in timed if part is not None and part.calendar}
    for calendar in sorted(named - active_rules.load_calendars().keys()):
        raise BacktestError(message(NO_CALENDAR, name=calendar))
    return rule


def _reporter(ident: int, job: int) -> Report:
    """Return what notes the progress about once a second, so that the job's lease goes on."""
    last = 0.0

    def report(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= TOLD_S:
            last = now
            with database.atomic():
                jobs.progress(job, done, total)
                Backtest.update(done=done, total=total).where(Backtest.id == ident).execute()

    return report


def own(scope: Scope, ident: int) -> Backtest | None:
    """Return a backtest that this viewer ordered, None for anybody else's."""
    found: Backtest | None = Backtest.get_or_none(
        (Backtest.id == ident) & (Backtest.user_id == scope.viewer_id)
    )
    return found
