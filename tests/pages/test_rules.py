"""The lists of rules: what they show, to whom, and what is done to the rules that are ticked."""

from __future__ import annotations

import pytest
import time_machine
from flask.testing import FlaskClient

from dashboard import clock
from dashboard.access.permissions import Permission
from dashboard.jobs import worker
from dashboard.models import (
    AuditEntry,
    Rule,
    RuleCount,
    RuleDraft,
    RuleGroup,
    RuleVersion,
    Run,
    Step,
    Timer,
    User,
)
from dashboard.pages.rules import commands
from dashboard.rules import store
from dashboard.rules.outcomes import RunOutcome
from tests import make
from tests.pages import asks
from tests.pages.html import Page
from tests.pages.rulerows import CALL, CHAT, FAILED_SIGN_IN, rule, run

P = Permission
SITE = (P.RULES_OWN, P.RULES_VIEW, P.RULES_EDIT, P.RULES_SWITCH, P.RULES_TRACES)
DAY_S = 86_400


@pytest.fixture
def editor(client: FlaskClient) -> FlaskClient:
    asks.sign_in_with(client, *SITE)
    return client


@pytest.fixture
def jana(client: FlaskClient) -> User:
    """Somebody with rules of her own; nobody is signed in by this."""
    return make.user("jana", name="Jana Malá", access=make.access([P.RULES_OWN]))


def cells(client: FlaskClient, url: str, made: Rule) -> list[str]:
    return Page(client.get(url).text).rows[f"r{made.id}"]


def listed(client: FlaskClient, url: str) -> list[int]:
    """Return the ids of the rules of a page, from the top down."""
    return [int(name[1:]) for name in Page(client.get(url).text).rows if name[1:].isdigit()]


def states() -> list[str]:
    return [state for (state,) in Rule.select(Rule.state).order_by(Rule.id).tuples()]


def token() -> str:
    return store.live().version


def test_a_rule_reads_as_sentences(editor: FlaskClient) -> None:
    made = rule("Lost calls", definition=CALL, state="on")
    row = cells(editor, "/rules?list=system", made)
    assert row[1:5] == ["Lost callsCall abandoned", "Call abandoned", "Waiting time > 0:01:00",
                        "Notify the leads of the user's teams"]  # fmt: skip
    assert row[-1] == "On"
    assert f'href="/rules/{made.id}/edit"' in editor.get("/rules?list=system").text


def test_a_list_counts_seven_days_of_runs(editor: FlaskClient) -> None:
    made, other = rule("Busy", last_run_ms=clock.now_ms()), rule("Calm")
    for ago_s in (0, 0, DAY_S, 6 * DAY_S, 8 * DAY_S):
        run(made, ago_s=ago_s)
    run(made, RunOutcome.THROTTLED, held=3)
    run(made, RunOutcome.FAILED)
    run(made, RunOutcome.ERROR)
    run(made, RunOutcome.NOT_MATCHED)
    run(made, RunOutcome.TEST)
    page = editor.get("/rules?list=system").text
    rows = Page(page).rows
    assert [each for each in rows[f"r{made.id}"] if each.isdigit()] == ["7", "3", "2"]
    assert rows[f"r{other.id}"][-4:-1] == ["0", "0", "0"]
    assert "the oldest first: 1, 0, 0, 0, 0, 1, 5" in page


@pytest.mark.parametrize(
    ("columns", "badge"),
    [
        ({"state": "off"}, "Off"),
        ({"state": "shadow"}, "Shadow"),
        ({"state": "paused", "paused_reason": "Its conditions failed ten times in a row."},
         "PausedIts conditions failed ten times in a row.Resume"),
    ],
)  # fmt: skip
def test_the_state_is_told_with_its_reason(editor: FlaskClient, columns: dict[str, str], badge: str) -> None:
    made = rule("Any", **columns)
    assert cells(editor, "/rules?list=system", made)[-1].replace(" ", "") == badge.replace(" ", "")


def test_a_paused_group_is_told_at_its_rules(editor: FlaskClient) -> None:
    made = rule("Any", state="on", group=RuleGroup.create(name="Night", paused=True))
    assert cells(editor, "/rules?list=system", made)[-1] == "OnIts group is paused."


@pytest.mark.parametrize("columns", [{"deactivated_ts": 1}, {"access": None}])
def test_the_rule_of_an_owner_without_rights_is_suspended(
    client: FlaskClient, jana: User, columns: dict[str, object]
) -> None:
    made = rule("Mine", jana, state="on")
    User.update(**columns).where(User.id == jana.id).execute()
    asks.sign_in_with(client, P.RULES_OVERSEE)
    assert "Suspended" in cells(client, "/rules", made)[-1]
    assert listed(client, "/rules?state=suspended") == [made.id]
    assert listed(client, "/rules?state=on") == []


