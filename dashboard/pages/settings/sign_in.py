"""Signing in by an OpenID Connect provider: which, what its claims give, and who may still use a password.

Whoever saves this decides who is an administrator, so it takes both permissions of one, and roles that the
viewer could give.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from functools import wraps
from typing import Any, NamedTuple

from flask import Blueprint, Response, current_app, flash, g, make_response, redirect, request, url_for
from flask_babel import gettext as _
from wtforms.validators import ValidationError

from dashboard.access import granting, oidc, sign_in_settings
from dashboard.access.granting import TOO_MUCH
from dashboard.access.guard import MissingPermission, require
from dashboard.access.permissions import Permission
from dashboard.access.sign_in_settings import Line, SignIn
from dashboard.audit import record as audit
from dashboard.i18n.message import N_
from dashboard.models import Access, Team, User
from dashboard.notify import addresses, safe_http
from dashboard.notify.addresses import AddressError
from dashboard.web import forms, lists
from dashboard.web.fields import Check, ChoiceOfId, Field, Form, TextLine, WriteOnly
from dashboard.web.page import render

TARGET = ("settings", "sign_in", "Sign-in")
MOST_LINES, EMPTY_LINES = 100, 3
NOT_SECURE = N_("Use https://. Plain http:// is for addresses in STOPA_WEBHOOK_ALLOW.")
CALLED = {
    "enabled": N_("Sign in by the provider"),
    "issuer": N_("Issuer"),
    "client_id": N_("Client ID"),
    "scopes": N_("Scopes"),
    "label": N_("Text of the button"),
    "login_claim": N_("Claim of the username"),
    "adds": N_("Add users who are not known"),
    "links_logins": N_("Link existing users by username"),
    "links_emails": N_("Link existing users by verified email address"),
    "access": N_("Role without a match"),
    "lines": N_("Claims"),
    "emergency_only": N_("Passwords are for emergencies only"),
    "emergency": N_("Users with a password for emergencies"),
}

bp = Blueprint("sign_in", __name__, url_prefix="/settings/sign-in")


class LineRow(NamedTuple):
    """A line of the mapping as it is shown: texts and ids as they were sent."""

    number: int
    claim: str
    value: str
    access: str
    team: str


class SignInForm(Form):
    enabled = Check(CALLED["enabled"])
    issuer = TextLine(
        CALLED["issuer"],
        500,
        needed=False,
        hint=N_("The address that the provider is known by, such as https://id.example.com/realms/staff."),
    )
    client_id = TextLine(CALLED["client_id"], 200, needed=False)
    client_secret = WriteOnly(
        N_("Client secret"), input_type="password", attrs={"maxlength": 500, "autocomplete": "new-password"}
    )
    scopes = TextLine(CALLED["scopes"], 300)
    label = TextLine(CALLED["label"], 60, needed=False, hint=N_("Empty: Single sign-on"))
    login_claim = TextLine(CALLED["login_claim"], 120)
    adds = Check(
        CALLED["adds"],
        hint=N_("Otherwise an administrator adds them first, and the first sign-in links them."),
    )
    links_logins = Check(
        CALLED["links_logins"],
        hint=N_("Also those known from events. Only if users can't choose their username at the provider."),
    )
    links_emails = Check(CALLED["links_emails"])
    access = ChoiceOfId(CALLED["access"], none=N_("Refuse sign-in"), problem=N_("Choose a role."))
    emergency_only = Check(
        CALLED["emergency_only"],
        hint=N_("The password form is then behind a link and takes only the users named below."),
    )
    emergency = TextLine(
        CALLED["emergency"],
        1000,
        needed=False,
        hint=N_("Usernames separated by commas. On the server, flask user password adds one."),
    )

    def validate_issuer(self, field: Field) -> None:
        if not field.data:
            if self.enabled.data:
                raise ValidationError(_("Enter the address of the provider."))
            return
        try:
            target = addresses.parse(field.data)
            safe_http.check_numeric(target.host, target.port)
        except AddressError as error:
            raise ValidationError(_(error.args[0])) from None
        if target.scheme != "https" and not safe_http.is_allowed(target.host, target.port):
            raise ValidationError(_(NOT_SECURE))

    def validate_client_id(self, field: Field) -> None:
        if self.enabled.data and not field.data:
            raise ValidationError(_("Enter the client ID that the provider gave to Stopa."))

    def validate_scopes(self, field: Field) -> None:
        if "openid" not in field.data.split():
            raise ValidationError(_("The scopes must include openid."))

    def validate_emergency(self, field: Field) -> None:
        found = _users(field.data)
        unknown = [login for login in _logins(field.data) if login not in found]
        if unknown:
            raise ValidationError(_("No user with a password: %(names)s", names=", ".join(unknown)))
        if self.emergency_only.data and not any(_administers(user) for user in found.values()):
            raise ValidationError(_("Name at least one administrator with a password."))


def administrators(view: Callable[[], Response]) -> Callable[[], Response]:
    """Answer 403 unless the viewer may edit both roles and users."""

    @require(Permission.ACCESSES_EDIT)
    @wraps(view)
    def guarded() -> Response:
        if not g.scope.permissions >= granting.ADMINISTERS:
            raise MissingPermission(*granting.ADMINISTERS - g.scope.permissions)
        return view()

    return guarded


@bp.get("")
@administrators
def index() -> Response:
    return _page(_form(sign_in_settings.load()), _rows(sign_in_settings.load().lines))


@bp.post("")
@administrators
def update() -> Response:
    form, rows = _form(sign_in_settings.load(), request.form), _sent_rows()
    good = form.validate()
    lines = _lines(form, rows)
    if not good or form.problems:
        return _page(form, rows, status=422)
    with granting.changing(g.user.id):
        stored = sign_in_settings.load()
        chosen = _chosen(form, lines, stored)
        if stored.version == form.version.data:
            changes = audit.differences(_readable(stored), _readable(chosen))
            if form.client_secret.data:
                changes["client_secret"] = ("", "")
            sign_in_settings.save(chosen)
            if changes:
                audit.record("settings.updated", "u", TARGET, changes)
            flash(_("Saved."), "ok")
            return make_response(redirect(url_for(".index")))
    form.version.data = stored.version
    return _page(form, rows, forms.both(CALLED, _readable(stored), _readable(chosen)), 422)


@bp.post("/test")
@administrators
def test() -> Response:
    """Ask the provider that is saved what it is, and say what came."""
    chosen = sign_in_settings.load()
    try:
        with safe_http.call(oidc.BODY_MAX) as call:
            oidc.check(chosen)
        flash(_("The provider answers."), "ok")
    except oidc.UnreachableError as error:
        why = _(call.refused) if call.refused else str(error)[:300]
        flash(_("The provider doesn't answer as it should: %(why)s", why=why), "bad")
    return make_response(redirect(url_for(".index")))


def _form(stored: SignIn, sent: Any = None) -> SignInForm:
    logins = User.select(User.login).where(User.id.in_(stored.emergency)).order_by(User.login)
    data = asdict(stored) | {"emergency": ", ".join(login for (login,) in logins.tuples())}
    form = SignInForm(sent, data=data)
    form.access.offer(_roles())
    if stored.client_secret:
        form.client_secret.hint = _("Saved and hidden. Leave empty to keep it.")
    return form


def _page(form: SignInForm, rows: list[LineRow], differing: Any = None, status: int = 200) -> Response:
    empty = [LineRow(len(rows) + n, "", "", "", "") for n in range(EMPTY_LINES)]
    return render(
        "signin/settings.html",
        status=status,
        form=form,
        rows=[*rows, *empty],
        roles=_roles(),
        teams=lists.by_name(Team.select(Team.id, Team.name).tuples(), lambda pair: pair[1]),
        differing=differing,
        saved=sign_in_settings.load(),
        callback=current_app.config["STOPA"].base_url + url_for("signin.callback"),
        after=current_app.config["STOPA"].base_url + url_for("signin.show"),
        header=current_app.config["STOPA"].auth_header,
    )


def _rows(lines: Iterable[Line]) -> list[LineRow]:
    return [
        LineRow(n, each.claim, each.value, str(each.access or ""), str(each.team or ""))
        for n, each in enumerate(lines)
    ]


def _sent_rows() -> list[LineRow]:
    names = LineRow._fields[1:]
    sent = [[forms.text(request.form, f"{name}.{n}") for name in names] for n in range(MOST_LINES)]
    return [LineRow(n, *texts) for n, texts in enumerate(each for each in sent if any(each))]


def _lines(form: SignInForm, rows: list[LineRow]) -> tuple[Line, ...]:
    """Return the lines of the mapping; what is wrong with one is an error of the form."""
    roles, teams = ({ident for ident, *_more in found} for found in (_roles(), Team.select(Team.id).tuples()))
    lines = []
    for row in rows:
        access, team = (forms.whole(text, 1, forms.ID_MAX) for text in (row.access, row.team))
        given = (bool(row.access), access in roles), (bool(row.team), team in teams)
        if not row.claim or not row.value or not any(sent for sent, _known in given):
            form.reject(
                "", _("Line %(num)d: enter a claim, a value and a role or a team.", num=row.number + 1)
            )
        elif max(len(row.claim), len(row.value)) > 200 or any(sent and not known for sent, known in given):
            form.reject("", _("Line %(num)d: choose a role and a team from the lists.", num=row.number + 1))
        lines.append(Line(row.claim, row.value, access, team))
    giver = granting.giver_of(g.user, g.scope)
    wanted = replace(SignIn(), lines=tuple(lines), access=form.access.data).accesses
    if form.links_logins.data or form.links_emails.data:  # the provider then signs in whom it names
        active = User.select(User.access).where(User.access.is_null(False) & User.deactivated_ts.is_null())
        wanted |= {ident for (ident,) in active.tuples()}
    for role in Access.select().where(Access.id.in_([ident for ident in wanted if ident])):
        if not giver.covers(role):
            form.reject("", f"{lists.preset_name(role.name, role.is_system)}: {_(TOO_MUCH)}")
    return tuple(lines)


def _chosen(form: SignInForm, lines: tuple[Line, ...], stored: SignIn) -> SignIn:
    values = form.values()
    values["client_secret"] = values["client_secret"] or stored.client_secret
    values["emergency"] = tuple(sorted(user.id for user in _users(form.emergency.data).values()))
    return replace(stored, lines=lines, **values)


def _readable(chosen: SignIn) -> dict[str, Any]:
    """Return the choices as the audit log and a reader take them: names for ids, nothing secret."""
    roles = dict(_roles())
    teams = dict(Team.select(Team.id, Team.name).tuples())
    logins = User.select(User.login).where(User.id.in_(chosen.emergency)).order_by(User.login)
    lines = [
        f"{claim}={value}: {', '.join(filter(None, (roles.get(role), teams.get(team))))}"
        for claim, value, role, team in chosen.lines
    ]
    named = {"lines": lines, "access": roles.get(chosen.access), "emergency": [x for (x,) in logins.tuples()]}
    return {name: getattr(chosen, name) for name in CALLED} | named


def _roles() -> list[tuple[Any, str]]:
    found = [(row.id, lists.preset_name(row.name, row.is_system)) for row in Access.select()]
    return lists.by_name(found, lambda pair: pair[1])


def _logins(text: str) -> list[str]:
    return [login for part in text.split(",") if (login := part.strip())]


def _users(text: str) -> dict[str, User]:
    """Return the users with a password among these names, by name."""
    u = User
    query = (
        u.select(u, Access).join(Access).where(u.login.in_(_logins(text)) & u.password_hash.is_null(False))
    )
    return {row.login: row for row in query}


def _administers(user: User) -> bool:
    held = user.access.permissions if user.access is not None else ()
    return user.deactivated_ts is None and set(held) >= granting.ADMINISTERS
