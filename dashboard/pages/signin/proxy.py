"""Signs in whom a trusted proxy names in its header, with the first request that does."""

from __future__ import annotations

from flask import Response, after_this_request, g, request, url_for
from flask_babel import gettext as _

from dashboard.access import (
    guard,
    identities,
    pending_sign_ins,
    sessions,
    sign_in_settings,
    trusted_header,
    two_factor,
)
from dashboard.access.pending_sign_ins import Pending
from dashboard.access.sessions import Method
from dashboard.models import User
from dashboard.pages.signin import commands
from dashboard.pages.signin.commands import Entered
from dashboard.pages.signin.views import bp, go_on, set_cookie
from dashboard.web.page import local_path

WITHOUT_USER = ("/healthz", *guard.FILE_PATHS, *guard.MACHINE_PATHS)


@bp.before_app_request
def enter_by_header() -> Response | None:
    """Begin a session of the user whom the header names, instead of that of anybody else.

    Lead to the second factor, which the role may require.
    """
    login = "" if request.path.startswith(WITHOUT_USER) else trusted_header.login()
    if not login or (g.user is not None and g.user.login == login):
        return None
    try:
        user = identities.of_login(sign_in_settings.load(), login)
    except identities.RefusedError as error:
        commands.fail(login, Method.HEADER, error.message)
        g.refused = _(error.message)
        return None
    if two_factor.is_required(user) and request.path == url_for("signin.second_step"):
        return None
    entered = _pending(user) or commands.enter(user, request.remote_addr or "", Method.HEADER)
    if entered.pends:
        return go_on(entered, local_path(request.full_path.rstrip("?")))
    token, found = entered.token, sessions.find(entered.token)
    assert found is not None  # noqa: S101  # it has just begun
    guard.use(token, found)

    @after_this_request
    def keep(response: Response) -> Response:
        set_cookie(response, guard.COOKIE, token, sessions.ABSOLUTE_S)
        return response

    return None


def _pending(user: User) -> Entered | None:
    """Return the sign-in of this browser that waits for the second factor: a new one has a new secret."""
    token = request.cookies.get(guard.cookie_name(pending_sign_ins.COOKIE), "")
    waits = two_factor.is_required(user) and pending_sign_ins.find(token) == Pending(user, Method.HEADER)
    return Entered(user, token, pends=True) if waits else None
