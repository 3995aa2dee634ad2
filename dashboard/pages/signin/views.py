"""Pages for sign-in, sign-out, setup and the account."""

from __future__ import annotations

import logging

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

from dashboard.access import (
    first_admin,
    known_browsers,
    oidc,
    passwords,
    pending_sign_ins,
    sessions,
    sign_in_settings,
    throttle,
    two_factor,
)
from dashboard.access.guard import COOKIE, cookie_name, is_secure, public, require
from dashboard.access.permissions import Permission
from dashboard.models import User
from dashboard.notify import safe_http
from dashboard.pages.signin import commands, forms, sign_ins
from dashboard.pages.signin.commands import Entered
from dashboard.settings import LOCALES
from dashboard.web import fields, nav
from dashboard.web.page import local_path, render

THEME_KEPT_S = 365 * 86_400

bp = Blueprint("signin", __name__)
log = logging.getLogger("stopa")


@bp.get("/sign-in")
@public
def show() -> Response:
    if first_admin.needs_setup():
        return make_response(redirect(url_for(".setup")))
    if g.user is not None:
        return make_response(redirect(local_path(request.args.get("next"))))
    return page(local_path(request.args.get("next")))


def page(target: str, error: str = "", login: str = "", status: int = 200) -> Response:
    """Answer with the page for signing in, which then leads to `target`."""
    chosen = sign_in_settings.load()
    return render(
        "signin/show.html",
        status=status,
        login=login,
        error=error or g.get("refused"),
        next=target,
        provider=(chosen.label or _("Single sign-on")) if chosen.enabled else "",
        asks_password=not chosen.limits_passwords or "password" in request.values,
    )


@bp.post("/sign-in")
@public
def create() -> Response:
    login = request.form.get("login", "").strip()[:120]
    target = local_path(request.form.get("next"))
    ip, known = request.remote_addr or "", request.cookies.get(cookie_name(known_browsers.COOKIE), "")
    try:
        entered = commands.sign_in(login, request.form.get("password", ""), ip, known)
    except commands.Refused as refused:
        return _refused(login, target, refused.wait_s)
    return go_on(entered, target)


def go_on(entered: Entered, target: str) -> Response:
    """Sign the browser in and go to `target`, by the page of the second factor where that is due."""
    if not entered.pends:
        return signed_in(entered.token, entered.user, make_response(redirect(target)))
    response = make_response(redirect(url_for("signin.second_step", next=target)))
    set_cookie(response, pending_sign_ins.COOKIE, entered.token, pending_sign_ins.KEPT_S)
    return response


def signed_in(token: str, user: User, response: Response) -> Response:
    """Give the browser the session of `token`."""
    chosen = session.get("locale")
    session.clear()
    if chosen:
        session["locale"] = chosen
    set_cookie(response, COOKIE, token, sessions.ABSOLUTE_S)
    remember(response, user)
    return response


def set_cookie(response: Response, name: str, value: str, max_age: int) -> None:
    """Set a cookie for `max_age` seconds that no script reads."""
    response.set_cookie(
        cookie_name(name), value, max_age=max_age, httponly=True, samesite="Lax", secure=is_secure()
    )


def remember(response: Response, user: User) -> None:
    """Make this browser one that `user` is known to sign in from."""
    known = request.cookies.get(cookie_name(known_browsers.COOKIE), "")
    set_cookie(response, known_browsers.COOKIE, known_browsers.remember(known, user), known_browsers.KEPT_S)


def _refused(login: str, target: str, wait_s: int) -> Response:
    if wait_s:
        response = page(target, wait_text(wait_s), login, 429)
        response.headers["Retry-After"] = str(wait_s)
        return response
    return page(target, _("Incorrect username or password."), login, 422)


def wait_text(seconds: int) -> str:
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
    id_token = sessions.id_token(g.token)
    commands.sign_out(g.token, g.user)
    return signed_out(_provider_sign_out(id_token))


