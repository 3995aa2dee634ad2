"""Rows for tests, each with the least that makes it valid; what a test is about it names itself."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count

from flask.testing import FlaskClient

from dashboard.access import guard, passwords, sessions
from dashboard.access.permissions import Permission
from dashboard.models import Access, AccessGrant, Queue, User

CREATED_TS = 1_767_225_600  # 2026-01-01 00:00 UTC
_numbers = count(1)


def access(
    permissions: Iterable[Permission] = (), grants: Iterable[str | tuple[str, int]] = (), name: str = ""
) -> Access:
    """Make an access. A grant is a kind alone ("all_users") or with a row's id (("users", 3))."""
    made = Access.create(
        name=name or f"Access {next(_numbers)}",
        permissions=sorted(permission.value for permission in permissions),
    )
    for grant in grants:
        kind, ref_id = (grant, None) if isinstance(grant, str) else grant
        AccessGrant.create(access=made, kind=kind, ref_id=ref_id)
    return made


def administrator(login: str = "admin", password: str | None = None) -> User:
    """Make a user who may do everything to everybody."""
    role = access(Permission, ["all_users", "all_queues"])
    signed_in = None if password else CREATED_TS  # by another way
    return user(login, access=role, password=password, last_sign_in_ts=signed_in)


def user(
    login: str = "", *, access: Access | None = None, password: str | None = None, **fields: object
) -> User:
    """Make a user; without `access` one who is traced and cannot sign in. Other columns by name."""
    login = login or f"user{next(_numbers)}"
    values = {"name": login.capitalize(), "created_ts": CREATED_TS, **fields}
    hashed = passwords.make(password) if password else None
    return User.create(login=login, access=access, password_hash=hashed, **values)


def queue(name: str = "", **fields: object) -> Queue:
    name = name or f"queue{next(_numbers)}"
    return Queue.create(**{"name": name, "label": name.capitalize(), "created_ts": CREATED_TS, **fields})


def sign_in(client: FlaskClient, user: User) -> str:
    """Give the client a session of `user`, as after the sign-in form, and return its token."""
    token = sessions.start(user, "127.0.0.1")
    client.set_cookie(guard.COOKIE, token)
    return token
