"""Limits of attempts to sign in, counted in the database: they hold across processes and restarts.

An attempt is counted before its password is hashed, in one transaction with the check, so that parallel
attempts cannot pass the limit. A browser from which the account was signed in to before has a count of its
own, see known_browsers: strangers' attempts do not count for it, and it waits for a minute instead of being
locked out.
"""

from __future__ import annotations

import ipaddress
from contextlib import suppress
from typing import NamedTuple

from dashboard import clock
from dashboard.db import database, dialect
from dashboard.db.locks import Lock
from dashboard.events import internal
from dashboard.models import SignInAttempt

WINDOW_S = 15 * 60
SKEW_S = 60  # attempts further ahead were counted before the clock was set back, and are forgotten
MAX_PER_ACCOUNT = 5
MAX_PER_ADDRESS = 30
MAX_RESETS = 3  # requests for a new password of one account
PAUSE_S = 60  # between the attempts of a known browser once it has used up its limit
TEXT_MAX = 120  # letters of a login in lower case, which may be more than were typed
REPORTED = "reported:"  # begins the key of a row that says that a limit has been reported in this window


class Limit(NamedTuple):
    """At most `most` attempts per window for `key`; with `pause_s` then one in that many seconds."""

    key: str
    most: int
    pause_s: int = 0


class Attempt(NamedTuple):
    """An attempt that has been counted, or else has to wait for `wait_s` > 0 seconds.

    `first`: no other attempt had to wait for the same limit in this window.
    """

    ids: tuple[int, ...] = ()
    keys: tuple[str, ...] = ()
    wait_s: int = 0
    first: bool = False


def by_stranger(login: str, ip: str) -> tuple[Limit, ...]:
    return Limit(f"ip:{_network(ip)}", MAX_PER_ADDRESS), _of_account(login)


def by_known_browser(user_id: int, browser: str) -> tuple[Limit, ...]:
    return (Limit(f"known:{user_id}:{browser}", MAX_PER_ACCOUNT, PAUSE_S),)


def for_setup(ip: str) -> tuple[Limit, ...]:
    """Each address has its own limit, so that nobody closes the setup page for the others."""
    return (Limit(f"setup:{_network(ip)}", MAX_PER_ACCOUNT),)


def by_kiosk(ip: str) -> tuple[Limit, ...]:
    """Wrong keys of wall screens, by address."""
    return (Limit(f"kiosk:{_network(ip)}", MAX_PER_ADDRESS),)


def for_code(user_id: int, browser: str | None) -> tuple[Limit, ...]:
    """The second factor, asked after the right password; `browser` is the known one that it comes from."""
    if browser is not None:
        return (Limit(f"code:{user_id}:{browser}", MAX_PER_ACCOUNT, PAUSE_S),)
    return (Limit(f"code:{user_id}", MAX_PER_ACCOUNT),)


def for_new_password(account: str, ip: str) -> tuple[Limit, ...]:
    """Requests for a new password, by account as typed and by address."""
    typed = account.lower()[:TEXT_MAX]
    return Limit(f"reset-ip:{_network(ip)}", MAX_PER_ACCOUNT), Limit(f"reset:{typed}", MAX_RESETS)


def by_provider(ip: str) -> tuple[Limit, ...]:
    """Answers of a sign-in provider that prove nobody, by address; passwords from there are not limited."""
    return (Limit(f"provider:{_network(ip)}", MAX_PER_ADDRESS),)


def for_own_password(user_id: int) -> tuple[Limit, ...]:
    """The current password, asked of a user who is signed in."""
    return (Limit(f"password:{user_id}", MAX_PER_ACCOUNT),)


def attempt(limits: tuple[Limit, ...], ip: str = "", user_id: int | None = None) -> Attempt:
    """Count an attempt for each limit, or return how long to wait for the first one that is used up.

    The first that has to wait in a window is recorded as an event, of the user if there is one and without
    the login as typed, which may be a password.
    """
    with database.atomic():
        dialect.one_at_a_time(Lock.SIGN_IN)
        now = clock.now_s()
        a = SignInAttempt
        a.delete().where((a.at_ts <= now - WINDOW_S) | (a.at_ts > now + SKEW_S)).execute()
        for limit in limits:
            if wait_s := _wait_s(limit, now):
                first = _report(limit.key, now)
                if first:
                    data = {"ip": ip, "limit": limit.key.partition(":")[0]}
                    internal.append("auth.sign_in_limit_reached", data, user_id)
                return Attempt(wait_s=wait_s, first=first)
        keys = tuple(limit.key for limit in limits)
        return Attempt(tuple(a.create(key=key, at_ts=now).id for key in keys), keys)


def succeeded(done: Attempt) -> None:
    """Forget an attempt that was no failure, and the failures before it but those of its address."""
    keys = [key for key in done.keys if not key.startswith("ip:")]
    SignInAttempt.delete().where(SignInAttempt.id.in_(done.ids) | SignInAttempt.key.in_(keys)).execute()


def locked_s(login: str) -> int:
    """Return for how many seconds the account is locked for browsers that are not known, 0 if it is not."""
    return _wait_s(_of_account(login), clock.now_s())


def unlock(login: str, user_id: int) -> int:
    """Forget the failures for an account and of all addresses; return the number of those for the account."""
    a = SignInAttempt
    account = a.key.in_([_of_account(login).key, f"password:{user_id}", f"code:{user_id}"])
    for kind in ("known", "code"):
        account |= a.key.startswith(f"{kind}:{user_id}:")
    with database.atomic():
        a.delete().where(a.key.startswith("ip:") | a.key.startswith(REPORTED)).execute()
        gone: int = a.delete().where(account).execute()
    return gone


def _of_account(login: str) -> Limit:
    return Limit(f"login:{login.lower()[:TEXT_MAX]}", MAX_PER_ACCOUNT)


def _wait_s(limit: Limit, now: int) -> int:
    a = SignInAttempt
    recent = (a.key == limit.key) & (a.at_ts > now - WINDOW_S) & (a.at_ts <= now + SKEW_S)
    query = a.select(a.at_ts).where(recent).order_by(a.at_ts.desc()).limit(limit.most)
    latest: list[int] = [at for (at,) in query.tuples()]
    if len(latest) < limit.most:
        return 0
    if limit.pause_s:
        return max(0, min(latest[0], now) + limit.pause_s - now)
    return max(1, min(latest[-1], now) + WINDOW_S - now)


def _report(key: str, now: int) -> bool:
    """Return whether this is the first report of the limit in this window."""
    row = {"key": REPORTED + key}
    if SignInAttempt.select().where(SignInAttempt.key == row["key"]).exists():
        return False
    SignInAttempt.create(**row, at_ts=now)
    return True


def _network(ip: str) -> str:
    """Return an address as it is counted: of IPv6 the /64 network, which is one customer's."""
    with suppress(ValueError):
        address = ipaddress.ip_address(ip)
        mapped = getattr(address, "ipv4_mapped", None)
        if address.version == 6 and mapped is None:
            return str(ipaddress.ip_network((address, 64), strict=False))
        return str(mapped or address)
    return ip[:TEXT_MAX]  # what a proxy says instead of an address
