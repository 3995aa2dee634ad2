"""Pages for who has forgotten the password, or is invited: the request of a link, and its page."""

from __future__ import annotations

from flask import Response, abort, flash, make_response, redirect, request, url_for
from flask_babel import gettext as _

from dashboard.access import password_links, passwords, throttle
from dashboard.access.guard import public
from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.models import User
from dashboard.notify import account_mail
from dashboard.pages.signin.views import bp, remember, wait_text
from dashboard.web.page import render

TEXT_MAX = 254


@bp.route("/sign-in/forgotten", methods=["GET", "POST"])
@public
def forgotten() -> Response:
    """Take a username or an address; the answer is the same whether or not there is such an account."""
    text, works = request.form.get("account", "").strip()[:TEXT_MAX], account_mail.works()
    if request.method == "GET" or not works:
        status = 200 if request.method == "GET" else 404
        return render("signin/forgotten.html", status=status, works=works, account="", error="")
    if not text:
        error = _("Enter your username or email address.")
        return render("signin/forgotten.html", status=422, works=works, account="", error=error)
    ip = request.remote_addr or ""
    tried = throttle.attempt(throttle.for_new_password(text, ip), ip)
    if tried.wait_s:
        page = render(
            "signin/forgotten.html", status=429, works=works, account=text, error=wait_text(tried.wait_s)
        )
        page.headers["Retry-After"] = str(tried.wait_s)
        return page
    account_mail.request(text, ip)
    flash(_("If there is such an account with an email address, a link is on its way to it."), "ok")
    return make_response(redirect(url_for(".show")))


@bp.route("/sign-in/new-password", methods=["GET", "POST"])
@public
def new_password() -> Response:
    """Let the user of a link choose a password; 404 with what to do where the link is not valid."""
    token = request.values.get("token", "")
    user = password_links.find(token)
    if user is None:
        return render("signin/link_over.html", status=404)
    if request.method == "GET":
        return render("signin/new_password.html", user=user, token=token, error="")
    password = request.form.get("password", "")
    if problem := passwords.problem(password, user.login, user.name):
        return render("signin/new_password.html", status=422, user=user, token=token, error=_(problem))
    if not _set(user, token, password):
        abort(409)
    flash(_("Password set. Sign in."), "ok")
    response = make_response(redirect(url_for(".show")))
    remember(response, User.get_by_id(user.id))
    return response


def _set(user: User, token: str, password: str) -> bool:
    by = "invitation" if user.password_hash is None else "password request"
    hashed = passwords.make(password)
    with database.atomic():
        if password_links.use(token, hashed) is None:
            return False
        target, who = audit.user_target(user), ("user", user.id, user.login)
        audit.record("auth.password_changed", "u", target, {"password": ("", "")}, {"by": by}, actor=who)
    return True
