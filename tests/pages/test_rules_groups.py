"""Groups of rules: added, renamed, paused, deleted."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from dashboard.access.permissions import Permission
from dashboard.models import AuditEntry, Rule, RuleGroup
from dashboard.rules import active_rules
from tests.pages import asks
from tests.pages.rulerows import rule

P = Permission


@pytest.fixture
def editor(client: FlaskClient) -> FlaskClient:
    asks.sign_in_with(client, P.RULES_VIEW, P.RULES_EDIT, P.RULES_OPERATE)
    return client


def test_a_group_is_added_listed_and_audited(editor: FlaskClient) -> None:
    assert editor.post("/rules/groups", data={"name": " Night "}).location == "/rules/groups"
    group = RuleGroup.get()
    rule("One", group=group)
    page = editor.get("/rules/groups").text
    assert f'<a class="name" href="/rules/groups/{group.id}">Night</a>' in page
    assert f'<a href="/rules?list=system&amp;group={group.id}">1</a>' in page
    assert asks.audited("rule_group.created").changes == {"name": [None, "Night"]}


@pytest.mark.parametrize(
    ("name", "said"), [("", "Enter 1 to 120"), ("a\nb", "control"), ("Taken", "already")]
)
def test_a_bad_name_is_told_and_nothing_changes(editor: FlaskClient, name: str, said: str) -> None:
    RuleGroup.create(name="Taken")
    night = RuleGroup.create(name="Night")
    for url in ("/rules/groups", f"/rules/groups/{night.id}"):
        answer = editor.post(url, data={"name": name, "version": "1"})
        assert answer.status_code == 422
        assert said in answer.text
    assert [group.name for group in RuleGroup.select().order_by(RuleGroup.id)] == ["Taken", "Night"]
    assert asks.entries() == 0


def test_later_of_two_editors_is_warned(editor: FlaskClient) -> None:
    night = RuleGroup.create(name="Night")
    url = f"/rules/groups/{night.id}"
    assert editor.post(url, data={"name": "Nights", "version": "1"}).status_code == 302
    late = editor.post(url, data={"name": "Late", "version": "1"})
    assert late.status_code == 422
    assert "<td>Nights</td><td>Late</td>" in late.text
    assert RuleGroup.get().name == "Nights"
    assert asks.audited("rule_group.updated").changes == {"name": ["Night", "Nights"]}


def test_the_rules_of_a_paused_group_are_not_asked(editor: FlaskClient) -> None:
    night = RuleGroup.create(name="Night")
    made = rule("One", state="on", group=night)
    url = f"/rules/groups/{night.id}/pause"
    for paused, asked in (("1", set()), ("1", set()), ("0", {made.id})):
        assert editor.post(url, data={"paused": paused}).location == "/rules/groups"
        assert set(active_rules.live().rules) == asked
    entries = AuditEntry.select().where(AuditEntry.action == "rule_group.updated")
    assert [entry.changes for entry in entries] == [{"paused": [False, True]}, {"paused": [True, False]}]


def test_after_a_pause_one_is_led_back_and_nowhere_else(editor: FlaskClient) -> None:
    url = f"/rules/groups/{RuleGroup.create(name='Night').id}/pause"
    for wanted, place in (("/operations", "/operations"), ("//evil", "/rules/groups")):
        assert editor.post(url, data={"next": wanted}).location == place


def test_deletion_asks_first_and_keeps_the_rules(editor: FlaskClient) -> None:
    night = RuleGroup.create(name="Night", paused=True)
    made = rule("One", state="on", group=night)
    url = f"/rules/groups/{night.id}/delete"
    page = editor.get(url).text
    assert "The group has 1 rule. It will be kept without a group." in page
    assert "The group is paused; its rules will then resume." in page
    assert editor.post(url).location == "/rules/groups"
    assert Rule.get_by_id(made.id).group_id is None
    assert set(active_rules.live().rules) == {made.id}
    assert asks.audited("rule_group.deleted").changes == {"name": ["Night", None]}
    assert editor.post(url).status_code == 404


def test_hostile_text_is_shown_as_typed(editor: FlaskClient) -> None:
    editor.post("/rules/groups", data={"name": asks.HOSTILE})
    for url in ("/rules/groups", f"/rules/groups/{RuleGroup.get().id}", "/operations"):
        assert asks.SHOWN in editor.get(url).text


def test_who_may(client: FlaskClient) -> None:
    url = f"/rules/groups/{RuleGroup.create(name='Night').id}"
    for each in ("/rules/groups", url, f"{url}/delete"):
        asks.refuses_strangers(client, each)
    for each in ("/rules/groups", url, f"{url}/delete", f"{url}/pause"):
        asks.refuses_posts(client, each, P.RULES_VIEW)
    assert 'name="name"' not in client.get("/rules/groups").text
    asks.sign_in_with(client, P.RULES_EDIT, P.RULES_OPERATE)
    for each in ("/rules/groups/999", "/rules/groups/999/delete"):
        assert client.get(each).status_code == 404
    assert client.post("/rules/groups/999/pause").status_code == 404
    assert client.get(f"{url}/pause").status_code == 405
