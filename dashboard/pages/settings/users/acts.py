"""What administrators do to one user, each after a question: sign out, reset, unlink, invite, erase."""

from __future__ import annotations

from flask import Response
from flask_babel import gettext as _

from dashboard.access import identities
from dashboard.access.granting import RefusedError
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.models import User
from dashboard.notify import account_mail
from dashboard.pages.settings.users import invitations
from dashboard.pages.settings.users.views import HIGHER, PATH, USERS, bp


@bp.route(f"{PATH}/<int:ident>/sign-out", methods=["GET", "POST"])
@require(Permission.USERS_EDIT)
def sign_out(ident: int) -> Response:
    """Ask for confirmation, then end all sign-in sessions of a user."""
    row = USERS.one(ident)
    return USERS.confirm(
        row,
        lambda: USERS.sign_out(row),
        title=_("Sign out %(name)s everywhere?", name=row.name),
        verb=_("Sign out everywhere"),
        done=_("%(name)s signed out everywhere.", name=row.name),
        target=USERS.url("edit", row),
        texts=[_("The user can sign in again with the same password. To prevent that, deactivate the user.")],
    )


@bp.route(f"{PATH}/<int:ident>/two-factor", methods=["GET", "POST"])
@require(Permission.USERS_EDIT)
def reset_two_factor(ident: int) -> Response:
    """Ask for confirmation, then remove the second factor of a user who has lost it."""
    row = USERS.one(ident)
    return USERS.confirm(
        row,
        lambda: USERS.reset_two_factor(row),
        title=_("Reset two-factor sign-in of %(name)s?", name=row.name),
        verb=_("Reset two-factor sign-in"),
        done=_("Two-factor sign-in of %(name)s reset.", name=row.name),
        target=USERS.url("edit", row),
        texts=[
            _("Make sure that the user asks for it: from then on the password alone signs in."),
            _("Recovery codes no longer work, and the user is signed out everywhere."),
        ],
    )


@bp.route(f"{PATH}/<int:ident>/unlink", methods=["GET", "POST"])
@require(Permission.USERS_EDIT)
def unlink(ident: int) -> Response:
    """Ask for confirmation, then forget who a user is at the sign-in provider."""
    row = USERS.one(ident)
    return USERS.confirm(
        row,
        lambda: _unlink(row),
        title=_("Unlink %(name)s from the sign-in provider?", name=row.name),
        verb=_("Unlink"),
        done=_("%(name)s unlinked.", name=row.name),
        target=USERS.url("edit", row),
        texts=[
            _("For a user who has a new account at the provider: the next sign-in links that one."),
            _("The user is signed out everywhere."),
        ],
    )


@bp.route(f"{PATH}/<int:ident>/erase", methods=["GET", "POST"])
@require(Permission.CONTACTS_ERASE)
def erase(ident: int) -> Response:
    """Ask for confirmation, then erase the personal data of a deactivated user everywhere."""
    row = USERS.one(ident)
    return USERS.confirm(
        row,
        lambda: USERS.erase(row),
        title=_("Erase %(name)s?", name=row.name),
        verb=_("Erase user"),
        done=_("The user is being erased. This can take some minutes."),
        target=USERS.url("edit", row),
        texts=[
            _(
                "Name, user name, address and numbers are erased in all events, notifications, deliveries, "
                "rule runs, exports and audit entries. Entries stay in the chain and are counted as changed."
            ),
            _("Times and figures stay. This can't be undone."),
        ],
    )


@bp.route(f"{PATH}/<int:ident>/invite", methods=["GET", "POST"])
@require(Permission.USERS_EDIT)
def invite(ident: int) -> Response:
    """Ask for confirmation, then send a user an invitation by mail."""
    row = USERS.one(ident)
    return USERS.confirm(
        row,
        lambda: _invite(row),
        title=_("Invite %(name)s?", name=row.name),
        verb=_("Send invitation"),
        done=_("An invitation is on its way to %(address)s.", address=row.email),
        target=USERS.url("edit", row),
        texts=[
            _(
                "A link to choose a password is sent to %(address)s. It works for 7 days, once.",
                address=row.email,
            ),
            _("A link that was sent before no longer works."),
        ],
    )


@bp.route(f"{PATH}/<int:ident>/withdraw", methods=["GET", "POST"])
@require(Permission.USERS_EDIT)
def withdraw(ident: int) -> Response:
    """Ask for confirmation, then take an invitation back."""
    row = USERS.one(ident)
    return USERS.confirm(
        row,
        lambda: _withdraw(row),
        title=_("Withdraw the invitation of %(name)s?", name=row.name),
        verb=_("Withdraw invitation"),
        done=_("Invitation withdrawn."),
        target=USERS.url("edit", row),
        texts=[_("The link that was sent no longer works.")],
    )


def _unlink(row: User) -> None:
    with USERS.changing() as giver:
        if not giver.may_restrict(User.get_by_id(row.id).access, row.id):
            raise RefusedError(HIGHER)
        identities.unlink(row)


def _invite(row: User) -> None:
    with USERS.changing() as giver:
        invitations.send(giver, User.get_by_id(row.id))


def _withdraw(row: User) -> None:
    with USERS.changing():
        account_mail.withdraw(row)