def test_each_list_has_its_rules_and_counts_them(client: FlaskClient, jana: User) -> None:
    viewer = asks.sign_in_with(client, P.RULES_OWN, P.RULES_VIEW, P.RULES_OVERSEE)
    mine, site, hers = rule("Mine", viewer), rule("Site"), rule("Hers", jana)
    assert listed(client, "/rules") == listed(client, "/rules?list=my") == [mine.id]
    assert listed(client, "/rules?list=system") == [site.id]
    assert listed(client, "/rules?list=employees") == [hers.id]
    assert "Jana Malá" in cells(client, "/rules?list=employees&by=category", hers)
    text = Page(client.get("/rules").text).text
    for tab in ("My rules 1", "System rules 1", "Employee rules 1"):
        assert tab in text


def test_who_is_outside_of_the_scope_is_not_named(client: FlaskClient, jana: User) -> None:
    made = rule("Hers", jana)
    asks.sign_in_with(client, P.RULES_OVERSEE, grants=())
    for url in ("/rules", "/rules?by=owner", f"/rules/{made.id}"):
        assert "Jana" not in client.get(url).text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=LOST", "calls"), ("q=abandoned", "calls"), ("q=leads", "calls"), ("q=0:01:00", "calls"),
        ("q=zzz", ""), ("category=chats", "chats"), ("state=on", "calls"), ("group=none", "chats"),
        ("state=on&category=chats", ""), ("sort=name", "chats calls"), ("sort=-name", "calls chats"),
        ("by=none&sort=state", "calls chats"), ("by=none&sort=order", "chats calls"),
        ("by=state", "calls chats"), ("by=group", "calls chats"), ("by=zzz", "calls chats"),
        ("sort=zzz&by=none", "chats calls"),
    ],
)  # fmt: skip
def test_filters_order_and_headings_are_in_the_address(
    editor: FlaskClient, query: str, expected: str
) -> None:
    night = RuleGroup.create(name="Night")
    ids = {"calls": rule("Lost calls", definition=CALL, state="on", group=night, position=2).id,
           "chats": rule("A chat", position=1).id}  # fmt: skip
    by = "" if "by=" in query or "sort" not in query else "&by=none"
    assert listed(editor, f"/rules?list=system&{query}{by}") == [ids[name] for name in expected.split()]


def test_a_group_is_a_filter(editor: FlaskClient) -> None:
    night = RuleGroup.create(name="Night")
    inside, _outside = rule("In", group=night), rule("Out")
    assert listed(editor, f"/rules?list=system&group={night.id}") == [inside.id]
    assert listed(editor, "/rules?list=system&group=zzz") == []


def test_the_fragment_is_the_block(editor: FlaskClient) -> None:
    rule("Lost calls", definition=CALL)
    with time_machine.travel(clock.now_s(), tick=False):  # the tokens of its forms hold the second
        for url in ("/rules?list=system&sort=-name", "/rules?list=my", "/rules?list=system&q=zzz"):
            asks.fragment_is_block(editor, url)


def test_a_long_list_comes_in_pages(editor: FlaskClient) -> None:
    for number in range(101):
        rule(f"Rule {number:03}")
    assert len(listed(editor, "/rules?list=system")) == 100
    assert len(listed(editor, "/rules?list=system&page=2")) == 1
    assert "Chats 101" in Page(editor.get("/rules?list=system&page=2").text).text


def test_an_empty_list_leads_to_the_starter_set(editor: FlaskClient) -> None:
    assert 'href="/rules/starter?list=system"' in editor.get("/rules?list=system").text


@pytest.mark.parametrize(("op", "state"), [("on", "on"), ("shadow", "shadow"), ("off", "off")])
def test_ticked_rules_are_switched_and_audited_one_by_one(editor: FlaskClient, op: str, state: str) -> None:
    start = "shadow" if op == "off" else "off"
    made = [rule(name, state=start) for name in ("One", "Two", "Three")]
    before = token()
    data = {"op": op, "id": [made[0].id, made[2].id]}
    answer = editor.post("/rules/bulk?list=system&q=x&sort=-name", data=data)
    assert (answer.status_code, answer.location) == (302, "/rules?list=system&q=x&sort=-name")
    assert states() == [state, start, state]
    entries = AuditEntry.select().where(AuditEntry.action == "rule.switched")
    assert [entry.target_label for entry in entries] == ["One", "Three"]
    assert {tuple(entry.changes["state"]) for entry in entries} == {(start, state)}
    assert token() != before
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
        occurred_ms=1, actor_type="system", actor_label="", action="rule.auto_paused", crud="u",
        outcome="success", target_type="rule", target_id=str(made.id), interface="job",
        changes={"state": [before, "paused"]},
    )  # fmt: skip
    editor.post("/rules/bulk", data={"one": f"resume:{made.id}"})
    now = Rule.get_by_id(made.id)
    assert (now.state, now.paused_reason, now.errors) == (before, "", 0)
    assert not RuleCount.select().exists()


