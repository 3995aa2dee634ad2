"""A user's form, deactivation and back."""

from __future__ import annotations

import threading

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.access import passwords
from dashboard.access.permissions import Permission
from dashboard.db import database
from dashboard.models import Access, Event, Session, Team, TeamLead, TeamMember, User
from tests import make
from tests.pages import asks

P = Permission
RIGHT = "correct horse"


@pytest.fixture
def admin(client: FlaskClient) -> User:
    user = make.administrator()
    make.sign_in(client, user)
    return user


@pytest.fixture
def agents(admin: User) -> Access:
    return make.access([P.HOME_VIEW], name="Agents")


def form(user: User, **changes: object) -> dict[str, object]:
    """Return what the user's page would send, with some fields changed."""
    row = User.get_by_id(user.id)
    same = {
        "name": row.name,
        "title": row.title,
        "email": row.email,
        "phone": row.phone,
        "extension": row.extension,
        "locale": row.locale,
        "timezone": row.timezone,
        "access": row.access.id if row.access else "",
        "version": row.version,
    }
    return {**same, **changes}


def test_a_user_is_added_and_can_sign_in(client: FlaskClient, agents: Access) -> None:
    team = Team.create(name="North")
    data = {"login": "jana", "name": "Jana", "access": agents.id, "password": RIGHT, "team": [team.id]}
    assert client.post("/users/new", data=data).status_code == 302
    row = User.get(User.login == "jana")
    assert passwords.check(RIGHT, row.password_hash)
    assert TeamMember.get().user_id == row.id
    entry = asks.audited("user.created")
    assert entry.changes["access"] == [None, "Agents"]
    assert entry.changes["teams"] == [None, ["North"]]
    assert RIGHT not in str(entry.__data__)


BAD = [
    ("login", "two words", "Enter a username of 1 to 120 characters without spaces."),
    ("login", "", "Enter a username of 1 to 120 characters without spaces."),
    ("name", "", "Enter 1 to 200 characters."),
    ("email", "nobody", "name@example.org"),
    ("title", "x" * 121, "Enter 0 to 120 characters."),
    ("phone", "9" * 61, "Enter 0 to 60 characters."),
    ("extension", "9" * 41, "Enter 0 to 40 characters."),
    ("access", "999", "This role has permissions that yours lacks, so you"),
    ("access", "x", "Choose a role."),
    ("locale", "de", "Choose a language."),
    ("timezone", "Mars/Base", "Choose a time zone from the list, such as Europe/Prague."),
    ("timezone", "localtime", "Choose a time zone from the list, such as Europe/Prague."),
    ("password", "short", "Use at least 8 characters."),
    ("password", "", "Enter a password, or choose “No role”."),
]


@pytest.mark.parametrize(("field", "value", "said"), BAD)
def test_a_bad_field_is_named_and_nothing_changes(
    client: FlaskClient, agents: Access, field: str, value: str, said: str
) -> None:
    data = {"login": "jana", "name": "Jana", "access": str(agents.id), "password": RIGHT, field: value}
    answer = client.post("/users/new", data=data)
    assert answer.status_code == 422
    assert said in answer.text
    assert f'href="#f-{field}"' in answer.text
    assert RIGHT not in answer.text
    assert User.select().count() == 1
    assert asks.entries() == 0


def test_a_login_is_given_once(client: FlaskClient, agents: Access) -> None:
    answer = client.post("/users/new", data={"login": "admin", "name": "Other"})
    assert answer.status_code == 422
    assert "A user with this name already exists." in answer.text


def test_a_user_known_from_events_gets_access_and_password(client: FlaskClient, agents: Access) -> None:
    known = make.user("jana")
    without = client.post(f"/users/{known.id}", data=form(known, access=agents.id))
    assert without.status_code == 422
    client.post(f"/users/{known.id}", data=form(known, access=agents.id, password=RIGHT))
    assert passwords.check(RIGHT, User.get_by_id(known.id).password_hash)
    assert asks.audited("user.updated").changes == {"access": [None, "Agents"], "password": ["•••", "•••"]}


def test_fields_that_no_form_has_change_nothing(client: FlaskClient, agents: Access) -> None:
    user = make.user("jana", access=agents)
    client.post(f"/users/{user.id}", data=form(user, login="root", id="1", password_hash="x", name="J"))
    row = User.get_by_id(user.id)
    assert (row.login, row.name, row.password_hash) == ("jana", "J", None)


