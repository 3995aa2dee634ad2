"""The list of users."""

from __future__ import annotations

from dataclasses import replace

from flask import g, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from dashboard.access.permissions import Permission
from dashboard.i18n.message import N_
from dashboard.sources.catalogue import USERS as SOURCE
from dashboard.sources.period import ALL_TIME
from dashboard.web.listing import Listing, Parameters
from dashboard.web.page import row_url


def _access_url(_key: int, access: int) -> str | None:
    return row_url("accesses.edit", access) if g.scope.can(Permission.ACCESSES_VIEW) else None


def _trace_url(key: int, login: str) -> str | None:
    if not (g.scope.can(Permission.TRACING_VIEW) or key == g.user.id):
        return None
    return url_for("tracing.index", user=login, deactivated=1)


def renamed(given: Parameters) -> Parameters:
    """Return the parameters of an address of an earlier version by their names of today."""
    new = {name: values for name, values in given.items() if name not in ("page", "deactivated")}
    if any(given.get("deactivated", ())):
        new["active"] = ["1", "0"]
    if "none" in new.get("access", ()):  # users known from events only
        del new["access"]
        new["access__blank"] = ["1"]
    return new


LISTING = Listing(
    SOURCE,
    N_("Users"),
    N_("Who appears in events or signs in, and with which role."),
    columns=("name", "login", "access", "team", "state", "last"),
    bar=("access", "active"),
    count=lambda number: ngettext("%(num)d user", "%(num)d users", number),
    none=N_("No matching users"),
    none_hint=N_("No users match these filters. To see deactivated users, include them in the filter."),
    links={
        "name": lambda key, _value: row_url("users.edit", key),
        "login": _trace_url,
        "access": _access_url,
    },
    badges={"state": {"active": "ok", "known": "info"}},
    period=ALL_TIME,
    sort="name",
    start={"active": "1"},
    renamed=renamed,
)


def listing() -> Listing:
    """Return the list, with the button of a new user for who may add one."""
    new = ((_("New user"), url_for("users.new"), "pri"),)
    crumbs = ((_("Settings"), None),)
    return replace(LISTING, crumbs=crumbs, actions=new if g.scope.can(Permission.USERS_EDIT) else ())
