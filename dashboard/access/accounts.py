"""Sign-in of users: who gets a role and a password, and whose end."""

from __future__ import annotations

from dashboard import clock
from dashboard.models import Access, User


def give(login: str, name: str, access: Access, password_hash: str | None) -> tuple[User, bool]:
    """Give the user of this login a role and a password; return the user and whether it is new.

    Without a password the user is to choose one by an invitation. A user known from events keeps the name,
    and is reactivated. Must be called inside a transaction.
    """
    values = {"access": access, "password_hash": password_hash, "deactivated_ts": None}
    row, created = User.get_or_create(
        login=login, defaults={"name": name or login, "created_ts": clock.now_s(), **values}
    )
    if not created:
        User.update(**values, version=User.version + 1).where(User.id == row.id).execute()
    user: User = row
    return user, created
