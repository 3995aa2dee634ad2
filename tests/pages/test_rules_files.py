"""Rules out as a file and in again, and the starter set."""

from __future__ import annotations

import io
import json

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboard.access.permissions import Permission
from dashboard.models import Rule, RuleVersion
from dashboard.rulelang.matcher import State
from dashboard.rules import activation, active_rules, starter, starter_rules
from tests import make
from tests.pages import asks
from tests.pages.rulerows import CALL, CHAT, rule
from tests.pages.typed import posted

P = Permission


@pytest.fixture
def editor(client: FlaskClient) -> FlaskClient:
    asks.sign_in_with(client, P.RULES_OWN, P.RULES_VIEW, P.RULES_EDIT, P.RULES_SWITCH)
    return client


def sent(client: FlaskClient, data: bytes, which: str = "system") -> TestResponse:
    return client.post(f"/rules/import?list={which}", data={"file": (io.BytesIO(data), "rules.json")})


def names(client: FlaskClient, url: str) -> list[str]:
    return [each["name"] for each in json.loads(client.get(url).data)["rules"]]


def test_the_ticked_rules_or_the_whole_list_go_out(editor: FlaskClient) -> None:
    made = [rule(name, definition=CALL) for name in ("One", "Two", "Three")]
    led = editor.post(
        "/rules/bulk?list=system", data={"op": "export", "id": [made[0].id, made[2].id]}
    ).location
    assert names(editor, led) == ["One", "Three"]
    assert names(editor, editor.post("/rules/bulk?list=system", data={"op": "export"}).location) == [
        "One",
        "Two",
        "Three",
    ]
    answer = editor.get("/rules/export?list=system")
    assert answer.mimetype == "application/json"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert answer.headers["Cache-Control"] == "no-store"


def test_an_export_is_audited_with_its_number(editor: FlaskClient) -> None:
    rule("One")
    editor.get("/rules/export?list=system")
    assert asks.audited("rule.exported").details == {"rows": 1}


def test_a_foreign_rule_or_list_does_not_go_out(editor: FlaskClient) -> None:
    mine, hers = rule("Site"), rule("Hers", make.user("jana"))
    assert editor.get(f"/rules/export?id={mine.id}&id={hers.id}").status_code == 404
    assert editor.get("/rules/export?list=employees").status_code == 404
    assert asks.entries() == 0


def test_a_file_comes_back_as_it_went_switched_off(editor: FlaskClient) -> None:
    rule("Lost calls", definition=CALL, state="on", description="Why")
    data = editor.get("/rules/export?list=system").data
    Rule.delete().execute()
    before = active_rules.live().version
    page = sent(editor, data)
    assert page.status_code == 200
    assert "1 rule added" in page.text
    made = Rule.get()
    assert (made.name, made.description, made.state, made.owner_id) == ("Lost calls", "Why", "off", None)
    assert made.definition["types"] == CALL["types"]
    assert RuleVersion.get().rule_id == made.id
    assert active_rules.live().version != before
    assert asks.audited("rule.created").target_label == "Lost calls"


def test_the_same_file_twice_is_the_same_as_once(editor: FlaskClient) -> None:
    rule("Lost calls", definition=CALL)
    data = editor.get("/rules/export?list=system").data
    page = sent(editor, data).text
    assert "1 rule skipped" in page
    assert "A rule with this name already exists in the list." in page
    assert Rule.select().count() == 1
    sent(editor, data, "my")
    assert Rule.select().where(Rule.owner_id.is_null(False)).count() == 1


def test_faulty_rule_is_reported_and_the_others_are_imported(editor: FlaskClient) -> None:
    lost = {**CHAT, "then": [*CHAT["then"], {"do": "webhook", "channel": "Gone"}]}
    rules = [
        {"name": "Good", "definition": CHAT},
        {"name": "Half", "definition": lost},
        {"name": asks.HOSTILE, "definition": {}},
    ]
    page = sent(editor, json.dumps({"stopa_rules": 1, "rules": rules}).encode()).text
    assert [made.name for made in Rule.select().order_by(Rule.id)] == ["Good", "Half"]
    assert "“Gone” doesn&#39;t exist here" in page
    assert asks.SHOWN in page
    assert asks.HOSTILE not in page


def incomplete(editor: FlaskClient) -> Rule:
    """Import a rule that loses a condition, and return it."""
    rating = {"field": "data.rating", "op": "older_than", "value": 3}
    raw = {**CHAT, "if": {"all": [rating, {"field": "user", "op": "is_empty"}]}}
    data = json.dumps({"stopa_rules": 1, "rules": [{"name": "Poor", "definition": raw}]}).encode()
    assert "Incomplete" in sent(editor, data).text
    made: Rule = Rule.get(Rule.name == "Poor")
    return made


def test_imported_rule_that_lost_a_condition_is_shown_as_incomplete(editor: FlaskClient) -> None:
    made = incomplete(editor)
    for url in ("/rules?list=system", f"/rules/{made.id}", f"/rules/{made.id}/edit"):
        page = editor.get(url).text
        assert "Skipped: The condition on “data.rating”. " in page, url
    assert "Poor" in editor.get("/rules?list=system&state=incomplete").text
    assert "Poor" not in editor.get("/rules?list=system&state=off").text


