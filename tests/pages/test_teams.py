"""The list of teams; a team's form with its people; deletion."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient

from dashboard.access.permissions import Permission
from dashboard.models import Team, TeamLead, TeamMember, User
from dashboard.web import lists
from tests import make
from tests.pages import asks
from tests.pages.html import Page

P = Permission


@pytest.fixture
def editor(client: FlaskClient) -> FlaskClient:
    asks.sign_in_with(client, P.TEAMS_VIEW, P.TEAMS_EDIT)
    return client


def team(name: str, members: list[User], leads: list[User]) -> Team:
    made = Team.create(name=name)
    for user in members:
        TeamMember.create(team=made, user=user)
    for user in leads:
        TeamLead.create(team=made, user=user)
    return made


def people(model: type[TeamMember] | type[TeamLead]) -> set[int]:
    return {user for (user,) in model.select(model.user).tuples()}


def test_a_team_is_added_listed_and_audited(editor: FlaskClient) -> None:
    jana, petr = make.user("jana"), make.user("petr")
    data = {"name": "North", "member": [jana.id, petr.id], "lead": [petr.id]}
    assert editor.post("/teams/new", data=data).status_code == 302
    assert (people(TeamMember), people(TeamLead)) == ({jana.id, petr.id}, {petr.id})
    entry = asks.audited("team.created")
    assert entry.changes["members"] == [None, ["Jana (jana)", "Petr (petr)"]]
    assert "<td>Petr</td>" in editor.get("/teams?q=petr").text
    asks.fragment_is_block(editor, "/teams?sort=-members")


def test_the_search_for_people_keeps_what_is_not_saved(editor: FlaskClient) -> None:
    jana, petr = make.user("jana"), make.user("petr")
    made = team("North", [], [])
    page = Page(editor.get(f"/teams/{made.id}?op=find&q=petr&name=South&member={jana.id}").text)
    assert page.having(value="South")
    (ticked,) = page.having(value=str(jana.id), **{"aria-label": "Jana, member"})
    assert "checked" in ticked.attributes
    (free,) = page.having(value=str(petr.id), **{"aria-label": "Petr, member"})
    assert "checked" not in free.attributes
    assert Team.get().name == "North"
    assert people(TeamMember) == set()


def test_more_people_than_fit_are_found_by_name(editor: FlaskClient) -> None:
    for number in range(55):
        make.user(f"agent{number}")
    assert "Search by name" in editor.get("/teams/new").text
    assert 'aria-label="Agent54, member"' in editor.get("/teams/new?op=find&q=agent54").text


def test_members_without_a_row_stay_until_a_search_shows_them(editor: FlaskClient) -> None:
    members = [make.user(f"agent{number:03}").id for number in range(lists.CHOSEN + 5)]
    made = team("North", members, members[-1:])
    page = Page(editor.get(f"/teams/{made.id}").text)
    assert "5 more stay selected. Search by name to change them." in page.text
    hidden = {name: page.having(type="hidden", name=name) for name in ("member", "lead")}
    assert [int(each.attributes["value"]) for each in hidden["member"]] == members[-5:]
    assert [int(each.attributes["value"]) for each in hidden["lead"]] == members[-1:]
    sent = {"name": "North", "member": members, "lead": members[-1:], "version": "1"}
    query = urlencode([("op", "find"), ("q", "agent104"), *(("member", ident) for ident in members)])
    (box,) = Page(editor.get(f"/teams/{made.id}?{query}").text).having(**{"aria-label": "Agent104, member"})
    assert "checked" in box.attributes
    assert editor.post(f"/teams/{made.id}", data={**sent, "member": members[1:]}).status_code == 302
    assert people(TeamMember) == set(members[1:])


@pytest.mark.parametrize(
    ("name", "said"), [("", "Enter 1 to 120"), ("a\nb", "control"), ("Taken", "already")]
)
def test_a_bad_name_is_told_and_nothing_changes(editor: FlaskClient, name: str, said: str) -> None:
    team("Taken", [], [])
    made = team("North", [], [])
    for url in ("/teams/new", f"/teams/{made.id}"):
        answer = editor.post(url, data={"name": name, "version": "1"})
        assert answer.status_code == 422
        assert said in answer.text
    assert Team.select().count() == 2
    assert asks.entries() == 0


def test_later_of_two_editors_is_warned(editor: FlaskClient) -> None:
    jana = make.user("jana")
    made = team("North", [], [])
    editor.post(f"/teams/{made.id}", data={"name": "North", "member": [jana.id], "version": "1"})
    late = editor.post(f"/teams/{made.id}", data={"name": "North", "version": "1"})
    assert late.status_code == 422
    assert "<td>Jana (jana)</td><td>–</td>" in late.text
    assert people(TeamMember) == {jana.id}


def test_people_out_of_scope_stay_and_are_not_named(client: FlaskClient) -> None:
    seen, unseen = make.user("seen"), make.user("unseen", name="Secret Person")
    made = team("North", [seen, unseen], [unseen])
    asks.sign_in_with(client, P.TEAMS_VIEW, P.TEAMS_EDIT, grants=[("users", seen.id)])
    for url in ("/teams", f"/teams/{made.id}"):
        assert "Secret" not in client.get(url).text
    assert "1 person in this team" in client.get(f"/teams/{made.id}").text
    assert client.post(f"/teams/{made.id}", data={"name": "N", "version": "1"}).status_code == 302
    assert (people(TeamMember), people(TeamLead)) == ({unseen.id}, {unseen.id})


@pytest.mark.parametrize("field", ["member", "lead"])
def test_naming_somebody_out_of_scope_is_as_naming_nobody(client: FlaskClient, field: str) -> None:
    seen, unseen = make.user("seen"), make.user("unseen")
    asks.sign_in_with(client, P.TEAMS_EDIT, grants=[("users", seen.id)])
    for ident in (unseen.id, 999):
        answer = client.post("/teams/new", data={"name": "N", field: [seen.id, ident]})
        assert answer.status_code == 404
    assert Team.select().count() == 0


def test_nobody_is_made_lead_of_people_whom_the_viewer_does_not_see(client: FlaskClient) -> None:
    seen, unseen = make.user("seen"), make.user("unseen")
    made = team("North", [unseen], [])
    viewer = asks.sign_in_with(client, P.TEAMS_EDIT, grants=["led_teams", ("users", seen.id)])
    for lead in (viewer, seen):
        answer = client.post(f"/teams/{made.id}", data={"name": "North", "lead": [lead.id], "version": "1"})
        assert answer.status_code == 422
    assert people(TeamLead) == set()


def test_deletion_asks_first_and_keeps_the_people(editor: FlaskClient) -> None:
    jana = make.user("jana")
    made = team("North", [jana], [jana])
    url = f"/teams/{made.id}/delete"
    assert "1 member" in editor.get(url).text
    assert editor.post(url).status_code == 302
    assert not Team.select().exists()
    assert User.get_by_id(jana.id).login == "jana"
    assert asks.audited("team.deleted").changes["members"] == [["Jana (jana)"], None]
    assert editor.post(url).status_code == 404


def test_hostile_text_is_shown_as_typed(editor: FlaskClient) -> None:
    editor.post("/teams/new", data={"name": asks.HOSTILE})
    assert asks.SHOWN in editor.get("/teams").text


def test_who_may(client: FlaskClient) -> None:
    made = team("North", [], [])
    for url in ("/teams", "/teams/new", f"/teams/{made.id}", f"/teams/{made.id}/delete"):
        asks.refuses_strangers(client, url)
    for url in ("/teams/new", f"/teams/{made.id}", f"/teams/{made.id}/delete"):
        asks.refuses_posts(client, url, P.TEAMS_VIEW)
    assert "<fieldset disabled>" in client.get(f"/teams/{made.id}").text
    assert client.get("/teams/99999999999999999999").status_code == 404
    assert client.put(f"/teams/{made.id}").status_code == 405
