"""Users: who they are, what access they have, whether they may still sign in.

Changes are changes of rights, so they happen one at a time, with the rights that the viewer has at that
moment; see access.granting.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from flask import Blueprint, Response, abort, g, request
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup
from peewee import JOIN

from dashboard import clock
from dashboard.access import granting, keys, passwords, sessions
from dashboard.access.granting import TOO_MUCH, Giver, RefusedError
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.audit import record as audit
from dashboard.i18n.message import N_
from dashboard.ingest import presence
from dashboard.models import Access, Team, TeamMember, User
from dashboard.pages.settings.users.forms import UserForm
from dashboard.web import lists
from dashboard.web.columns import Column, Texts, badge, moment
from dashboard.web.forms import ID_MAX
from dashboard.web.resource import Resource
from dashboard.web.versioned import InvalidError

NO_ACCESS = "none"  # value of the access filter for users known from events only
OWN_ACCESS = N_("You can't change your own role. Ask another administrator.")
OWN_PASSWORD = N_("You can change your own password in My account.")
OWN_END = N_("You can't deactivate yourself. Ask another administrator.")
HIGHER = N_("This user's role has permissions that yours lacks, so you can't edit the user.")
PLAIN = ("login", "name", "title", "email", "phone", "extension", "locale", "timezone")


class UserRow(NamedTuple):
    id: int
    login: str
    name: str
    access_id: int | None
    access: str
    deactivated_ts: int | None
    last_ts: int | None
    teams: str


def _access_cell(row: UserRow) -> Markup | str:
    if not row.access or not g.scope.can(Permission.ACCESSES_VIEW):
        return row.access or "–"
    return Markup('<a href="/accesses/{}/edit">{}</a>').format(row.access_id, row.access)


def _state(row: UserRow) -> Markup:
    if row.deactivated_ts:
        return badge(_("Deactivated"))
    return badge(_("Active"), "ok") if row.access_id else badge(_("Known from events"), "info")


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
    page_size = 100
    index_template = "users/index.html"
    form_template = "users/form.html"
    texts = Texts(
        title=N_("Users"),
        one=N_("User"),
        new=N_("New user"),
        table=N_("Table of users"),
        count=lambda number: ngettext("%(num)d user", "%(num)d users", number),
        no_match=N_("No matching users"),
        no_match_hint=N_(
            "No users match these filters. To see deactivated users, include them in the filter."
        ),
        none=N_("No users to show"),
        none_hint=N_("No users in your scope."),
        taken=N_("A user with this name already exists."),
        leave=(
            N_("The user is signed out everywhere, and open activities end."),
            N_("History is kept. You can reactivate the user at any time."),
        ),
        back=(N_("The user will be able to sign in again with the same role and password."),),
        include=N_("Include deactivated users"),
        picture="users",
    )
    columns = (
        Column("name", N_("Full name")),
        Column("login", N_("Username"), css="p2", cell_css="mono"),
        Column("access", N_("Role"), lambda row: row.access or None, _access_cell, css="p2"),
        Column("teams", N_("Teams"), css="p3", sorts=False),
        Column("state", N_("State"), show=_state, sorts=False),
        moment("last", N_("Last signed in"), "last_ts", "n p2"),
    )

    def rows(self, gone: bool) -> Iterable[UserRow]:
        """Return the users inside the viewer's scope that the filter of accesses leaves."""
        columns = (User.id, User.login, User.name, User.deactivated_ts, User.last_sign_in_ts)
        query = User.select(*columns, Access.id, Access.name, Access.is_system)
        query = query.join(Access, JOIN.LEFT_OUTER).where(g.scope.allows(User.id))
        if not gone:
            query = query.where(User.deactivated_ts.is_null())
        teams, wanted = _team_names(), request.args.get("access", "")
        return [
            UserRow(
                ident,
                login,
                name,
                access_id,
                lists.preset_name(access, preset),
                gone_ts,
                last,
                teams.get(ident, ""),
            )
            for ident, login, name, gone_ts, last, access_id, access, preset in query.tuples()
            if wanted in ("", str(access_id or NO_ACCESS))
        ]

    def searched(self, row: UserRow) -> Sequence[str]:
        return (row.name, row.login)

    def below(self, row: UserRow) -> str:
        return row.access or row.login

    def list_context(self, found: Sequence[UserRow]) -> dict[str, Any]:
        names = Access.select(Access.id, Access.name, Access.is_system).tuples()
        accesses = [(ident, lists.preset_name(name, preset)) for ident, name, preset in names]
        wanted = request.args.get("access", "")
        return {
            "accesses": [*lists.by_name(accesses, lambda pair: pair[1]), (NO_ACCESS, _("Known from events"))],
            "access": wanted,
            "narrowed": bool(wanted),
            "deactivated": sum(1 for row in found if row.deactivated_ts is not None),
            "may_trace": g.scope.can(Permission.TRACING_VIEW),
            "own": g.user.id,
        }

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
        _join(row.id, frozenset(), form.teams.data)
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
        if form.password.data:
            columns["password_hash"] = passwords.make(form.password.data)
        if not self.set(row, form.version.data, **columns):
            return False
        _join(row.id, before["teams"], form.teams.data)
        if form.password.data:
            sessions.end_all(row.id)
        return True

    def added(self, row: User, form: UserForm) -> Response:
        warning, kind = (_(granting.LEADS_NONE), "warn") if granting.leads_none(row) else ("", "ok")
        return self.done(f"{_('%(name)s added.', name=row.name)} {warning}".strip(), kind=kind)

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


def _check_gift(giver: Giver, form: UserForm, user_id: int | None) -> None:
    """Raise RefusedError unless the giver has all that the access gives to this user."""
    if form.access.data is None:
        return
    access = Access.get_or_none(Access.id == form.access.data)
    if access is None or not giver.covers(access, user_id):
        raise RefusedError(TOO_MUCH)


def _join(user_id: int, have: Collection[int], want: Collection[int]) -> None:
    gone = sorted(set(have) - set(want))
    if gone:
        TeamMember.delete().where((TeamMember.user == user_id) & TeamMember.team.in_(gone)).execute()
    known = Team.select(Team.id).where(Team.id.in_(sorted(set(want) - set(have))))
    for (team_id,) in known.tuples():
        TeamMember.create(team=team_id, user=user_id)
    touched = sorted(set(have) ^ set(want))  # whoever edits one of these teams now learns of the change
    Team.update(version=Team.version + 1).where(Team.id.in_(touched)).execute()


def _team_names() -> dict[int, str]:
    query = TeamMember.select(TeamMember.user, Team.name).join(Team).order_by(Team.name)
    names: dict[int, list[str]] = {}
    for user, team in query.tuples():
        names.setdefault(user, []).append(team)
    return {user: ", ".join(each) for user, each in names.items()}


bp = Blueprint("users", __name__, url_prefix="/users")
USERS = Users(bp)


@bp.route("/<int:ident>/sign-out", methods=["GET", "POST"])
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
