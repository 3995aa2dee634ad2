"""The list of accesses; the tabs of one; adding, cloning, deleting."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from dashboard.access import presets
from dashboard.access.granting import Grant, grants_of
from dashboard.access.permissions import PRESETS, Permission
from dashboard.models import Access, User
from tests import make
from tests.pages import asks
from tests.pages.html import Page

pytestmark = pytest.mark.both_databases

P = Permission


@pytest.fixture
def admin(client: FlaskClient) -> User:
    user = make.administrator()
    make.sign_in(client, user)
    return user


@pytest.fixture
def target(admin: User) -> Access:
    return make.access([P.QUEUES_VIEW, P.TRACING_VIEW], ["led_teams"], name="Seniors")


def rights(access: Access) -> list[str]:
    return sorted(Access.get_by_id(access.id).permissions)


def general(access: Access, **changes: object) -> dict[str, object]:
    row = Access.get_by_id(access.id)
    return {
        "tab": "general",
        "name": row.name,
        "description": row.description,
        "version": row.version,
        **changes,
    }


def boxes(access: Access, tab: str, *ticked: str) -> dict[str, object]:
    return {"tab": tab, "part": "reports", "p": list(ticked), "version": Access.get_by_id(access.id).version}


def test_user_tracing_is_granted_under_advanced_settings_reports(client: FlaskClient, target: Access) -> None:
    url = f"/accesses/{target.id}/edit?tab=advanced&part=reports"
    page = Page(client.get(url).text)
    (view,), (export,) = page.having(value="tracing.view"), page.having(value="tracing.export_pdf")
    assert ("checked" in view.attributes, "checked" in export.attributes) == (True, False)
    assert page.having(value="queues.view") == []
    for _ in range(5):
        make.user(access=target)
    answer = client.post(
        f"/accesses/{target.id}/edit",
        data=boxes(target, "advanced", "tracing.view", "tracing.export_pdf"),
        follow_redirects=True,
    )
    assert "Saved. The new permissions apply to 5 users from the next page load." in answer.text
    assert rights(target) == ["queues.view", "tracing.export_pdf", "tracing.view"]
    assert "Granted: PDF export of user tracing" in answer.text
    assert asks.audited("access.updated").changes == {
        "permissions": [
            ["queues.view", "tracing.view"],
            ["queues.view", "tracing.export_pdf", "tracing.view"],
        ]
    }


def test_a_tab_keeps_what_the_others_hold(client: FlaskClient, target: Access) -> None:
    url = f"/accesses/{target.id}/edit"
    client.post(url, data=boxes(target, "modules", "users.view", "tracing.export_pdf"))
    assert rights(target) == ["tracing.view", "users.view"]
    assert grants_of(target.id) == [Grant("led_teams")]
    client.post(url, data=general(target, all_users="1", description="New"))
    assert rights(target) == ["tracing.view", "users.view"]
    assert grants_of(target.id) == [Grant("all_users")]


def test_permissions_of_a_later_version_survive_a_save(client: FlaskClient, target: Access) -> None:
    Access.update(permissions=["later.edit"]).where(Access.id == target.id).execute()
    client.post(f"/accesses/{target.id}/edit", data=boxes(target, "modules", "users.view"))
    assert rights(target) == ["later.edit", "users.view"]


def test_new_rights_hold_from_the_next_page(client: FlaskClient, target: Access) -> None:
    theirs = client.application.test_client()
    make.sign_in(theirs, make.user(access=target))
    assert theirs.get("/users").status_code == 403
    client.post(f"/accesses/{target.id}/edit", data=boxes(target, "modules", "users.view"))
    assert theirs.get("/users").status_code == 200
    client.post(f"/accesses/{target.id}/edit", data=boxes(target, "modules"))
    assert theirs.get("/users").status_code == 403


def test_the_scope_names_users_and_queues(client: FlaskClient, target: Access) -> None:
    user, queue = make.user("jana"), make.queue("support")
    url = f"/accesses/{target.id}/edit"
    client.post(url, data=general(target, users=[user.id], queues=[queue.id]))
    assert grants_of(target.id) == [Grant("queues", queue.id), Grant("users", user.id)]
    assert asks.audited("access.updated").changes["scope"] == [
        ["teams one leads"],
        ["queue support", "user jana"],
    ]
    page = client.get(url).text
    assert f'name="users" value="{user.id}" checked' in page
    assert f'name="queues" value="{queue.id}" checked' in page
    for field in ("users", "queues"):
        assert client.post(url, data=general(target, **{field: [999]})).status_code == 404


def test_the_search_for_people_keeps_what_is_not_saved(client: FlaskClient, target: Access) -> None:
    user = make.user("jana")
    page = client.get(
        f"/accesses/{target.id}/edit?op=find&q=admin&name=Other&users={user.id}&all_queues=1"
    ).text
    assert 'value="Other"' in page
    assert f'name="users" value="{user.id}" checked' in page
    assert 'name="all_queues" value="1" checked' in page
    assert Access.get_by_id(target.id).name == "Seniors"


def low(client: FlaskClient) -> User:
    """Sign in somebody who may edit accesses and users, and sees less than everything."""
    return asks.sign_in_with(
        client, P.ACCESSES_EDIT, P.ACCESSES_VIEW, P.USERS_EDIT, P.QUEUES_VIEW, grants=["led_teams"]
    )


def test_nobody_grants_a_permission_he_lacks(client: FlaskClient) -> None:
    low(client)
    plain = make.access([P.QUEUES_VIEW])
    url = f"/accesses/{plain.id}/edit"
    answer = client.post(url, data=boxes(plain, "modules", "queues.view", "keys.edit"))
    assert answer.status_code == 422
    assert "You can&#39;t grant permissions you don&#39;t have: Edit API keys." in answer.text
    assert rights(plain) == ["queues.view"]
    (box,) = Page(client.get(url + "?tab=modules").text).having(value="keys.edit")
    assert "disabled" in box.attributes


def test_a_box_that_the_viewer_lacks_stays_ticked(client: FlaskClient) -> None:
    low(client)
    more = make.access([P.KEYS_EDIT, P.QUEUES_VIEW])
    client.post(f"/accesses/{more.id}/edit", data=boxes(more, "modules"))
    assert rights(more) == ["keys.edit"]


@pytest.mark.parametrize("field", ["all_users", "all_queues"])
def test_nobody_grants_a_scope_he_lacks(client: FlaskClient, field: str) -> None:
    low(client)
    plain = make.access([], ["led_teams"])
    answer = client.post(f"/accesses/{plain.id}/edit", data=general(plain, led_teams="1", **{field: "1"}))
    assert answer.status_code == 422
    assert grants_of(plain.id) == [Grant("led_teams")]
    hidden = make.user("hidden")
    assert (
        client.post(f"/accesses/{plain.id}/edit", data=general(plain, users=[hidden.id])).status_code == 404
    )


def test_a_wider_access_is_out_of_reach_of_who_does_not_administer(client: FlaskClient) -> None:
    wide = make.access([P.KEYS_EDIT, P.ACCESSES_VIEW], ["all_users"])
    asks.sign_in_with(client, P.ACCESSES_EDIT, P.ACCESSES_VIEW)
    url = f"/accesses/{wide.id}/edit"
    assert "This role has permissions that yours lacks, so you" in client.get(url).text
    assert client.post(url, data=boxes(wide, "modules")).status_code == 422
    assert client.post(f"/accesses/{wide.id}/delete").status_code == 422
    assert rights(wide) == ["accesses.view", "keys.edit"]
    assert client.post("/accesses/new", data={"name": "Copy", "source": wide.id}).status_code == 422
    assert not Access.select().where(Access.name == "Copy").exists()


def test_ones_own_access_is_read_only(client: FlaskClient, admin: User) -> None:
    url = f"/accesses/{admin.access.id}/edit"
    page = client.get(url + "?tab=modules").text
    assert "This is your own role. Someone else with the same permissions must edit it." in page
    assert "<fieldset disabled>" in page
    for data in (boxes(admin.access, "modules"), general(admin.access, description="x")):
        assert client.post(url, data=data).status_code == 422
    assert len(rights(admin.access)) == len(Permission)
    assert asks.entries() == 0


def test_a_clone_has_permissions_and_scope(client: FlaskClient, target: Access) -> None:
    assert f'<option value="{target.id}" selected>' in client.get(f"/accesses/new?from={target.id}").text
    client.post("/accesses/new", data={"name": "Copy", "description": "", "source": target.id})
    copy = Access.get(Access.name == "Copy")
    assert (rights(copy), grants_of(copy.id)) == (rights(target), grants_of(target.id))
    assert asks.audited("access.created").details == {"copy_of": "Seniors"}


BAD = [
    ("name", "", "Enter 1 to 120 characters."),
    ("name", "Seniors", "A role with this name already exists."),
    ("description", "x" * 501, "Enter 0 to 500 characters."),
]


@pytest.mark.parametrize(("field", "value", "said"), BAD)
def test_a_bad_field_is_named_and_nothing_changes(
    client: FlaskClient, target: Access, field: str, value: str, said: str
) -> None:
    other = make.access(name="Other")
    for url, data in (("/accesses/new", {"name": "New"}), (f"/accesses/{other.id}/edit", general(other))):
        answer = client.post(url, data={**data, field: value})
        assert answer.status_code == 422
        assert said in answer.text
        assert f'href="#f-{field}"' in answer.text
    assert asks.entries() == 0


@pytest.mark.parametrize("tab", ["general", "modules"])
def test_later_of_two_editors_is_warned(client: FlaskClient, target: Access, tab: str) -> None:
    url = f"/accesses/{target.id}/edit"
    first, late = general(target, description="A"), general(target, description="B")
    if tab == "modules":
        first, late = boxes(target, tab, "users.view"), boxes(target, tab, "teams.view")
    assert client.post(url, data=first).status_code == 302
    answer = client.post(url, data=late)
    assert answer.status_code == 422
    assert "<td>A</td><td>B</td>" in answer.text or "<td>Users</td><td>Teams</td>" in answer.text
    assert Access.get_by_id(target.id).version == 2


def test_presets_can_be_changed_and_not_deleted(client: FlaskClient, admin: User) -> None:
    presets.make()
    agent = Access.get(Access.name == "Agent")
    assert client.post(f"/accesses/{agent.id}/delete").status_code == 422
    client.post(f"/accesses/{agent.id}/edit", data=general(agent, name="Other", description="Ours"))
    row = Access.get_by_id(agent.id)
    assert (row.name, row.description) == ("Agent", "Ours")
    page = client.get("/accesses?q=agent").text
    assert "Ours" in page
    assert all(preset.name in client.get("/accesses").text for preset in PRESETS)
    asks.fragment_is_block(client, "/accesses?sort=-users")


def test_an_access_in_use_is_not_deleted(client: FlaskClient, target: Access) -> None:
    user = make.user(access=target)
    url = f"/accesses/{target.id}/delete"
    assert "Some users have this role. Assign them another role first." in client.get(url).text
    assert client.post(url).status_code == 422
    User.update(access=None).where(User.id == user.id).execute()
    assert client.post(url).status_code == 302
    asks.audited("access.deleted")
    assert client.post(url).status_code == 404


def test_the_tab_users_says_who_has_it(client: FlaskClient, target: Access) -> None:
    user = make.user("jana", access=target)
    assert f'href="/users/{user.id}"' in client.get(f"/accesses/{target.id}/edit?tab=users").text


def test_hostile_text_is_shown_as_typed(client: FlaskClient, admin: User) -> None:
    client.post("/accesses/new", data={"name": asks.HOSTILE})
    assert asks.SHOWN in client.get("/accesses").text


def test_who_may(client: FlaskClient) -> None:
    target = make.access()
    edit, delete = f"/accesses/{target.id}/edit", f"/accesses/{target.id}/delete"
    for url in ("/accesses", "/accesses/new", edit, delete):
        asks.refuses_strangers(client, url)
    for url in ("/accesses/new", edit, delete):
        asks.refuses_posts(client, url, P.ACCESSES_VIEW)
    assert '<button class="btn pri"' not in client.get(edit).text
    for url in ("/accesses/99999999999999999999/edit", edit + "?tab=other", edit + "?tab=advanced&part=x"):
        assert client.get(url).status_code == 404
    assert client.delete(edit).status_code == 405
