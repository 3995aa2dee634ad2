"""Pages for sign-in, sign-out, setup and the account."""

from __future__ import annotations

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    flash,
    g,
    make_response,
    redirect,
    request,
    session,
    url_for,
)
from flask_babel import gettext as _
from flask_babel import ngettext

from dashboard.access import first_admin, passwords, sessions
from dashboard.access.guard import COOKIE, public, require
from dashboard.access.permissions import Permission
from dashboard.db import database
from dashboard.i18n import LOCALES
from dashboard.pages.signin import commands, forms
from dashboard.web import fields
from dashboard.web.page import local_path, render

bp = Blueprint("signin", __name__)


@bp.get("/sign-in")
@public
def show() -> Response:
    if first_admin.needs_setup():
        return make_response(redirect(url_for(".setup")))
    if g.user is not None:
        return make_response(redirect(local_path(request.args.get("next"))))
    return render("signin/show.html", login="", error=None, next=local_path(request.args.get("next")))


@bp.post("/sign-in")
@public
def create() -> Response:
    login = request.form.get("login", "").strip()[:120]
    target = local_path(request.form.get("next"))
    try:
        token = commands.sign_in(login, request.form.get("password", ""), request.remote_addr or "")
    except commands.Refused as refused:
        return _refused(login, target, refused.wait_s)
    chosen = session.get("locale")
    session.clear()
    if chosen:
        session["locale"] = chosen
    response = make_response(redirect(target))
    secure = request.is_secure or current_app.config["SESSION_COOKIE_SECURE"]
    response.set_cookie(
        COOKIE, token, max_age=sessions.ABSOLUTE_S, httponly=True, samesite="Lax", secure=secure
    )
    return response


def _refused(login: str, target: str, wait_s: int) -> Response:
    if wait_s:
        page = render("signin/show.html", status=429, login=login, error=_wait(wait_s), next=target)
        page.headers["Retry-After"] = str(wait_s)
        return page
    error = _("Incorrect username or password.")
    return render("signin/show.html", status=422, login=login, error=error, next=target)


def _wait(seconds: int) -> str:
    return str(
        ngettext(
            "Too many failed attempts. Try again in %(num)d minute.",
            "Too many failed attempts. Try again in %(num)d minutes.",
            -(-seconds // 60),
        )
    )


@bp.post("/sign-out")
@require(Permission.SELF)
def delete() -> Response:
    commands.sign_out(g.token, g.user)
    session.clear()
    response = make_response(redirect(url_for(".show")))
    response.delete_cookie(COOKIE)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


@bp.route("/setup", methods=["GET", "POST"])
@public
def setup() -> Response:
    """Create the first administrator; requires the one-time code printed at start."""
    if not first_admin.needs_setup():
        return make_response(redirect(url_for(".show")))
    if request.method == "GET":
        return render("signin/setup.html", asked=forms.Setup("", "", "", ""))
    asked = forms.parse_setup(request.form)
    ip = request.remote_addr or ""
    if wait := sessions.throttled("setup", ip):
        asked.errors["code"] = _wait(wait)
        return render("signin/setup.html", status=429, asked=asked)
    if not first_admin.code_is_right(asked.code):
        with database.atomic():
            sessions.failed("setup", ip)
        asked.errors["code"] = _("Incorrect code. Use the code printed when the server last started.")
    if asked.errors:
        return render("signin/setup.html", status=422, asked=asked)
    first_admin.make_administrator(asked.login, asked.name, asked.password)
    flash(_("Administrator added. Sign in."), "ok")
    return make_response(redirect(url_for(".show")))


@bp.get("/language/<code>")
@public
def language(code: str) -> Response:
    """Set the language of this browser; the account page stores one for the user."""
    if code not in LOCALES:
        abort(404)
    session.permanent = True
    session["locale"] = code
    return make_response(redirect(local_path(request.args.get("next"))))


@bp.get("/account")
@require(Permission.SELF)
def account() -> Response:
    return _account(forms.Account(g.user.locale, g.user.timezone))


@bp.post("/account")
@require(Permission.SELF)
def save_account() -> Response:
    asked = forms.parse_account(request.form)
    if asked.errors:
        return _account(asked, status=422)
    commands.save_preferences(g.user, asked.locale, asked.timezone)
    session.pop("locale", None)  # from now on the user's stored language applies
    flash(_("Saved."), "ok")
    return make_response(redirect(url_for(".account")))


@bp.post("/account/password")
@require(Permission.SELF)
def change_password() -> Response:
    asked = forms.Account(g.user.locale, g.user.timezone)
    new = request.form.get("password", "")
    if wait := sessions.throttled(g.user.login, request.remote_addr or ""):
        asked.errors["current"] = _wait(wait)
        return _account(asked, status=429)
    if not passwords.check(request.form.get("current", ""), g.user.password_hash):
        with database.atomic():
            sessions.failed(g.user.login, request.remote_addr or "")
        asked.errors["current"] = _("Incorrect current password.")
    if problem := passwords.problem(new, g.user.login):
        asked.errors["password"] = _(problem)
    if asked.errors:
        return _account(asked, status=422)
    commands.change_password(g.user, new, g.token)
    flash(_("Password changed. You've been signed out on all other devices."), "ok")
    return make_response(redirect(url_for(".account")))


def _account(asked: forms.Account, status: int = 200) -> Response:
    return render(
        "signin/account.html", status=status, asked=asked, zones=fields.zone_names(), languages=LOCALES
    )
