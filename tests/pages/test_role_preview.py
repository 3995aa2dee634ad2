"""Roles as a table of seeing and editing and as their users see them; whether agents export their own day."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from dashboard.access import agent_exports, presets
from dashboard.access.permissions import SECTIONS, Permission
from dashboard.models import Access, Event, Setting, Source, Team, TeamLead, TeamMember, User
from dashboard.pages.settings.accesses import forms
from tests import make
from tests.pages import asks

P = Permission


@pytest.fixture
def admin(client: FlaskClient) -> User:
    user = make.administrator()
    make.sign_in(client, user)
    return user


@pytest.fixture
def target(admin: User) -> Access:
    return make.access([P.QUEUES_VIEW, P.TRACING_VIEW], ["led_teams"], name="Seniors")


def test_each_permission_has_one_box_and_editing_stands_beside_seeing() -> None:
    lines = [line for _title, lines in forms.matrix(SECTIONS) for line in lines]
    boxes = [choice.permission for line in lines for choice in line if choice]
    assert sorted(boxes) == sorted(set(P) - {P.SELF})
    assert (P.QUEUES_VIEW, P.QUEUES_EDIT) in [
        (line.see.permission, line.edit.permission) for line in lines if line.see and line.edit
    ]
    assert [line.edit.permission for line in lines if line.edit and not line.see].count(P.POLICY_EDIT) == 1


def test_the_preview_shows_what_a_holder_sees(client: FlaskClient, target: Access) -> None:
    eva, ota = make.user("eva", access=target), make.user("ota", access=target)
    team = Team.create(name="North")
    TeamLead.create(team=team, user=eva)
    for login in ("petr", "jana"):
        TeamMember.create(team=team, user=make.user(login))
    url = f"/accesses/{target.id}/edit?tab=preview"
    page = client.get(url).text
    assert "As Eva sees it" in page
    assert "<dd>Eva, Jana, Petr</dd>" in page
    assert "<dd>Only those of own work</dd><dt>Contact details</dt><dd>Masked</dd>" in page
    assert "<dd>Ota</dd>" in client.get(f"{url}&as=ota").text
    User.update(deactivated_ts=1).where(User.id == ota.id).execute()
    for login in ("ota", "admin", "nobody"):
        assert client.get(f"{url}&as={login}").status_code == 404
    theirs = client.application.test_client()
    make.sign_in(theirs, eva)
    nav = theirs.get("/account").text.partition("<details")[0]
    menu = [label.strip() for label in re.findall(r"<li><a[^>]*><svg.*?</svg>([^<]+)", nav)]
    assert re.findall(r"<dt>(.*?)</dt>", page)[: len(menu)] == menu
    assert len(menu) > 3


def test_the_preview_names_nobody_outside_of_the_viewers_scope(client: FlaskClient) -> None:
    asks.sign_in_with(client, P.ACCESSES_EDIT, P.ACCESSES_VIEW, grants=["led_teams"])
    wide = make.access([P.QUEUES_VIEW], [("users", make.user("hidden").id)])
    make.user("holder", access=wide)
    page = client.get(f"/accesses/{wide.id}/edit?tab=preview").text
    assert "As a user with this role sees it" in page
    assert "<dd>1 more</dd>" in page
    assert "Hidden" not in page


def test_an_administrator_is_asked_once_whether_agents_export_their_own_day(
    client: FlaskClient, admin: User
) -> None:
    question = "Agents can be allowed to export their own day"
    presets.make()
    source = Source.create(name="pbx", created_ts=1)  # before any data Home shows the set-up alone
    Event.create(source_id=source.id, external_id="1", type="call.queued", time_ms=1, recorded_ms=1)
    agent = Access.get(Access.name == "Agent")
    assert question not in client.get("/").text  # a new installation
    kept = ["events.view", "rules.own"]
    for allow, held in (
        ("1", [*kept, "tracing.export_data", "tracing.export_pdf"]),
        ("0", kept),
    ):
        Setting.delete().where(Setting.name == agent_exports.ANSWER).execute()
        Access.update(permissions=kept).where(Access.id == agent.id).execute()
        asks.sign_in_with(client, P.HOME_VIEW, P.ACCESSES_EDIT)
        assert question not in client.get("/").text  # who lacks the exports cannot grant them
        make.sign_in(client, admin)
        assert question in client.get("/").text
        assert client.post("/accesses/agent-exports", data={"allow": "x"}).status_code == 422
        assert client.post("/accesses/agent-exports", data={"allow": allow}).location == "/"
        assert Access.get_by_id(agent.id).permissions == held
        assert question not in client.get("/").text
        client.post("/accesses/agent-exports", data={"allow": "1"})
        assert Access.get_by_id(agent.id).permissions == held
    assert asks.audited("access.updated").changes == {
        "permissions": [kept, [*kept, "tracing.export_data", "tracing.export_pdf"]]
    }
