"""Users: who they are, what access they have, whether they may still sign in.

Changes are changes of rights, so they happen one at a time, with the rights that the viewer has at that
moment; see access.granting.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from flask import Blueprint, Response, abort, g
from flask_babel import gettext as _

from dashboard import clock
from dashboard.access import (
    accounts,
    granting,
    identities,
    keys,
    password_links,
    passwords,
    sessions,
    two_factor,
)
from dashboard.access.granting import TOO_MUCH, Giver, RefusedError
from dashboard.access.permissions import Permission
from dashboard.audit import record as audit
from dashboard.audit import user_erasure
from dashboard.i18n.message import N_
from dashboard.ingest import presence
from dashboard.models import Access, Team, TeamMember, User
from dashboard.notify import account_mail
from dashboard.pages.settings.users import invitations
from dashboard.pages.settings.users.forms import UserForm
from dashboard.pages.settings.users.listing import LISTING, listing
from dashboard.web import listing_files, lists
from dashboard.web.columns import Texts
from dashboard.web.forms import ID_MAX
from dashboard.web.resource import Resource
from dashboard.web.versioned import InvalidError

PATH = "/users"
OWN_ACCESS = N_("You can't change your own role. Ask another administrator.")
OWN_PASSWORD = N_("You can change your own password in My account.")
OWN_FACTOR = N_("Turn off your own two-factor sign-in in My account.")
OWN_END = N_("You can't deactivate yourself. Ask another administrator.")
ADDRESS = N_("This user's role has permissions that yours lacks, so you can't change the email address.")
HIGHER = N_("This user's role has permissions that yours lacks, so you can't edit the user.")
ACTIVE = N_("Deactivate the user first.")
PLAIN = ("login", "name", "title", "email", "phone", "extension", "locale", "timezone")


class Users(Resource[UserForm]):
    model = User
    kind = "user"
    form_class = UserForm
    view = Permission.USERS_VIEW
    edit_permission = Permission.USERS_EDIT
    unique = "login"
    refused = "access"
    stays = True
    asks_back = True
    lists = False
    form_template = "users/form.html"
    texts = Texts(
        title=N_("Users"),
        one=N_("User"),
        new=N_("New user"),
        taken=N_("A user with this name already exists."),
        leave=(
            N_("The user is signed out everywhere, and open activities end."),
            N_("History is kept. You can reactivate the user at any time."),
        ),
        back=(N_("The user will be able to sign in again with the same role and password."),),
    )

    def one(self, ident: int) -> User:
        """Return the user, or answer 404 when there is none inside the viewer's scope."""
        known = 0 < ident <= ID_MAX
        return (User.get_or_none((User.id == ident) & g.scope.allows(User.id)) if known else None) or abort(
            404
        )

    def stored(self, row: User) -> dict[str, Any]:
        query = TeamMember.select(TeamMember.team).where(TeamMember.user == row.id)
        return {
            **{name: getattr(row, name) for name in PLAIN},
            "access": row.access.id if row.access else None,
            "password": row.password_hash,
            "teams": frozenset(team for (team,) in query.tuples()),
        }

    def audited(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return a user with access and teams by name, of the password only that there is one."""
        access = Access.get_or_none(Access.id == values["access"]) if values["access"] else None
        teams = Team.select(Team.name).where(Team.id.in_(sorted(values["teams"]))).order_by(Team.name)
        named = {
            "access": access.name if access else None,
            "teams": [name for (name,) in teams.tuples()],
        }
        return {**values, **named, **({"password": ""} if "password" in values else {})}

    def form(self, row: User | None, sent: Any = None) -> UserForm:
        form = super().form(row, sent)
        own = row is not None and row.id == g.user.id
        form.fit(row, _offered(row), own)
        if row is not None and sent is not None and "access" not in sent:
            form.access.data = row.access.id if row.access else None  # the browser sends no disabled field
        return form

    def context(self, row: User | None, form: UserForm) -> dict[str, Any]:
        giver = granting.giver_of(g.user, g.scope)
        ident, present = (row.id, row.access) if row else (None, None)
        higher = self.may_edit() and not giver.may_restrict(present, ident)
        above = present is not None and not giver.covers(present, ident)  # it could not be given
        return {
            "may_edit": self.may_edit() and not higher,
            "higher": higher,
            "own": row is not None and row.id == g.user.id,
            "sessions": sessions.count(row.id) if row else 0,
            "invitation": invitations.of_user(giver, row) if row else None,
            "second": two_factor.state(row.id) if row else None,
            "issuers": identities.issuers(row.id) if row else [],
            "shows_password": not above or present is None or form.access.data != present.id,
            "leads_none": row is not None and granting.leads_none(row),
            "teams": lists.by_name(Team.select(Team.id, Team.name), lambda team: team.name),
            "when": lists.moment,
        }

    def changing(self) -> AbstractContextManager[Giver]:
        return granting.changing(g.user.id)

    def insert(self, form: UserForm, giver: Giver) -> User:
        _check_gift(giver, form, None)
        hashed = passwords.make(form.password.data) if form.password.data else None
        row: User = User.create(
            login=form.login.data, password_hash=hashed, created_ts=clock.now_s(), **form.columns()
        )
        accounts.join(row.id, frozenset(), form.teams.data)
        if form.invites and form.access.data and hashed is None:
            account_mail.invite(row)
        return row

    def write(self, row: User, form: UserForm, giver: Giver) -> bool:
        """Save the form; a new password ends all sessions of the user."""
        if not giver.may_restrict(User.get_by_id(row.id).access, row.id):
            raise RefusedError(HIGHER)
        before, columns = self.stored(row), form.columns()
        gives = form.access.data != before["access"]
        if row.id == g.user.id and gives:
            raise RefusedError(OWN_ACCESS)
        if row.id == g.user.id and form.password.data:
            raise InvalidError("password", _(OWN_PASSWORD))
        if gives or form.password.data:
            _check_gift(giver, form, row.id)
        elif form.email.data != before["email"] and not _covers(giver, row):
            raise InvalidError("email", _(ADDRESS))  # it is where a new password is sent
        if form.password.data:
            columns["password_hash"] = passwords.make(form.password.data)
        if not self.set(row, form.version.data, **columns):
            return False
        accounts.join(row.id, before["teams"], form.teams.data)
        if form.password.data:
            sessions.end_all(row.id)
        elif form.invites and form.access.data and not (before["access"] or before["password"]):
            account_mail.invite(User.get_by_id(row.id))
        return True

    def added(self, row: User, form: UserForm) -> Response:
        warning, kind = (_(granting.LEADS_NONE), "warn") if granting.leads_none(row) else ("", "ok")
        texts = [_("%(name)s added.", name=row.name), warning]
        if password_links.of_user(row.id) is not None:
            texts.insert(1, _("An invitation is on its way to %(address)s.", address=row.email))
        return self.done(" ".join(text for text in texts if text), kind=kind)

    def leave_texts(self, row: User) -> Sequence[str]:
        texts, number = list(super().leave_texts(row)), keys.read_keys_of(row.id)
        if number:
            texts.append(_("Read keys made by this user stop working: %(num)d.", num=number))
        return texts

    def leave(self, row: User, giver: Giver) -> None:
        presence.end(row)

    def sign_out(self, row: User) -> None:
        """End all sign-in sessions of the user. Raises RefusedError where the viewer has fewer rights."""
        with self.changing() as giver:
            if not giver.may_restrict(User.get_by_id(row.id).access, row.id):
                raise RefusedError(HIGHER)
            number = sessions.end_all(row.id)
            audit.record("auth.sessions_ended", "u", self.target(row), details={"sessions": number})

    def reset_two_factor(self, row: User) -> None:
        """Remove the user's second factor and end the sessions. Raises RefusedError as sign_out(), and for
        oneself."""
        with self.changing() as giver:
            if row.id == g.user.id:
                raise RefusedError(OWN_FACTOR)
            if not giver.may_restrict(User.get_by_id(row.id).access, row.id):
                raise RefusedError(HIGHER)
            two_factor.remove(row.id)
            number = sessions.end_all(row.id)
            audit.record("auth.two_factor_reset", "u", self.target(row), details={"sessions": number})

    def erase(self, row: User) -> None:
        """Order the erasure of a deactivated user. Raises RefusedError for others."""
        with self.changing() as giver:
            if User.get_by_id(row.id).deactivated_ts is None:
                raise RefusedError(ACTIVE)
            if not giver.may_restrict(User.get_by_id(row.id).access, row.id):
                raise RefusedError(HIGHER)
            user_erasure.order(row.id)
            audit.record("user.erased", "d", ("user", row.id, user_erasure.pseudonym(row.id)))

    def check_active(self, row: User, active: bool, giver: Giver) -> None:
        """Raise RefusedError for oneself, and for a user with more rights than the viewer."""
        access = User.get_by_id(row.id).access
        if not active and row.id == g.user.id:
            raise RefusedError(OWN_END)
        if active and access is not None and not giver.covers(access, row.id):
            raise RefusedError(HIGHER)
        if not active and not giver.may_restrict(access, row.id):
            raise RefusedError(HIGHER)


def _offered(row: User | None) -> list[tuple[int, str]]:
    """Return the accesses that the viewer may give to the user, or to a new one, and the user's own."""
    giver = granting.giver_of(g.user, g.scope)
    ident, present = (row.id, row.access) if row else (None, None)
    found = [
        (each.id, lists.preset_name(each.name, each.is_system))
        for each in Access.select()
        if giver.covers(each, ident)
    ]
    kept = []
    if present is not None and present.id not in {each[0] for each in found}:
        kept = [(present.id, lists.preset_name(present.name, present.is_system))]
    return [*kept, *lists.by_name(found, lambda pair: pair[1])]


def _covers(giver: Giver, row: User) -> bool:
    access = User.get_by_id(row.id).access
    return access is None or giver.covers(access, row.id)


def _check_gift(giver: Giver, form: UserForm, user_id: int | None) -> None:
    """Raise RefusedError unless the giver has all that the access gives to this user."""
    if form.access.data is None:
        return
    access = Access.get_or_none(Access.id == form.access.data)
    if access is None or not giver.covers(access, user_id):
        raise RefusedError(TOO_MUCH)


bp = Blueprint("users", __name__)
USERS = Users(bp, PATH)


listing_files.routes(bp, PATH, LISTING, of=listing)