def test_a_new_password_ends_the_sessions(client: FlaskClient, agents: Access) -> None:
    user = make.user("jana", access=agents, password=RIGHT)
    make.sign_in(client.application.test_client(), user)
    client.post(f"/users/{user.id}", data=form(user, password="another horse"))
    assert not Session.select().where(Session.user_id == user.id).exists()


def test_an_administrator_signs_a_user_out_everywhere(client: FlaskClient, agents: Access) -> None:
    user = make.user("jana", access=agents)
    assert "Sign out everywhere" not in client.get(f"/users/{user.id}").text
    theirs = [client.application.test_client() for _ in range(2)]
    for each in theirs:
        make.sign_in(each, user)
    url = f"/users/{user.id}/sign-out"
    assert url in client.get(f"/users/{user.id}").text
    assert "Sign out Jana everywhere?" in client.get(url).text
    assert theirs[0].get("/account").status_code == 200
    assert client.post(url).status_code == 302
    assert [each.get("/account").status_code for each in theirs] == [302, 302]
    assert client.get("/users").status_code == 200
    assert asks.audited("auth.sessions_ended").details == {"sessions": 2}


def test_the_later_of_two_editors_is_told(client: FlaskClient, agents: Access) -> None:
    user = make.user("jana", access=agents)
    late = form(user, name="Second")
    client.post(f"/users/{user.id}", data=form(user, name="First"))
    answer = client.post(f"/users/{user.id}", data=late)
    assert answer.status_code == 422
    assert "<td>First</td><td>Second</td>" in answer.text
    assert User.get_by_id(user.id).name == "First"


def test_deactivation_ends_sessions_and_the_open_day(client: FlaskClient, agents: Access) -> None:
    user = make.user("jana", access=agents)
    theirs = client.application.test_client()
    make.sign_in(theirs, user)
    url = f"/users/{user.id}/deactivate"
    assert "Deactivate Jana?" in client.get(url).text
    assert theirs.get("/account").status_code == 200
    for _ in range(2):
        assert client.post(url).status_code == 302
    assert "/sign-in" in theirs.get("/account").headers["Location"]
    event = Event.get()
    assert (event.type, event.user_id, event.data) == (
        "agent.signed_out",
        user.id,
        '{"reason": "deactivated"}',
    )
    asks.audited("user.deactivated")
    client.post(f"/users/{user.id}/reactivate")
    assert User.get_by_id(user.id).deactivated_ts is None
    asks.audited("user.reactivated")


def test_nobody_changes_his_own_access_or_ends_himself(
    client: FlaskClient, admin: User, agents: Access
) -> None:
    assert client.post(f"/users/{admin.id}", data=form(admin, access=agents.id)).status_code == 422
    assert client.post(f"/users/{admin.id}", data=form(admin, password=RIGHT)).status_code == 422
    assert client.post(f"/users/{admin.id}/deactivate").status_code == 422
    row = User.get_by_id(admin.id)
    assert (row.access.id, row.deactivated_ts, row.password_hash) == (admin.access.id, None, None)
    page = client.get(f"/users/{admin.id}").text
    assert "change your own role. Ask another administrator." in page
    assert client.post(f"/users/{admin.id}", data={"name": "Me", "version": "1"}).status_code == 302
    assert User.get_by_id(admin.id).access.id == admin.access.id


GIFTS = [  # permissions and scope given by one who may edit users of all teams and sees queue 1
    ([P.USERS_EDIT], ["all_users"], True),
    ([P.USERS_EDIT, P.TRACING_VIEW], ["all_users"], False),
    ([P.USERS_EDIT], ["all_users", "all_queues"], False),
    ([P.USERS_EDIT], ["led_teams"], True),
    ([], [("queues", 1)], True),
    ([], [("queues", 2)], False),
    ([], [("users", 1)], True),
]


@pytest.mark.parametrize(("permissions", "grants", "possible"), GIFTS)
def test_nobody_gives_more_than_he_has(
    client: FlaskClient, permissions: list[P], grants: list[str | tuple[str, int]], possible: bool
) -> None:
    asks.sign_in_with(client, P.USERS_EDIT, P.USERS_VIEW, grants=["all_users", ("queues", 1)])
    given = make.access(permissions, grants, name="Given")
    user = make.user("jana")
    assert ("Given" in client.get(f"/users/{user.id}").text) is possible
    answer = client.post(f"/users/{user.id}", data=form(user, access=given.id, password=RIGHT))
    assert answer.status_code == (302 if possible else 422)
    assert (User.get_by_id(user.id).access is not None) is possible


