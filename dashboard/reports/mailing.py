"""The mails of schedules: each is the report as its recipient's own rights show it, in their language.

A mail is claimed, retried and given up like a delivery. The rights of owner and recipient are read when it is
made. One whose sending had begun when its worker died is uncertain and not sent again.
"""

from __future__ import annotations

import logging
import random
import tempfile
from typing import Any, NamedTuple
from urllib.parse import urlencode

from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _

from dashboard import clock
from dashboard.access import scope as scopes
from dashboard.access.scope import Scope
from dashboard.audit import record as audit
from dashboard.audit.subjects import Seen
from dashboard.db import database, failure
from dashboard.db.locks import Lock
from dashboard.db.patience import patient
from dashboard.exports import background, pdf
from dashboard.exports.registry import TRACING_RIGHTS
from dashboard.exports.table import file_name
from dashboard.i18n import formats
from dashboard.i18n.message import N_
from dashboard.jobs import leases
from dashboard.jobs.work import Work, pause_ms
from dashboard.models import Schedule, ScheduleMail, User
from dashboard.notify import email, outbox
from dashboard.notify import result as answers
from dashboard.notify.letter import Content, Letter
from dashboard.notify.result import DeliveryResult, ResultKind
from dashboard.reports import files, library, looks, result
from dashboard.reports.library import SavedReport
from dashboard.reports.schedules import Format
from dashboard.reports.types import Result
from dashboard.rulelang.outcomes import StepState
from dashboard.settings import Settings
from dashboard.sources.period import TooManyBuckets
from dashboard.sources.query import QueryError
from dashboard.sources.run import TooLong

THREADS = 2
MOST_BYTES = 10 * 1024 * 1024  # of an attached file; mail servers refuse more than 10 to 25 MB
ACTION = "report.exported"

NO_OWNER = N_("The owner of the schedule can no longer sign in.")
NO_REPORT = N_("The owner of the schedule can no longer open the report.")
NO_USER = N_("The recipient can no longer sign in.")
NO_RIGHT = N_("The recipient's role doesn't allow this report as a file.")
NO_PAGE = N_("The recipient's role doesn't allow this report.")
TOO_SLOW = N_("The report took too long. Choose a shorter period.")
TOO_LONG = N_("The report has more rows than a PDF can hold. Choose another format or a shorter period.")
BAD_QUERY = N_("The report can't be read: a field or filter is no longer valid.")

log = logging.getLogger("stopa.reports")


class NotSentError(Exception):
    """A mail is not sent, and no later try would help; the message is marked for translation."""


class Made(NamedTuple):
    """A mail that is ready to be sent."""

    user: User
    subject: str
    body: Content
    rows: int
    attached: email.Attachment | None
    seen: Seen | None


def claim(worker: str, most: int) -> list[ScheduleMail]:
    """Take the mail that has been due longest, or none; one, however many there is room for."""
    return WORK.claim(worker) if most else []


def carry(mail: ScheduleMail) -> None:
    """Make and send a claimed mail, and end it. Only a lost database gets out of here."""
    try:
        with leases.held(WORK, [mail]):
            _carry(mail)
    except failure.AWAY:
        raise  # the lease runs out, then another worker takes it up
    except Exception as error:
        if failure.is_away(error):
            raise
        log.exception("the mail %s of a schedule failed", mail.id)
        _end(mail, StepState.FAILED, f"{type(error).__name__}: {error}")


def _carry(mail: ScheduleMail) -> None:
    chosen: Settings = current_app.config["STOPA"]
    schedule = mail.run.schedule
    try:
        made = make(schedule, mail.user, mail.run.due_ts, chosen)
    except NotSentError as error:
        _end(mail, StepState.CANCELLED, str(error))
        return
    if not ScheduleMail.update(begun_ms=clock.now_ms()).where(WORK.as_claimed([mail])).execute():
        return
    key = f"schedule_{mail.id}"
    answer = email.send(chosen, key, made.user.email, made.subject, made.body, made.attached)
    with database.atomic():
        state = _note(mail, answer, made.rows)
        if state is not None:
            email.tell(chosen, made.user.email, answer, mail.attempts, state, ())
        if state is StepState.DONE:
            _record(mail, made.rows, made.seen)


def make(schedule: Schedule, user: User, due_ts: int, chosen: Settings) -> Made:
    """Return the mail of a schedule to a recipient with the rights of this moment. Raises NotSentError."""
    with force_locale(user.locale or chosen.locale), patient():
        report, scope = _allowed(schedule, user)
        try:
            found = result.build(scope, report, library.parameters(schedule.query), schedule.zone, due_ts)
            attached = _attached(schedule, user, scope, report, due_ts)
        except pdf.TooManyRows:
            raise NotSentError(TOO_LONG) from None
        except QueryError:
            raise NotSentError(BAD_QUERY) from None
        except (TooLong, TooManyBuckets):
            raise NotSentError(TOO_SLOW) from None
        fits = attached is not None and len(attached.content) <= MOST_BYTES
        body = _letter(schedule, found, f"{chosen.base_url}/reports/{report.reference}", fits, attached)
        subject = schedule.subject or _("%(report)s, %(period)s", report=found.title, period=found.period)
    seen = looks.seen(scope, [found.query]) if fits else None
    return Made(user, str(subject), body, found.count, attached if fits else None, seen)


