"""About whom and which queues: the union of an access's grants, read anew at every request."""

from __future__ import annotations

import peewee
import pytest
from flask.testing import FlaskClient

from dashboard.access import scope as scopes
from dashboard.access.permissions import EVERYONE, Permission
from dashboard.access.scope import Scope
from dashboard.models import Access, AccessGrant, Queue, Team, TeamLead, TeamMember, User
from tests import make
from tests.pages import trail
from tests.pages.trail import DAY

pytestmark = pytest.mark.both_databases


def team(lead: User, *members: User, name: str = "Team") -> Team:
    made = Team.create(name=name)
    TeamLead.create(team=made, user=lead)
    for member in members:
        TeamMember.create(team=made, user=member)
    return made


def test_without_role_or_grants_the_scope_is_the_own_user(db: peewee.Database) -> None:
    for user in (make.user(), make.user(access=make.access())):
        scope = scopes.of_user(user)
        assert scope == Scope(user.id, EVERYONE, frozenset(), frozenset())
        assert scope.sees(user.id)
        assert not scope.sees(user.id + 1)


def test_scope_is_the_union_of_grants(db: peewee.Database) -> None:
    first, second, third = make.user(), make.user(), make.user()
    queue = make.queue("support")
    access = make.access((), [("users", first.id), "led_teams", ("queues", queue.id)])
    viewer = make.user(access=access)
    team(viewer, second)
    scope = scopes.of_user(viewer)
    assert scope.users == {first.id, second.id}
    assert scope.queues == {queue.id}
    assert not scope.sees(third.id)
    AccessGrant.create(access=access, kind="all_users")
    AccessGrant.create(access=access, kind="all_queues")
    scope = scopes.of_user(viewer)
    assert (scope.users, scope.queues) == (None, None)
    assert scope.sees(third.id)


def test_team_leads_need_the_grant_to_see_members(db: peewee.Database) -> None:
    member = make.user()
    viewer = make.user(access=make.access())
    team(viewer, member)
    assert scopes.of_user(viewer).users == frozenset()
    AccessGrant.create(access=viewer.access, kind="led_teams")
    assert scopes.of_user(viewer).users == {member.id}
    assert scopes.led_by(member.id) == set()


@pytest.mark.parametrize(
    ("queues", "own", "queue", "seen"),
    [
        (None, False, 1, True),
        (None, False, None, True),
        (frozenset({1}), False, 1, True),
        (frozenset({1}), False, 2, False),
        (frozenset({1}), False, None, False),
        (frozenset(), False, 1, False),
        (frozenset(), True, 1, True),
        (frozenset(), True, None, True),
    ],
)
def test_content_is_visible_in_granted_queues_and_for_own_work(
    queues: frozenset[int] | None, own: bool, queue: int | None, seen: bool
) -> None:
    scope = Scope(7, EVERYONE, None, queues)
    assert scope.content(7 if own else 8, queue) is seen


def test_sql_conditions_select_the_scope(db: peewee.Database) -> None:
    users = [make.user() for _ in range(3)]
    queues = [make.queue() for _ in range(2)]
    viewer, seen, _ = users
    scope = Scope(viewer.id, EVERYONE, frozenset({seen.id}), frozenset({queues[0].id}))
    assert {row.id for row in User.select().where(scope.allows(User.id))} == {viewer.id, seen.id}
    assert {row.id for row in Queue.select().where(scope.allows_queue(Queue.id))} == {queues[0].id}
    whole = scopes.whole()
    assert User.select().where(whole.allows(User.id)).count() == 3
    assert Queue.select().where(whole.allows_queue(Queue.id)).count() == 2


def test_unknown_permissions_are_ignored(db: peewee.Database) -> None:
    access = Access.create(name="Later", permissions=["home.view", "moon.land", "self"])
    assert scopes.permissions_of(access) == {Permission.HOME_VIEW, Permission.SELF}


def test_permission_changes_apply_to_the_next_request(client: FlaskClient) -> None:
    trail.store(trail.work("call", "c", "09:00", "09:10", "member", queue="support", direction="in"))
    member = User.get(User.login == "member")
    viewer = make.user(
        access=make.access([Permission.TRACING_VIEW, Permission.USERS_VIEW], ["led_teams", "all_queues"])
    )
    led = team(viewer, member)
    make.sign_in(client, viewer)
    address = f"/tracing?user=member&date={DAY}&tz=Europe/Prague"

    def answers() -> tuple[int, int]:
        return client.get(address).status_code, client.get("/users").status_code

    assert answers() == (200, 200)
    assert "support" in client.get(address).text
    AccessGrant.delete().where(AccessGrant.kind == "all_queues").execute()
    assert "support" not in client.get(address).text
    TeamMember.delete().where(TeamMember.team == led).execute()
    assert answers() == (404, 200)
    AccessGrant.create(access=viewer.access, kind="users", ref_id=member.id)
    assert answers() == (200, 200)
    Access.update(permissions=["tracing.view"]).where(Access.id == viewer.access_id).execute()
    assert answers() == (200, 403)
    other = make.access()
    User.update(access=other).where(User.id == viewer.id).execute()
    assert answers() == (404, 403)
    User.update(access=None).where(User.id == viewer.id).execute()
    assert answers() == (302, 302)
    User.update(access=other, deactivated_ts=1).where(User.id == viewer.id).execute()
    assert answers() == (302, 302)
    User.update(deactivated_ts=None).where(User.id == viewer.id).execute()
    assert answers() == (404, 403)