def signed_out(away: str = "") -> Response:
    """Take what belongs to a session from the browser, and show the sign-in page, or lead `away`."""
    session.clear()
    response = make_response(redirect(url_for(".show")))
    if away:  # a page that leads on: a form may not lead to another site
        response = render("signin/signed_out.html", url=away)
        response.headers["Refresh"] = f"0; url={away}"
    response.delete_cookie(cookie_name(COOKIE), secure=is_secure())
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def _provider_sign_out(id_token: str | None) -> str:
    """Return where the provider that gave this ID token signs the user out, "" where nobody does."""
    chosen = sign_in_settings.load()
    if id_token is None or not chosen.enabled:
        return ""
    try:
        with safe_http.call(oidc.BODY_MAX):
            back = current_app.config["STOPA"].base_url + url_for(".show")
            return oidc.sign_out_url(chosen, id_token, back)
    except (oidc.UnreachableError, oidc.RejectedError) as error:
        log.warning("the sign-in provider was not told of a sign-out: %s", error)
        return ""


@bp.route("/setup", methods=["GET", "POST"])
@public
def setup() -> Response:
    """Create the first administrator and sign them in; requires the one-time code printed at start."""
    if request.method == "GET":
        if not first_admin.needs_setup():
            return make_response(redirect(url_for(".show")))
        return render("signin/setup.html", asked=forms.Setup("", "", "", ""))
    asked = forms.parse_setup(request.form)
    try:
        right = commands.check_setup_code(asked.code, request.remote_addr or "")
    except commands.Refused as refused:
        asked.errors["code"] = wait_text(refused.wait_s)
        return render("signin/setup.html", status=429, asked=asked)
    if not right:
        asked.errors["code"] = _("Incorrect code. Use the code printed when the server last started.")
    if not first_admin.needs_setup():  # asked after the code was read: both end in one transaction
        return _set_up_by_another()
    if asked.errors:
        return render("signin/setup.html", status=422, asked=asked)
    user = first_admin.make_administrator(asked.login, asked.name, asked.password)
    if user is None:
        return _set_up_by_another()
    token = commands.start_session(user, request.remote_addr or "")
    return signed_in(token, user, make_response(redirect(url_for("home.index"))))


def _set_up_by_another() -> Response:
    flash(_("The first administrator has already been added, so nothing was saved. Sign in."), "warn")
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


@bp.post("/theme")
@require(Permission.SELF)
def choose_theme() -> Response:
    """Set the colours of this browser, or leave them to the system."""
    chosen = request.form.get("theme", "")
    if chosen not in nav.THEMES:
        abort(400)
    response = make_response(redirect(local_path(request.form.get("next"))))
    set_cookie(response, nav.THEME_COOKIE, chosen, THEME_KEPT_S if chosen else 0)
    return response


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
    tried = throttle.attempt(throttle.for_own_password(g.user.id), request.remote_addr or "", g.user.id)
    if tried.wait_s:
        asked.errors["current"] = wait_text(tried.wait_s)
        return _account(asked, status=429)
    if passwords.check(request.form.get("current", ""), g.user.password_hash):
        throttle.succeeded(tried)
    else:
        asked.errors["current"] = _("Incorrect current password.")
    if problem := passwords.problem(new, g.user.login, g.user.name):
        asked.errors["password"] = _(problem)
    if asked.errors:
        return _account(asked, status=422)
    commands.change_password(g.user, new, g.token)
    flash(_("Password changed. You've been signed out on all other devices."), "ok")
    response = make_response(redirect(url_for(".account")))
    remember(response, User.get_by_id(g.user.id))
    return response


@bp.post("/account/sign-out")
@require(Permission.SELF)
def end_sign_ins() -> Response:
    """End one's sign-in named by `session`, all of them ("all"), or all others (without it)."""
    if commands.end_sign_ins(g.user, g.token, request.form.get("session", "")):
        return signed_out()
    flash(_("Signed out there."), "ok")
    return make_response(redirect(url_for(".account")))


def _account(asked: forms.Account, status: int = 200) -> Response:
    return render(
        "signin/account.html",
        status=status,
        asked=asked,
        zones=fields.zone_names(),
        languages=LOCALES,
        sign_ins=sign_ins.of_user(g.user.id, g.token),
        own_password=g.user.password_hash is not None,
        second=two_factor.state(g.user.id),
    )
