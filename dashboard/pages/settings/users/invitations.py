"""Invitations of users by mail, on their pages: what has come of one, and what may be done."""

from __future__ import annotations

from typing import NamedTuple

from flask_babel import gettext as _

from dashboard import clock
from dashboard.access import password_links
from dashboard.access.granting import Giver, RefusedError
from dashboard.i18n import formats, zone
from dashboard.i18n.message import N_
from dashboard.models import User
from dashboard.notify import account_mail

NOT_NOW = N_(
    "An invitation needs a mail server, a role that you may assign, an email address and no password yet."
)


class Invitation(NamedTuple):
    """A sentence about the invitation of a user ("" for none) and its style, and whether one may be sent."""

    text: str
    kind: str
    may_send: bool


def of_user(giver: Giver, user: User) -> Invitation | None:
    """Return the invitation of a user who has no password; None where there is none and none may be sent."""
    link = password_links.of_user(user.id) if user.password_hash is None else None
    if link is None:
        return Invitation("", "", True) if _may_send(giver, user) else None
    if link.problem:
        text, kind = _("The invitation was not sent: %(why)s", why=_(link.problem)), "bad"
    elif link.expires_ts is None:
        text, kind = _("The invitation is on its way to %(address)s.", address=user.email), "info"
    else:
        until = formats.stamp(link.expires_ts, zone())
        over = clock.now_s() >= link.expires_ts
        text = (
            _("The invitation ended %(time)s.", time=until)
            if over
            else _("Invited until %(time)s.", time=until)
        )
        kind = "warn" if over else "info"
    return Invitation(text, kind, _may_send(giver, user))


def send(giver: Giver, user: User) -> None:
    """Send an invitation, in place of an earlier one. Raises RefusedError."""
    if not _may_send(giver, user):
        raise RefusedError(NOT_NOW)
    account_mail.invite(user)


def _may_send(giver: Giver, user: User) -> bool:
    fits = user.password_hash is None and password_links.may_have(user) and account_mail.works()
    return fits and user.access is not None and giver.covers(user.access, user.id)