def test_a_rule_that_is_not_complete_is_not_switched_on(client: FlaskClient) -> None:
    viewer = asks.sign_in_with(client, P.RULES_OWN)
    broken, system = rule("Broken", viewer, {"types": []}), rule("Wide", viewer, FAILED_SIGN_IN)
    for made in (broken, system):
        client.post("/rules/bulk", data={"one": f"on:{made.id}"})
        assert f"Not switched: {made.name}" in client.get("/rules").text
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


@pytest.mark.parametrize(("count", "said"), [(0, "at least one"), (2, "one rule only")])
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
    asked = editor.post("/rules/bulk?list=system", data={"op": "delete", "id": made.id})
    assert asked.location == f"/rules/delete?id={made.id}&list=system"
    page = editor.get(asked.location).text
    assert "Delete Gone?" in page
    assert "history of runs is deleted too: 1." in page
    assert Rule.select().count() == 2
    assert editor.post(asked.location).location == "/rules?list=system"
    assert [each.name for each in Rule.select()] == ["Kept"]
    assert Step.get().state == "cancelled"
    assert not Timer.select().exists()
    assert not RuleDraft.select().exists()
    assert asks.audited("rule.deleted").changes["definition"] == [CHAT, None]
    worker.drain(["rule_runs"])
    assert [each.rule_id for each in Run.select()] == [kept.id]
    assert not Step.select().exists()
    assert editor.post(asked.location).status_code == 404


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
def test_a_foreign_id_among_many_is_none_and_nothing_changes(
    client: FlaskClient, jana: User, op: str
) -> None:
    viewer = asks.sign_in_with(client, *SITE)
    mine, hers = rule("Mine", viewer, state="paused"), rule("Hers", jana, state="paused")
    for foreign in (hers.id, 987_654):
        answer = client.post("/rules/bulk", data={"op": op, "id": [mine.id, foreign]})
        assert answer.status_code == 404
        assert client.post("/rules/bulk", data={"one": f"{op}:{foreign}"}).status_code == 404
    assert states() == ["paused", "paused"]
    assert Rule.select().count() == 2
    assert asks.entries() == 0


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
    [({}, 302), ({"op": "zzz", "id": "1"}, 400), ({"one": "zzz"}, 404), ({"one": "zzz:1"}, 400),
     ({"one": "on:x"}, 404), ({"op": "on", "id": "x"}, 302), ({"op": "on", "id": "9" * 30}, 302)],
)  # fmt: skip
def test_a_bad_form_changes_nothing(editor: FlaskClient, data: dict[str, str], status: int) -> None:
    rule("One")
    assert editor.post("/rules/bulk", data=data).status_code == status
    assert states() == ["off"]


def test_hostile_text_is_shown_as_typed(editor: FlaskClient) -> None:
    definition = {**CALL, "if": {"all": [{"field": "data.reason", "op": "is", "value": asks.HOSTILE}]}}
    made = rule(asks.HOSTILE, definition=definition, group=RuleGroup.create(name=asks.HOSTILE))
    for url in ("/rules?list=system", f"/rules/{made.id}", f"/rules/delete?id={made.id}"):
        page = editor.get(url).text
        assert asks.SHOWN in page
        assert asks.HOSTILE not in page


def test_who_may(client: FlaskClient) -> None:
    made = rule("Site")
    for url in ("/rules", f"/rules/{made.id}", f"/rules/delete?id={made.id}", "/rules/export"):
        asks.refuses_strangers(client, url)
    asks.refuses_posts(client, "/rules/bulk", P.RULES_OPERATE)
    asks.refuses_posts(client, "/rules/delete", P.RULES_VIEW)
    asks.sign_in_with(client, P.RULES_OWN)
    for url in ("/rules?list=system", "/rules?list=employees", "/rules?list=zzz", f"/rules/{made.id}",
                "/rules/99999999999999999999"):  # fmt: skip
        assert client.get(url).status_code == 404
    assert client.put("/rules").status_code == 405


def test_every_page_of_rules_says_that_all_are_stopped(editor: FlaskClient) -> None:
    made = rule("One")
    pages = ("/rules", f"/rules/{made.id}", "/rules/groups", "/rules/starter")
    assert all("All rules are stopped" not in editor.get(url).text for url in pages)
    store.stop(True)
    assert all("All rules are stopped" in editor.get(url).text for url in pages)
