"""The registration table: everything that the application runs, in one place.

Modules register nothing when they are imported; `create_app` calls `register`.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, g, request

from dashboard import cli
from dashboard.access.permissions import Permission
from dashboard.audit import nightly, user_erasure
from dashboard.demo import sample
from dashboard.events import erasure, health, source_hours, upgrades
from dashboard.exports import background, registry
from dashboard.exports.registry import Maker
from dashboard.i18n.message import N_
from dashboard.ingest import digest, followed, silence
from dashboard.ingest import views as gate
from dashboard.ingest.connectors import views as connect
from dashboard.ingest.imports import job as import_job
from dashboard.ingest.imports import sample_data, source_removal
from dashboard.ingest.manager import keeper
from dashboard.jobs import heartbeat, queue, worker
from dashboard.jobs.queue import Handler
from dashboard.jobs.worker import Lane
from dashboard.notify import account_mail, channel_check, deliver, mail_test, outbox
from dashboard.pages import (
    api,
    attendance,
    audit,
    corrections,
    dashboards,
    eventstream,
    exports,
    figures,
    home,
    imports,
    inbox,
    interactions,
    mydata,
    operations,
    reports,
    ruleeditor,
    ruleruns,
    rules,
    schedules,
    search,
    sessions,
    settings,
    signin,
    teamday,
    tracing,
    visitors,
)
from dashboard.pages.audit import words as audit_words
from dashboard.pages.rules import commands as rule_commands
from dashboard.pages.tracing import export as tracing_export
from dashboard.reports import mailing
from dashboard.reports import schedules as due_schedules
from dashboard.retention import nightly as retention
from dashboard.rules import active_rules, engine, runs
from dashboard.rules.backtest import job
from dashboard.rules.timing import backfill, deadline_worker, pending_waits, timer_sync
from dashboard.sources import made
from dashboard.sources.declared.attendance import ATTENDANCE
from dashboard.sources.declared.queue_waits import QUEUE_WAITS
from dashboard.sources.declared.time_in_state import TIME_IN_STATE
from dashboard.tracing import projection
from dashboard.tracing.made import attendance as days
from dashboard.tracing.made import queue_waits, time_in_state
from dashboard.visitors import deadlines
from dashboard.web import listing_files, nav

BLUEPRINTS = (
    gate.bp,
    connect.bp,
    api.bp,
    attendance.bp,
    audit.bp,
    corrections.bp,
    dashboards.bp,
    eventstream.bp,
    exports.bp,
    figures.bp,
    home.bp,
    imports.bp,
    inbox.bp,
    interactions.bp,
    mydata.bp,
    operations.bp,
    operations.monitoring,
    reports.bp,
    ruleeditor.bp,
    ruleruns.bp,
    rules.bp,
    schedules.bp,
    search.bp,
    sessions.bp,
    signin.bp,
    teamday.bp,
    tracing.bp,
    visitors.bp,
    *settings.BLUEPRINTS,
)
JOBS = {
    "digest": Handler(digest.digest, batch=50, keep=False),
    "export": Handler(background.make),
    import_job.KIND: Handler(import_job.run, gave_up=import_job.give_up),
    source_removal.KIND: Handler(source_removal.run),
    erasure.KIND: Handler(erasure.run),
    user_erasure.KIND: Handler(user_erasure.run),
    "backtest": Handler(job.make, gave_up=job.give_up),
    "rule_runs": Handler(rule_commands.forget, keep=False),
    engine.AGAIN: Handler(engine.retry_evaluation),
    timer_sync.ARM: Handler(backfill.backfill_job),
    timer_sync.COUNT: Handler(backfill.count_job),
    pending_waits.CANCEL: Handler(pending_waits.cancel_job, keep=False),
    channel_check.KIND: Handler(channel_check.make, keep=False, gave_up=channel_check.give_up),
    mail_test.KIND: Handler(mail_test.run, keep=False),
    account_mail.REQUEST: Handler(account_mail.resolve, keep=False),
    account_mail.KIND: Handler(account_mail.run, keep=False, gave_up=account_mail.give_up),
    sample_data.KIND: Handler(sample.run),
    runs.PRUNE: Handler(runs.prune, keep=False),
    nightly.KIND: Handler(nightly.run),
    retention.KIND: Handler(retention.run, keep=False),
}
TICKS = {
    "timers": deadline_worker.run_due,
    "bounds": projection.tick,
    "seen": heartbeat.mark,
    "health": health.look,
    "silence": silence.look,
    "source hours": source_hours.count,
    "version": upgrades.note,
    "visits": deadlines.run_due,
    "audit": nightly.NIGHT.plan,
    "retention": retention.NIGHT.plan,
    "schedules": due_schedules.start_due,
}
LANES = {
    "deliveries": Lane(lambda most: outbox.claim(worker.name(), most), deliver.carry, outbox.THREADS),
    "schedules": Lane(lambda most: mailing.claim(worker.name(), most), mailing.carry, mailing.THREADS),
}
LOOPS = {"logs": followed.read, "managers": keeper.run}
LISTS = (
    *eventstream.LISTINGS,
    interactions.LISTING,
    interactions.USER_EVENT_LIST,
    mydata.LISTING,
    ruleruns.LISTING,
    *sessions.LISTINGS,
    settings.deliveries.LISTING,
    *audit.LISTINGS,
    settings.users.LISTING,
    *visitors.LISTINGS,
)
EXPORTS = {
    "attendance": attendance.EXPORT,
    "compare": teamday.COMPARE,
    "figures": figures.EXPORT,
    mydata.MAKER: mydata.EXPORT,
    "cobrowsing_session": sessions.EXPORT,
    "reports": reports.EXPORT,
    "teamday": teamday.TEAM,
    "tracing": Maker(registry.TRACING_RIGHTS, tracing_export.build, N_("User tracing")),
    **listing_files.makers(LISTS),
}
READERS = {
    ATTENDANCE.name: days.rows,
    QUEUE_WAITS.name: queue_waits.rows,
    TIME_IN_STATE.name: time_in_state.rows,
}
RULE_PAGES = ("rules", "ruleeditor", "ruleruns")  # they say when all rules are stopped


def register(app: Flask) -> None:
    """Give the application its pages and commands, and this process its work."""
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.context_processor(_notices)
    cli.init(app)
    worker.init(app)
    deliver.init(app)
    operations.init(app)
    register_work()


def register_work() -> None:
    """Fill the tables that the worker and the exports read; twice is as good as once."""
    queue.HANDLERS.update(JOBS)
    worker.TICKS.update(TICKS)
    worker.LANES.update(LANES)
    worker.LOOPS.update(LOOPS)
    registry.MAKERS.update(EXPORTS)
    made.READERS.update(READERS)


def _notices() -> dict[str, Any]:
    """Return the context of the notices that all rules are stopped and that the audit log is not proved."""
    return {
        "rules_stopped": request.blueprint in RULE_PAGES and active_rules.stopped(),
        "audit_alarm": _audit_alarm,
    }


def _audit_alarm() -> str:
    scope = g.get("scope")
    return audit_words.alarm(nav.notices().proof) if scope and scope.can(Permission.AUDIT_VIEW) else ""