def _letter(
    schedule: Schedule, found: Result, page: str, fits: bool, attached: email.Attachment | None
) -> Content:
    """Return the body of the mail with a result, in the language that is set."""
    lines: tuple[str, ...] = ()
    if attached is not None and not fits:
        lines = (_("The file is too large for a mail. Export it from the page of the report."),)
    facts = (
        (_("Period"), f"{found.period} ({found.zone})"),
        (_("Filter"), " · ".join(found.filters)),
        (_("Rows"), formats.number(found.count)),
    )
    why = _(
        "You received this message because %(owner)s sends it to you by the schedule “%(schedule)s”.",
        owner=schedule.user.name,
        schedule=schedule.name,
    )
    return Letter(
        found.title,
        lines,
        tuple((label, text) for label, text in facts if text),
        (_("Open the report"), f"{page}?{urlencode(found.parameters, doseq=True)}"),
        (why, _("The figures are those that your own role allows.")),
    ).content()


def _allowed(schedule: Schedule, user: User) -> tuple[SavedReport, Scope]:
    """Return the report as the owner may read it, and the recipient's scope. Raises NotSentError."""
    owner = schedule.user
    if not _signs_in(owner):
        raise NotSentError(NO_OWNER)
    report = library.find(scopes.of_user(owner), schedule.report)
    if report is None:
        raise NotSentError(NO_REPORT)
    if not _signs_in(user):
        raise NotSentError(NO_USER)
    scope = scopes.of_user(user)
    if not scope.can(report.source.permission):
        raise NotSentError(NO_PAGE)
    if schedule.format == Format.LINK and library.find(scope, schedule.report) is None:
        raise NotSentError(NO_PAGE)
    if schedule.format != Format.LINK and not scope.can(TRACING_RIGHTS[schedule.format]):
        raise NotSentError(NO_RIGHT)
    return report, scope


def _signs_in(user: User) -> bool:
    return user.deactivated_ts is None and user.access_id is not None


def _attached(
    schedule: Schedule, user: User, scope: Scope, report: SavedReport, due_ts: int
) -> email.Attachment | None:
    if schedule.format == Format.LINK:
        return None
    given = library.parameters(schedule.query)
    with tempfile.TemporaryFile() as target:
        made = files.file(scope, report, given, schedule.zone, due_ts, user.name)
        background.write(made, schedule.format, target)
        target.seek(0)
        content = target.read()
    day = clock.local_date(due_ts, schedule.zone)
    return email.Attachment(
        file_name(report.name, "", day, schedule.format), background.MIME[schedule.format], content
    )


def _note(mail: ScheduleMail, answer: DeliveryResult, rows: int) -> StepState | None:
    """Store what came of a try; return the mail's state, None if the lease was lost."""
    why = answer.note or answer.why
    if answer.how is ResultKind.DONE:
        return StepState.DONE if _end(mail, StepState.DONE, row_count=rows) else None
    if answer.how is ResultKind.LATER:
        chance = random.random()  # noqa: S311  spreads tries
        wait_ms = pause_ms(answers.RETRIES_S, mail.attempts, answer.wait_s, chance)
        if wait_ms is not None:
            return StepState.WAITING if WORK.retry(mail, wait_ms, error=why, begun_ms=None) else None
    state = StepState.FAILED if answer.how is ResultKind.NEVER else StepState.DEAD
    return state if _end(mail, state, why) else None


def _end(mail: ScheduleMail, state: StepState, error: str = "", **columns: Any) -> bool:
    return WORK.end([mail], state, error=error, done_ms=clock.now_ms(), **columns)


def _lost(mail: ScheduleMail) -> bool:
    """End a mail whose sending had begun when its worker died: it may have been sent."""
    if mail.begun_ms is None or not _end(mail, StepState.UNCERTAIN, outbox.UNSURE):
        return False
    _record(mail, None, looks.everybody(scopes.of_user(mail.user), None))  # read anew, it may differ
    return True


def _record(mail: ScheduleMail, rows: int | None, seen: Seen | None) -> None:
    """Record that a report left Stopa, as an export of its recipient."""
    schedule, user = mail.run.schedule, mail.user
    details = {"schedule": schedule.id, "report": schedule.report, "format": schedule.format, "rows": rows}
    target = ("export", schedule.id, schedule.name)
    audit.record(ACTION, "r", target, details=details, actor=("user", user.id, user.login), seen=seen)


WORK: Work[ScheduleMail] = Work(
    ScheduleMail,
    Lock.CLAIM_SCHEDULE,
    answers.RETRIES_S,
    give_up=lambda mail: _end(mail, StepState.DEAD, outbox.DIED),
    lost=_lost,
)
