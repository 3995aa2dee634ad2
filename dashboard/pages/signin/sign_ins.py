"""One's own sign-ins, as My account lists them."""

from __future__ import annotations

from typing import NamedTuple

from flask_babel import gettext as _

from dashboard.access import sessions
from dashboard.i18n.message import N_
from dashboard.models import Session
from dashboard.visitors import browsers, privacy
from dashboard.web import lists

METHODS = {"password": N_("Password"), "oidc": N_("Single sign-on"), "header": N_("Proxy")}


class SignIn(NamedTuple):
    """A session: `start` stands for it in forms, `own` says that it is the one of this page."""

    start: str
    device: str
    address: str
    method: str
    since: str
    seen: str
    own: bool


def of_user(user_id: int, token: str) -> list[SignIn]:
    """Return the sign-ins of a user, that of this page first."""
    own = sessions.start_of(token)
    found = [_read(each, own) for each in sessions.valid(user_id)]
    return sorted(found, key=lambda each: not each.own)


def _read(row: Session, own: str) -> SignIn:
    start = row.token_hash[: sessions.START]
    return SignIn(
        start,
        _device(row.agent),
        _address(row.ip),
        str(_(METHODS[row.method])) if row.method in METHODS else "–",
        lists.moment(row.created_ts),
        lists.moment(row.seen_ts),
        start == own,
    )


def _address(ip: str) -> str:
    """Return the network of an address, as one that goes on: 203.0.113.…"""
    short = privacy.short_address(ip)
    return f"{short.removesuffix('0')}…" if short else "–"


def _device(agent: str) -> str:
    found = browsers.read(agent)
    if found.name and found.system:
        return str(_("%(browser)s on %(system)s", browser=found.name, system=found.system))
    return found.name or found.system or str(_("Unknown device"))
