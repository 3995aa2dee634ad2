"""Pages of the second factor: asked for at sign-in, set up, renewed and turned off in My account."""

from __future__ import annotations

from typing import Any

import segno
from flask import Response, abort, current_app, flash, g, make_response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup

from dashboard.access import known_browsers, pending_sign_ins, sessions, two_factor
from dashboard.access.guard import cookie_name, is_secure, public, require
from dashboard.access.pending_sign_ins import Pending
from dashboard.access.permissions import Permission
from dashboard.access.two_factor import Proof
from dashboard.models import User
from dashboard.pages.signin import commands
from dashboard.pages.signin.views import bp, signed_in, wait_text
from dashboard.web import lists
from dashboard.web.page import local_path, render

QR_SCALE = 5


@bp.route("/sign-in/second-step", methods=["GET", "POST"])
@public
def second_step() -> Response:
    """Ask for the second factor after the password, or have one set up where the role requires it."""
    token = request.cookies.get(cookie_name(pending_sign_ins.COOKIE), "")
    pending = pending_sign_ins.find(token)
    if pending is not None and not (
        two_factor.state(pending.user.id) or two_factor.is_required(pending.user)
    ):
        pending = None  # the factor was reset meanwhile: the password alone signs in
    if pending is None:
        flash(_("The sign-in took too long or was ended. Sign in again."), "warn")
        return make_response(redirect(url_for(".show")))
    target = local_path(request.values.get("next"))
    if request.method == "GET":
        return _step(pending.user, target)
    code, ip = request.form.get("code", ""), request.remote_addr or ""
    try:
        if two_factor.state(pending.user.id) is None:
            return _set_up(pending, token, code, ip, target)
        known = request.cookies.get(cookie_name(known_browsers.COOKIE), "")
        proof = commands.take_code(pending.user, code, ip, known)
    except commands.Refused as refused:
        page = _step(pending.user, target, wait_text(refused.wait_s), 429)
        page.headers["Retry-After"] = str(refused.wait_s)
        return page
    if proof is None:
        return _step(pending.user, target, _(commands.WRONG_CODE), 422)
    response = _finish(pending, token, proof, make_response(redirect(target)))
    if proof is Proof.RECOVERY_CODE:
        _tell_left(pending.user)
    return response


def _set_up(pending: Pending, token: str, code: str, ip: str, target: str) -> Response:
    codes = commands.set_up_at_sign_in(pending.user, code, ip)
    if codes is None:
        return _step(pending.user, target, _(commands.WRONG_CODE), 422)
    page = render("signin/recovery_codes.html", layout="layout/bare.html", codes=codes, next=target)
    return _finish(pending, token, Proof.APP, page, ends_others=True)


def _finish(
    pending: Pending, token: str, proof: Proof, response: Response, ends_others: bool = False
) -> Response:
    """End the pending sign-in, of which one session begins; `ends_others`: those without a second factor."""
    if not pending_sign_ins.end(token):
        abort(409)
    if ends_others:
        sessions.end_all(pending.user.id)
    session = commands.start_session(pending.user, request.remote_addr or "", pending.method, proof)
    response.delete_cookie(cookie_name(pending_sign_ins.COOKIE), secure=is_secure())
    return signed_in(session, pending.user, response)


def _step(user: User, target: str, error: str = "", status: int = 200) -> Response:
    if two_factor.state(user.id) is not None:
        return render("signin/second_step.html", status=status, error=error, next=target)
    if not two_factor.new_secret(user.id):
        two_factor.begin(user.id)  # reset by an administrator meanwhile
    return render("signin/set_up.html", status=status, error=error, next=target, **_to_scan(user))


def _to_scan(user: User) -> dict[str, Any]:
    """Return the new secret as a QR code and as text."""
    secret = two_factor.new_secret(user.id)
    address = two_factor.address(secret, user.login, current_app.config["STOPA"].site_name)
    image = segno.make(address, error="m").svg_inline(
        scale=QR_SCALE, dark="#000", light="#fff", title=_("QR code for an authenticator app")
    )
    return {"qr": Markup(image), "secret": two_factor.in_groups(secret, " ")}  # noqa: S704  segno escapes


def _tell_left(user: User) -> None:
    left = two_factor.state(user.id)
    number = left.codes if left is not None else 0
    text = ngettext(
        "You used a recovery code. %(num)d is left.", "You used a recovery code. %(num)d are left.", number
    )
    flash(text, "warn")


@bp.get("/account/two-factor")
@require(Permission.SELF)
def two_factor_page() -> Response:
    return _page({})


@bp.post("/account/two-factor")
@require(Permission.SELF)
def begin_two_factor() -> Response:
    """Show the QR code of a new secret to whoever knows the password."""
    if two_factor.state(g.user.id) is not None:
        abort(409)
    if (refusal := _unproved(None)) is not None:
        return refusal
    two_factor.begin(g.user.id)
    return make_response(redirect(url_for(".two_factor_page")))


@bp.post("/account/two-factor/confirm")
@require(Permission.SELF)
def confirm_two_factor() -> Response:
    codes = commands.turn_on(g.user, request.form.get("code", ""))
    if codes is None:
        return _page({"code": _(commands.WRONG_CODE)}, 422)
    return render(
        "signin/recovery_codes.html", layout="layout/page.html", codes=codes, next=url_for(".account")
    )


@bp.post("/account/two-factor/codes")
@require(Permission.SELF)
def renew_recovery_codes() -> Response:
    if (refusal := _unproved(request.form.get("code", ""))) is not None:
        return refusal
    codes = commands.renew_codes(g.user)
    return render(
        "signin/recovery_codes.html", layout="layout/page.html", codes=codes, next=url_for(".account")
    )


@bp.post("/account/two-factor/off")
@require(Permission.SELF)
def turn_off_two_factor() -> Response:
    if (refusal := _unproved(request.form.get("code", ""))) is not None:
        return refusal
    commands.turn_off(g.user)
    flash(_("Two-factor sign-in is off."), "ok")
    return make_response(redirect(url_for(".account")))


def _unproved(code: str | None) -> Response | None:
    """Return the page with what is wrong with the password and the code of the form; None if nothing is."""
    try:
        errors = commands.prove(g.user, request.form.get("current", ""), code, request.remote_addr or "")
    except commands.Refused as refused:
        return _page({"current": wait_text(refused.wait_s)}, 429)
    return _page(errors, 422) if errors else None


def _page(errors: dict[str, str], status: int = 200) -> Response:
    second = two_factor.state(g.user.id)
    begun = second is None and bool(two_factor.new_secret(g.user.id))
    return render(
        "signin/two_factor.html",
        status=status,
        errors=errors,
        second=second,
        required=two_factor.is_required(g.user),
        since=lists.moment(second.since_ts) if second else "",
        **(_to_scan(g.user) if begun else {}),
    )