def test_who_leads_a_team_is_given_no_sight_of_people_the_giver_does_not_see(client: FlaskClient) -> None:
    leader, hidden = make.user("leader"), make.user("hidden")
    asks.sign_in_with(client, P.USERS_EDIT, grants=["led_teams", ("users", leader.id)])
    given = make.access([], ["led_teams"])
    team = Team.create(name="North")
    TeamLead.create(team=team, user=leader)
    TeamMember.create(team=team, user=hidden)
    data = form(leader, access=given.id, password=RIGHT)
    assert client.post(f"/users/{leader.id}", data=data).status_code == 422
    TeamMember.delete().execute()
    assert client.post(f"/users/{leader.id}", data=data).status_code == 302


def test_who_has_more_rights_is_out_of_reach(client: FlaskClient) -> None:
    boss = make.administrator("boss", password=RIGHT)
    asks.sign_in_with(client, P.USERS_EDIT, P.USERS_VIEW)
    assert "has permissions that yours lacks" in client.get(f"/users/{boss.id}").text
    assert client.post(f"/users/{boss.id}", data=form(boss, password="taken over")).status_code == 422
    assert client.post(f"/users/{boss.id}", data=form(boss, access="")).status_code == 422
    assert client.post(f"/users/{boss.id}/deactivate").status_code == 422
    make.sign_in(client.application.test_client(), boss)
    assert client.post(f"/users/{boss.id}/sign-out").status_code == 422
    assert Session.select().where(Session.user_id == boss.id).exists()
    row = User.get_by_id(boss.id)
    assert passwords.check(RIGHT, row.password_hash)
    assert (row.access.id, row.deactivated_ts) == (boss.access.id, None)


def test_of_two_administrators_who_deactivate_each_other_one_stays(app: Flask) -> None:
    pair = [make.administrator("first"), make.administrator("second")]
    start = threading.Barrier(2)

    def act(one: User, other: User) -> None:
        client = app.test_client()
        make.sign_in(client, one)
        start.wait()
        client.post(f"/users/{other.id}/deactivate")
        database.close()

    threads = [threading.Thread(target=act, args=each) for each in (pair, pair[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert User.select().where(User.deactivated_ts.is_null()).count() == 1


def test_users_out_of_scope_are_not_found(client: FlaskClient) -> None:
    seen, unseen = make.user("seen"), make.user("unseen")
    asks.sign_in_with(client, P.USERS_VIEW, P.USERS_EDIT, grants=[("users", seen.id)])
    page = client.get("/users").text
    assert f'href="/users/{seen.id}"' in page
    assert "unseen" not in page
    assert client.get(f"/users/{seen.id}").status_code == 200
    for ident in (unseen.id, 999, 0, 99999999999999999999):
        for url in (f"/users/{ident}", f"/users/{ident}/deactivate", f"/users/{ident}/reactivate"):
            assert client.get(url).status_code == 404
            assert client.post(url, data=form(unseen)).status_code == 404


def test_hostile_text_is_shown_as_typed(client: FlaskClient, admin: User) -> None:
    client.post("/users/new", data={"login": "x", "name": asks.HOSTILE})
    page = client.get("/users").text
    assert asks.SHOWN in page
    assert "<script>alert" not in page


def test_who_may(client: FlaskClient) -> None:
    user = make.user("jana")
    for url in ("/users", "/users/new", f"/users/{user.id}", f"/users/{user.id}/deactivate"):
        asks.refuses_strangers(client, url)
    for url in ("/users/new", f"/users/{user.id}", f"/users/{user.id}/deactivate"):
        asks.refuses_posts(client, url, P.USERS_VIEW)
    assert "<fieldset disabled>" in client.get(f"/users/{user.id}").text
    assert client.delete(f"/users/{user.id}").status_code == 405


def test_a_lead_who_leads_no_team_is_said_to_whoever_saves(client: FlaskClient, admin: User) -> None:
    leads = make.access([P.HOME_VIEW], ["led_teams"], name="Leads")
    data = {"login": "eva", "name": "Eva", "access": leads.id, "password": RIGHT}
    said = "leads no team yet"
    assert said in client.post("/users/new", data=data, follow_redirects=True).text
    eva = User.get(User.login == "eva")
    saved = client.post(f"/users/{eva.id}", data=form(eva, name="Eva B"), follow_redirects=True)
    assert (saved.status_code, said in saved.text) == (200, True)
    TeamLead.create(team=Team.create(name="North"), user=eva)
    assert said not in client.get(f"/users/{eva.id}").text
