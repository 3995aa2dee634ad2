"""What is done to the rules that are ticked, or to one by the buttons of its row; deletion asks first."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from dashboard import clock, models
from dashboard.access.permissions import Permission
from dashboard.jobs import worker
from dashboard.models import (
    AuditEntry,
    Invitation,
    Job,
    Mark,
    Notification,
    Rule,
    RuleCount,
    RuleDraft,
    RuleGroup,
    RuleLimit,
    RuleVersion,
    Run,
    Step,
    Timer,
    User,
)
from dashboard.models.rules import OfRule
from dashboard.pages.rules import commands
from dashboard.rules import active_rules
from dashboard.rules.timing import timer_sync
from tests.pages import asks
from tests.pages.rulerows import CALL, CHAT, FAILED_SIGN_IN, listed, owner, rule, run
from tests.rules.engine import event, send

P = Permission
SITE = (P.RULES_OWN, P.RULES_VIEW, P.RULES_EDIT, P.RULES_SWITCH, P.RULES_TRACES)


@pytest.fixture
def editor(client: FlaskClient) -> FlaskClient:
    asks.sign_in_with(client, *SITE)
    return client


@pytest.fixture
def jana(client: FlaskClient) -> User:
    """Somebody with rules of her own; nobody is signed in by this."""
    return owner("jana", P.RULES_OWN, name="Jana Malá")


def states() -> list[str]:
    return [state for (state,) in Rule.select(Rule.state).order_by(Rule.id).tuples()]


IDLE = {"types": ["ticket.idle"], "after": {"seconds": 60}, "then": [{"do": "log", "text": "x"}]}


@pytest.mark.parametrize("op", ["on", "shadow"])
@pytest.mark.parametrize(("choice", "armed"), [("new", True), ("all", False)])
def test_switching_on_asks_about_what_is_open_already(
    editor: FlaskClient, op: str, choice: str, armed: bool
) -> None:
    send(event("ticket.created", interaction="t"), event("ticket.created", interaction="u"))
    made = [rule("Idle", definition=IDLE), rule("Idle too", definition=IDLE), rule("Other")]
    data = {"op": op, "id": [each.id for each in made]}
    answer = editor.post("/rules/bulk?list=system", data=data)
    assert answer.status_code == 422
    assert "2 items are already open." in answer.text
    assert states() == ["off"] * 3
    answer = editor.post("/rules/bulk?list=system", data={**data, "existing": choice})
    assert answer.location == "/rules?list=system"
    assert states() == [op] * 3
    assert [each.armed_ms > 0 for each in Rule.select().order_by(Rule.id)] == [armed, armed, True]
    jobs = [job.args["rule"] for job in Job.select().where(Job.kind == timer_sync.ARM)]
    assert sorted(jobs) == ([] if armed else [made[0].id, made[1].id])


def test_switching_on_asks_nothing_where_nothing_is_open(editor: FlaskClient) -> None:
    made = rule("Idle", definition=IDLE)
    editor.post("/rules/bulk?list=system", data={"op": "on", "id": str(made.id)})
    assert states() == ["on"]


@pytest.mark.parametrize(("op", "state"), [("on", "on"), ("shadow", "shadow"), ("off", "off")])
def test_ticked_rules_are_switched_and_audited_one_by_one(editor: FlaskClient, op: str, state: str) -> None:
    start = "shadow" if op == "off" else "off"
    made = [rule(name, state=start) for name in ("One", "Two", "Three")]
    before = active_rules.live().version
    data = {"op": op, "id": [made[0].id, made[2].id]}
    answer = editor.post("/rules/bulk?list=system&q=x&sort=-name", data=data)
    assert (answer.status_code, answer.location) == (302, "/rules?list=system&q=x&sort=-name")
    assert states() == [state, start, state]
    entries = AuditEntry.select().where(AuditEntry.action == "rule.switched")
    assert [entry.target_label for entry in entries] == ["One", "Three"]
    assert {tuple(entry.changes["state"]) for entry in entries} == {(start, state)}
    assert active_rules.live().version != before
    editor.post("/rules/bulk", data=data)
    assert entries.count() == 2


def test_a_rule_that_was_off_knows_of_stretches_from_now_on(editor: FlaskClient) -> None:
    made = rule("One")
    editor.post("/rules/bulk", data={"one": f"on:{made.id}"})
    armed = Rule.get_by_id(made.id).armed_ms
    assert abs(clock.now_ms() - armed) < 60_000
    editor.post("/rules/bulk", data={"one": f"shadow:{made.id}"})
    assert Rule.get_by_id(made.id).armed_ms == armed


@pytest.mark.parametrize("before", ["on", "shadow"])
def test_a_paused_rule_goes_on_as_what_it_was(editor: FlaskClient, before: str) -> None:
    made = rule("One", state="paused", paused_reason="It failed", errors=10)
    RuleCount.create(rule_id=made.id, kind="breaker", key="x", seen=[1])
    AuditEntry.create(
        occurred_ms=1,
        actor_type="system",
        actor_label="",
        action="rule.auto_paused",
        crud="u",
        outcome="success",
        target_type="rule",
        target_id=str(made.id),
        interface="job",
        changes={"state": [before, "paused"]},
    )
    editor.post("/rules/bulk", data={"one": f"resume:{made.id}"})
    now = Rule.get_by_id(made.id)
    assert (now.state, now.paused_reason, now.errors) == (before, "", 0)
    assert not RuleCount.select().exists()


def test_a_rule_that_is_not_complete_is_not_switched_on(client: FlaskClient) -> None:
    viewer = asks.sign_in_with(client, P.RULES_OWN)
    broken, system = rule("Broken", viewer, {"types": []}), rule("Wide", viewer, FAILED_SIGN_IN)
    for made in (broken, system):
        client.post("/rules/bulk", data={"one": f"on:{made.id}"})
        assert f"Not changed: {made.name}" in client.get("/rules").text
    assert states() == ["off", "off"]


def test_a_copy_is_off_and_stands_last_in_its_list(editor: FlaskClient) -> None:
    night = RuleGroup.create(name="Night")
    made = rule("N" * 120, definition=CALL, state="on", group=night, position=7)
    editor.post("/rules/bulk", data={"op": "copy", "id": made.id})
    copy = Rule.get(Rule.id != made.id)
    assert (copy.state, copy.owner_id, copy.group_id, copy.position) == ("off", None, night.id, 8)
    assert copy.name == "N" * 100 + " (copy)"
    assert copy.definition == CALL
    assert RuleVersion.get().definition == CALL
    assert asks.audited("rule.created").target_id == str(copy.id)


def test_who_may_not_edit_the_site_copies_to_his_own(client: FlaskClient) -> None:
    viewer = asks.sign_in_with(client, P.RULES_OWN, P.RULES_VIEW)
    made = rule("Site")
    client.post("/rules/bulk", data={"op": "copy", "id": made.id})
    assert Rule.get(Rule.id != made.id).owner_id == viewer.id


@pytest.mark.parametrize(("count", "said"), [(0, "at least one"), (2, "Select only one rule to open.")])
def test_editing_takes_exactly_one(editor: FlaskClient, count: int, said: str) -> None:
    made = [rule(f"Rule {number}") for number in range(count)]
    answer = editor.post("/rules/bulk?list=system", data={"op": "edit", "id": [each.id for each in made]})
    assert answer.location == "/rules?list=system"
    assert said in editor.get("/rules?list=system").text
    one = rule("One")
    assert editor.post("/rules/bulk", data={"op": "edit", "id": one.id}).location == f"/rules/{one.id}/edit"


def test_deletion_asks_first_and_says_what_goes(editor: FlaskClient) -> None:
    made, kept = rule("Gone"), rule("Kept")
    first = run(made)
    run(kept)
    Step.create(run=first, rule_id=made.id, n=0, action="email", key="k", state="waiting", made_ms=1)
    Timer.create(rule_id=made.id, kind="wait", subject="x", base_ms=0, due_ms=0)
    RuleDraft.create(user_id=1, rule_id=made.id, form={}, updated_ms=0)
    RuleCount.create(rule_id=made.id, kind="times", key="x")
    RuleLimit.create(rule_id=made.id, n=0, key="x")
    asked = editor.post("/rules/bulk?list=system", data={"op": "delete", "id": made.id})
    assert asked.location == f"/rules/delete?id={made.id}&list=system"
    page = editor.get(asked.location).text
    assert "Delete Gone?" in page
    assert "Run history is also deleted: 1." in page
    assert Rule.select().count() == 2
    assert editor.post(asked.location).location == "/rules?list=system"
    assert [each.name for each in Rule.select()] == ["Kept"]
    assert Step.get().state == "cancelled"
    assert not Timer.select().exists()
    assert [model for model in OfRule.__subclasses__() if model.select().exists()] == []
    assert asks.audited("rule.deleted").changes["definition"] == [CHAT, None]
    worker.drain(["rule_runs"])
    assert [each.rule_id for each in Run.select()] == [kept.id]
    assert not Step.select().exists()
    assert editor.post(asked.location).status_code == 404


def test_every_table_with_rows_of_a_rule_is_deleted_with_it_or_a_record() -> None:
    records = {Run, Step, Mark, Notification, Invitation}  # of what has been done
    keys = {model for model in models.ALL if "rule_id" in model._meta.columns and not hasattr(model, "rule")}
    assert keys - records == set(OfRule.__subclasses__())


def test_many_runs_are_deleted_some_at_a_time(editor: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.pages.rules.commands.FORGET_AT_ONCE", 2)
    monkeypatch.setattr("dashboard.pages.rules.queries.RUNS_COUNTED", 4)
    made = rule("Busy")
    for _number in range(5):
        run(made)
    assert "more than 4" in editor.get(f"/rules/delete?id={made.id}").text
    editor.post(f"/rules/delete?id={made.id}")
    worker.drain(["rule_runs"])
    assert not Run.select().exists()


def test_rules_move_into_a_group_and_out(editor: FlaskClient) -> None:
    night, made = RuleGroup.create(name="Night"), rule("One")
    for target, group in ((night.id, night.id), ("", None)):
        editor.post("/rules/bulk", data={"op": "move", "id": made.id, "to_group": target})
        assert Rule.get_by_id(made.id).group_id == group
    changes = [entry.changes for entry in AuditEntry.select().where(AuditEntry.action == "rule.updated")]
    assert changes == [{"group": [None, "Night"]}, {"group": ["Night", None]}]
    wrong = editor.post("/rules/bulk", data={"op": "move", "id": made.id, "to_group": 999})
    assert wrong.status_code == 404


def test_ones_own_rules_have_no_group(editor: FlaskClient) -> None:
    mine = rule("Mine", User.get())
    RuleGroup.create(name="Night")
    assert editor.post("/rules/bulk", data={"op": "move", "id": mine.id}).status_code == 403


def test_a_rule_changes_places_with_its_neighbour(editor: FlaskClient) -> None:
    first, second, third = (rule(name) for name in ("A", "B", "C"))
    rule("Mine", User.get())
    url = "/rules?list=system&by=none&sort=order"
    editor.post("/rules/bulk", data={"one": f"up:{third.id}"})
    assert listed(editor, url) == [first.id, third.id, second.id]
    editor.post("/rules/bulk", data={"one": f"down:{first.id}"})
    assert listed(editor, url) == [third.id, first.id, second.id]
    assert [each.position for each in Rule.select().order_by(Rule.id)] == [2, 3, 1, 0]
    editor.post("/rules/bulk", data={"one": f"up:{third.id}"})
    assert AuditEntry.select().where(AuditEntry.action == "rule.updated").count() == 2
    assert f'value="up:{third.id}"' in editor.get(url).text
    assert "up:" not in editor.get("/rules?list=system").text


def test_what_was_deleted_meanwhile_is_neither_moved_nor_shifted(editor: FlaskClient) -> None:
    made = rule("One")
    made.delete_instance()
    with editor.application.test_request_context():
        assert not commands.shift(made, 1)
        assert commands.move([made], None) == commands.delete([made]) == 0
    assert asks.entries() == 0


@pytest.mark.parametrize("op", ["edit", "delete", "copy", "on", "shadow", "off", "move", "export", "resume"])
def test_a_foreign_id_alone_is_none_and_nothing_changes(client: FlaskClient, jana: User, op: str) -> None:
    viewer = asks.sign_in_with(client, *SITE)
    rule("Mine", viewer, state="paused")
    hers = rule("Hers", jana, state="paused")
    for foreign in (hers.id, 987_654):
        assert client.post("/rules/bulk", data={"op": op, "id": [foreign]}).status_code == 404
        assert client.post("/rules/bulk", data={"one": f"{op}:{foreign}"}).status_code == 404
    assert states() == ["paused", "paused"]
    assert Rule.select().count() == 2
    assert asks.entries() == 0


@pytest.mark.parametrize("op", ["edit", "delete", "copy", "on", "shadow", "off", "export", "resume"])
def test_rules_that_are_gone_or_foreign_are_left_out_with_a_message(
    client: FlaskClient, jana: User, op: str
) -> None:
    viewer = asks.sign_in_with(client, *SITE)
    mine, hers = rule("Mine", viewer, state="paused"), rule("Hers", jana, state="paused")
    for foreign, others in (([hers.id], "1 selected rule no longer exists."), ([1_000, 1_001], "2 selected")):
        answer = client.post("/rules/bulk", data={"op": op, "id": [mine.id, *foreign]})
        assert answer.status_code == 302
        assert str(hers.id) not in answer.location
        assert others in client.get("/rules").text
    assert Rule.get_by_id(hers.id).state == "paused"
    switched = {"on": "on", "shadow": "shadow", "off": "off", "resume": "shadow"}
    assert Rule.get_by_id(mine.id).state == switched.get(op, "paused")
    assert Rule.select().where(Rule.owner_id == jana.id).count() == 1


def test_a_refusal_to_switch_on_names_every_incomplete_rule(editor: FlaskClient) -> None:
    made = [rule(name, definition={"types": []}) for name in ("First", "Second")]
    editor.post("/rules/bulk", data={"op": "on", "id": [each.id for each in (*made, rule("Good"))]})
    assert "these rules are incomplete: First, Second. Open" in editor.get("/rules?list=system").text
    made = [rule(f"{number} " + "長" * 110, definition={"types": []}) for number in range(60)]
    answer = editor.post("/rules/bulk", data={"op": "on", "id": [each.id for each in made]})
    assert answer.status_code == 422
    assert [each.name for each in made if each.name not in answer.text] == []
    assert set(states()) == {"off"}


@pytest.mark.parametrize("op", ["delete", "copy", "on", "shadow", "off", "move", "up", "resume"])
def test_who_only_sees_the_rules_of_the_site_changes_none(client: FlaskClient, op: str) -> None:
    made = rule("Site", state="paused")
    asks.sign_in_with(client, P.RULES_VIEW)
    assert client.post("/rules/bulk", data={"op": op, "id": made.id}).status_code == 403
    assert states() == ["paused"]
    assert Rule.select().count() == 1
    page = client.get("/rules").text
    assert f'href="/rules/{made.id}"' in page
    for verb in ("delete", "on", "shadow", "off"):
        assert f'name="op" value="{verb}"' not in page


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({}, 302),
        ({"op": "zzz", "id": "1"}, 400),
        ({"one": "zzz"}, 404),
        ({"one": "zzz:1"}, 400),
        ({"one": "on:x"}, 404),
        ({"op": "on", "id": "x"}, 302),
        ({"op": "on", "id": "9" * 30}, 302),
    ],
)
def test_a_bad_form_changes_nothing(editor: FlaskClient, data: dict[str, str], status: int) -> None:
    rule("One")
    assert editor.post("/rules/bulk", data=data).status_code == status
    assert states() == ["off"]
