"""Mails with a link to choose a password: for who has forgotten it, and for who is invited.

The page that takes a request does the same for every text, known or not: it queues a job, which looks for
accounts and queues a mail for each. A mail that the server does not take is tried again with a new link.
"""

from __future__ import annotations

from urllib.parse import urlencode

from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _
from peewee import fn

from dashboard.access import password_links
from dashboard.access.keys import digest
from dashboard.access.password_links import Made
from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.i18n import formats
from dashboard.i18n.message import N_
from dashboard.jobs import queue as jobs
from dashboard.models import Job, User
from dashboard.notify import email
from dashboard.notify.letter import Content, Letter
from dashboard.notify.result import DeliveryResult, ResultKind
from dashboard.rulelang.outcomes import StepState
from dashboard.settings import Settings

REQUEST, KIND = "password_request", "account_mail"
PATH = "/sign-in/new-password"
MOST = 5  # accounts of one address that a request reaches
ACTOR = ("system", None, "password request")
GAVE_UP = N_("The mail server could not be reached.")


class NotTakenError(Exception):
    """The mail server took no mail; the job is tried again."""


def works() -> bool:
    """Return whether a mail server is configured."""
    return bool(current_app.config["STOPA"].smtp_url)


def request(text: str, ip: str) -> None:
    """Queue a request for a new password by username or address, whether or not there is such an account."""
    with database.atomic():
        jobs.enqueue(REQUEST, {"account": text, "ip": ip}, key=f"{REQUEST}:{digest(text.lower())}")


def invite(user: User) -> None:
    """Queue an invitation to choose the first password; one that was sent before no longer works."""
    with database.atomic():
        _order(user)
        audit.record("user.invited", "u", audit.user_target(user))


def withdraw(user: User) -> bool:
    """Take an invitation back; return whether there was one."""
    with database.atomic():
        withdrawn = password_links.withdraw(user.id)
        if withdrawn:
            audit.record("user.invitation_withdrawn", "u", audit.user_target(user))
    return withdrawn


def resolve(waiting: list[Job]) -> None:
    """Queue a mail for each account that a request means and that has a password."""
    args = waiting[0].args
    named = (User.login == args["account"]) | (fn.LOWER(User.email) == args["account"].lower())
    known = User.select().where(named & User.password_hash.is_null(False)).order_by(User.id)
    for user in list(known.limit(MOST)):
        if password_links.may_have(user):
            with database.atomic():
                _order(user)
                details = {"ip": args["ip"]}
                audit.record(
                    "auth.password_requested", "u", audit.user_target(user), {}, details, actor=ACTOR
                )


def run(waiting: list[Job]) -> None:
    """Send the mail with a link. Raises NotTakenError where a later try may succeed."""
    job, chosen = waiting[0], current_app.config["STOPA"]
    made = password_links.make_token(job.args["user"])
    if made is None:
        return
    key = f"account_{job.id}_{job.attempts}"
    subject, body = _letter(made, chosen)
    answer = email.send(chosen, key, made.user.email, subject, body)
    later = answer.how is ResultKind.LATER
    state = StepState.WAITING if later else StepState.FAILED if answer.why else StepState.DONE
    with database.atomic():
        email.tell(chosen, made.user.email, answer, job.attempts, state, ())
        if answer.why:
            password_links.failed(made.user.id, answer.why)
    if later:
        raise NotTakenError(_reason(answer))


def give_up(job: Job, _error: str) -> None:
    password_links.failed(job.args["user"], GAVE_UP)


def _order(user: User) -> None:
    password_links.order(user.id)
    jobs.enqueue(KIND, {"user": user.id}, key=f"{KIND}:{user.id}")


def _reason(answer: DeliveryResult) -> str:
    return " ".join(part for part in (answer.why, answer.note) if part)


def _letter(made: Made, chosen: Settings) -> tuple[str, Content]:
    """Return subject and body in the user's language."""
    zone = made.user.timezone or chosen.timezone
    page = f"{chosen.base_url}{PATH}?{urlencode({'token': made.token})}"
    with force_locale(made.user.locale or chosen.locale):
        facts = (
            (_("Username"), made.user.login),
            (_("Valid until"), f"{formats.stamp(made.expires_ts, zone)} ({zone})"),
        )
        if made.invites:
            title = _("Your account in %(site)s", site=chosen.site_name)
            line = _("An account was made for you. Choose a password, then sign in with your username.")
            foot = _("If you did not expect this message, do nothing.")
        else:
            title = _("New password for %(site)s", site=chosen.site_name)
            line = _("Someone asked for a new password for your account.")
            foot = _("If it wasn't you, do nothing: your password stays as it is.")
        button = (_("Choose a password"), page)
        return str(title), Letter(str(title), (line,), facts, button, (foot,)).content()
