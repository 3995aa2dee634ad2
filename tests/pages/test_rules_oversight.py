"""Rules of users, looked after by others: read, switched off, adopted, given away, never changed."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from dashboard.access.permissions import Permission
from dashboard.models import Rule, RuleDraft
from dashboard.pages.rules import commands
from dashboard.rules import active_rules
from tests.pages import asks
from tests.pages.rulerows import CALL, owner, rule

P = Permission


@pytest.fixture
def hers(client: FlaskClient) -> Rule:
    return rule("Hers", owner("jana", P.RULES_OWN), CALL, state="on")


def test_an_employees_rule_is_read_in_words(client: FlaskClient, hers: Rule) -> None:
    asks.sign_in_with(client, P.RULES_OVERSEE)
    page = client.get(f"/rules/{hers.id}").text
    assert "When “Call abandoned” occurs, if Waiting time" in page
    assert "<dd>Jana</dd>" in page
    assert f'href="/rules/{hers.id}/edit"' not in page
    assert f'href="/rules/{hers.id}/adopt"' not in page
    assert f'href="/rules/{hers.id}/edit"' not in client.get("/rules").text


def test_oversight_switches_off_and_not_on(client: FlaskClient, hers: Rule) -> None:
    asks.sign_in_with(client, P.RULES_OVERSEE)
    assert client.post("/rules/bulk", data={"one": f"off:{hers.id}"}).status_code == 302
    assert Rule.get().state == "off"
    for op in ("on", "shadow", "delete", "move", "up", "resume", "copy"):
        assert client.post("/rules/bulk", data={"op": op, "id": hers.id}).status_code == 403
    assert Rule.get().state == "off"
    assert asks.audited("rule.switched").changes == {"state": ["on", "off"]}


def test_a_rule_is_adopted_by_who_may_edit_the_sites(client: FlaskClient, hers: Rule) -> None:
    viewer = asks.sign_in_with(client, P.RULES_OVERSEE, P.RULES_EDIT)
    RuleDraft.create(user_id=hers.owner_id, rule_id=hers.id, form={}, updated_ms=0)
    url = f"/rules/{hers.id}/adopt"
    assert "Make Hers a system rule?" in client.get(url).text
    assert Rule.get().owner_id == hers.owner_id
    assert client.post(url).location == "/rules?list=system"
    now = Rule.get()
    assert (now.owner_id, now.state, now.updated_by, now.version) == (None, "off", viewer.id, hers.version)
    assert not RuleDraft.select().exists()
    assert not active_rules.live().rules
    changes = asks.audited("rule.handed_over").changes
    assert changes == {"owner": ["jana", None], "state": ["on", "off"]}
    assert client.post(url).status_code == 404


def test_a_rule_changes_hands_once(client: FlaskClient, hers: Rule) -> None:
    viewer = asks.sign_in_with(client, P.RULES_OVERSEE, P.RULES_EDIT)
    asked_before = Rule.get()
    with client.application.test_request_context():
        assert commands.hand_over(asked_before, None, viewer)
        assert not commands.hand_over(asked_before, viewer, viewer)
    assert Rule.get().owner_id is None
    assert asks.entries() == 1


def test_a_rule_is_given_to_another_user(client: FlaskClient, hers: Rule) -> None:
    petr = owner("petr", P.RULES_OWN)
    rule("His", petr, position=4)
    asks.sign_in_with(client, P.RULES_OVERSEE)
    url = f"/rules/{hers.id}/transfer"
    assert f'value="{petr.id}"' in client.get(f"{url}?q=petr").text
    assert client.post(url, data={"user": petr.id}).location == "/rules?list=employees"
    now = Rule.get_by_id(hers.id)
    assert (now.owner_id, now.updated_by, now.state, now.position) == (petr.id, petr.id, "off", 5)
    assert asks.audited("rule.handed_over").changes["owner"] == ["jana", "petr"]


@pytest.mark.parametrize(
    ("columns", "permissions"), [({}, (P.HOME_VIEW,)), ({"deactivated_ts": 1}, (P.RULES_OWN,))]
)
def test_who_may_have_no_rules_is_given_none(
    client: FlaskClient, hers: Rule, columns: dict[str, object], permissions: tuple[P, ...]
) -> None:
    petr = owner("petr", *permissions, **columns)
    asks.sign_in_with(client, P.RULES_OVERSEE)
    url = f"/rules/{hers.id}/transfer"
    for data, said in (({"user": petr.id}, "Petr isn&#39;t allowed to have rules"), ({}, "Choose a user")):
        answer = client.post(url, data=data)
        assert answer.status_code == 422
        assert said in answer.text
    assert Rule.get().owner_id == hers.owner_id
    assert asks.entries() == 0


def test_nobody_out_of_scope_is_given_a_rule(client: FlaskClient, hers: Rule) -> None:
    petr = owner("petr", P.RULES_OWN)
    asks.sign_in_with(client, P.RULES_OVERSEE, grants=[("users", hers.owner_id)])
    for ident in (petr.id, 987_654):
        assert client.post(f"/rules/{hers.id}/transfer", data={"user": ident}).status_code == 404
    assert "Petr" not in client.get(f"/rules/{hers.id}/transfer").text


def test_ones_own_rules_and_the_sites_are_not_handed_over(client: FlaskClient) -> None:
    viewer = asks.sign_in_with(client, P.RULES_OVERSEE, P.RULES_EDIT, P.RULES_VIEW, P.RULES_OWN)
    for made in (rule("Site"), rule("Mine", viewer)):
        for verb in ("adopt", "transfer"):
            assert client.get(f"/rules/{made.id}/{verb}").status_code == 404
            assert client.post(f"/rules/{made.id}/{verb}").status_code == 404


def test_who_may(client: FlaskClient, hers: Rule) -> None:
    for verb in ("adopt", "transfer"):
        asks.refuses_strangers(client, f"/rules/{hers.id}/{verb}")
        asks.refuses_posts(client, f"/rules/{hers.id}/{verb}", P.RULES_EDIT)
    asks.refuses_posts(client, f"/rules/{hers.id}/adopt", P.RULES_OVERSEE)
    asks.sign_in_with(client, P.RULES_OWN, P.RULES_VIEW)
    assert client.get(f"/rules/{hers.id}").status_code == 404
