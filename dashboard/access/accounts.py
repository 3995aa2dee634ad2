"""What users are given: a role and a password, and membership of teams."""

from __future__ import annotations

import re
from collections.abc import Collection

from dashboard import clock
from dashboard.models import Access, Team, TeamMember, User

LOGIN = re.compile(r"[^\s\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,120}")


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


def join(user_id: int, have: Collection[int], want: Collection[int]) -> None:
    """Make the user, who is in the teams `have`, a member of the teams `want`; ids of no team are ignored.

    Must be called inside a transaction.
    """
    gone = sorted(set(have) - set(want))
    if gone:
        TeamMember.delete().where((TeamMember.user == user_id) & TeamMember.team.in_(gone)).execute()
    known = Team.select(Team.id).where(Team.id.in_(sorted(set(want) - set(have))))
    for (team_id,) in known.tuples():
        TeamMember.create(team=team_id, user=user_id)
    touched = sorted(set(have) ^ set(want))  # whoever edits one of these teams now learns of the change
    Team.update(version=Team.version + 1).where(Team.id.in_(touched)).execute()