@pytest.mark.parametrize("op", ["on", "shadow"])
def test_incomplete_rule_cannot_be_switched_on_from_the_list(editor: FlaskClient, op: str) -> None:
    made = incomplete(editor)
    editor.post("/rules/bulk?list=system", data={"op": op, "id": str(made.id)})
    assert "Not changed: Poor is incomplete." in editor.get("/rules?list=system").text
    activation.switch([made], State(op))
    assert Rule.get_by_id(made.id).state == "off"


@pytest.mark.parametrize(
    "part",
    [
        {"if": {"all": [{"field": "retired", "op": "is", "value": "x"}]}},
        {"types": ["chat.retired"]},
        {"then": [{"do": "retired"}]},
    ],
    ids=["field", "type", "action"],
)
def test_rule_that_names_something_retired_stays_off_and_the_editor_says_what(
    editor: FlaskClient, part: dict[str, object]
) -> None:
    made = rule("Old", definition={**CHAT, **part})
    editor.post("/rules/bulk?list=system", data={"op": "on", "id": str(made.id)})
    assert Rule.get_by_id(made.id).state == "off"
    page = editor.get(f"/rules/{made.id}/edit").text
    assert "1 field needs a change" in page or "fields need a change" in page


def test_copy_of_an_incomplete_rule_is_incomplete(editor: FlaskClient) -> None:
    made = incomplete(editor)
    editor.post("/rules/bulk?list=system", data={"op": "copy", "id": str(made.id)})
    assert Rule.get(Rule.id != made.id).missing == made.missing != []


def test_saving_an_incomplete_rule_in_the_editor_completes_it(editor: FlaskClient) -> None:
    made = incomplete(editor)
    assert editor.post(f"/rules/{made.id}/edit", data=posted(made, state="on")).status_code == 302
    saved = Rule.get_by_id(made.id)
    assert (saved.missing, saved.state) == ([], "on")
    assert asks.audited("rule.updated").changes["incomplete"] == [True, False]
    assert "incomplete" not in editor.get(f"/rules/{made.id}/edit").text


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "Choose a file"),
        (b"\xff\x00", "valid JSON. Choose a file exported from Stopa."),
        (b"[" * 100_000, "valid JSON. Choose a file exported from Stopa."),
        (
            b'{"stopa_rules": 2, "rules": []}',
            "The file was exported from a newer version. Upgrade Stopa first.",
        ),
        (b'{"stopa_rules": 1}', "contains no rules"),
    ],
)
def test_invalid_file_is_reported_and_changes_nothing(editor: FlaskClient, data: bytes, said: str) -> None:
    answer = sent(editor, data)
    assert answer.status_code == 422
    assert said in answer.text
    assert Rule.select().count() == 0
    assert asks.entries() == 0


def test_a_file_that_is_too_large_is_not_read_whole(
    editor: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.rules.import_export.MAX_BYTES", 20)
    for data, said in (
        (b" " * 21, "larger than 1 MB"),
        (b" " * 20, "valid JSON. Choose a file exported from Stopa."),
    ):
        answer = sent(editor, data)
        assert answer.status_code == 422
        assert said in answer.text


def test_missing_file_is_reported(editor: FlaskClient) -> None:
    assert editor.post("/rules/import?list=my").status_code == 422


def test_the_starter_set_is_shown_in_words_and_added_once(editor: FlaskClient) -> None:
    page = editor.get("/rules/starter?list=system").text
    mine = starter.drafts(str, outward=False)
    assert [each.name for each in starter_rules.STARTERS if each.name not in page] == [
        "Auto-reply to a new ticket"
    ]
    assert "When “Call abandoned” occurs, if Waiting time" in page
    for said in (f"{len(mine)} rules added", "All of them have already been added."):
        assert editor.post("/rules/starter?list=system").location == "/rules?list=system"
        assert said in editor.get("/rules?list=system").text
    assert {(made.state, made.owner_id) for made in Rule.select()} == {("off", None)}
    assert Rule.select().count() == len(mine)


def test_who_may_let_rules_call_out_gets_the_whole_starter_set(client: FlaskClient) -> None:
    asks.sign_in_with(client, P.RULES_EDIT, P.RULES_OUTWARD)
    page = client.get("/rules/starter?list=system").text
    assert all(each.name in page for each in starter_rules.STARTERS)
    assert "send an email to the customer" in page
    client.post("/rules/starter?list=system")
    assert Rule.select().count() == len(starter_rules.STARTERS)


def test_of_the_starter_set_one_gets_what_suits_ones_own_rules(client: FlaskClient) -> None:
    viewer = asks.sign_in_with(client, P.RULES_OWN)
    assert "Failed sign-ins" not in client.get("/rules/starter").text
    assert client.post("/rules/starter").location == "/rules?list=my"
    assert {made.owner_id for made in Rule.select()} == {viewer.id}


def test_a_list_takes_in_only_from_who_may_change_it(client: FlaskClient) -> None:
    for url in ("/rules/import", "/rules/starter"):
        asks.refuses_strangers(client, url)
        asks.refuses_posts(client, url, P.RULES_VIEW)
        asks.sign_in_with(client, P.RULES_OWN)
        for which, status in (("system", 403), ("employees", 403), ("zzz", 404)):
            assert client.get(f"{url}?list={which}").status_code == status
            assert client.post(f"{url}?list={which}").status_code == status
    assert client.put("/rules/import").status_code == 405
    assert Rule.select().count() == 0
