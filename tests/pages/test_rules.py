"""The lists of rules: what they show, and to whom."""

from __future__ import annotations

import pytest
import time_machine
from flask.testing import FlaskClient

from dashboard import clock
from dashboard.access.permissions import Permission
from dashboard.models import Rule, RuleGroup, User
from dashboard.pages.rules import listing
from dashboard.rulelang.outcomes import RunOutcome
from dashboard.rules import active_rules
from tests.pages import asks
from tests.pages.html import Page
from tests.pages.rulerows import CALL, listed, owner, rule, run

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
    return owner("jana", P.RULES_OWN, name="Jana Malá")


def cells(client: FlaskClient, url: str, made: Rule) -> list[str]:
    return Page(client.get(url).text).rows[f"r{made.id}"]


@pytest.mark.parametrize(
    ("definition", "group"),
    [
        ({"types": ["chat.queued", "call.queued"]}, "chats"),
        ({"types": ["custom.x"]}, "custom"),
        ({"types": []}, "custom"),
        (None, "custom"),
    ],
)
def test_the_category_is_the_group_of_the_first_type(definition: object, group: str) -> None:
    assert listing.category(definition) == group


def test_a_rule_reads_as_sentences(editor: FlaskClient) -> None:
    made = rule("Lost calls", definition=CALL, state="on")
    row = cells(editor, "/rules?list=system", made)
    assert row[1:5] == [
        "Lost callsCall abandoned",
        "Call abandoned",
        "Waiting time > 0:01:00",
        "Notify the user's team leads",
    ]
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
    assert "oldest first: 1, 0, 0, 0, 0, 1, 5" in page


@pytest.mark.parametrize(
    ("columns", "badge"),
    [
        ({"state": "off"}, "Off"),
        ({"state": "shadow"}, "Dry run"),
        (
            {"state": "paused", "paused_reason": "Its conditions failed ten times in a row."},
            "PausedIts conditions failed ten times in a row.Resume",
        ),
    ],
)
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
    assert "Not permitted" in cells(client, "/rules", made)[-1]
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
        ("q=LOST", "calls"),
        ("q=abandoned", "calls"),
        ("q=leads", "calls"),
        ("q=0:01:00", "calls"),
        ("q=zzz", ""),
        ("category=chats", "chats"),
        ("state=on", "calls"),
        ("group=none", "chats"),
        ("state=on&category=chats", ""),
        ("sort=name", "chats calls"),
        ("sort=-name", "calls chats"),
        ("by=none&sort=state", "calls chats"),
        ("by=none&sort=order", "chats calls"),
        ("by=state", "calls chats"),
        ("by=group", "calls chats"),
        ("by=zzz", "calls chats"),
        ("sort=zzz&by=none", "chats calls"),
    ],
)
def test_filters_order_and_headings_are_in_the_address(
    editor: FlaskClient, query: str, expected: str
) -> None:
    night = RuleGroup.create(name="Night")
    ids = {
        "calls": rule("Lost calls", definition=CALL, state="on", group=night, position=2).id,
        "chats": rule("A chat", position=1).id,
    }
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
    for url in (
        "/rules?list=system",
        "/rules?list=employees",
        "/rules?list=zzz",
        f"/rules/{made.id}",
        "/rules/99999999999999999999",
    ):
        assert client.get(url).status_code == 404
    assert client.put("/rules").status_code == 405


def test_every_page_of_rules_says_that_all_are_stopped(editor: FlaskClient) -> None:
    made = rule("One")
    pages = ("/rules", f"/rules/{made.id}", "/rules/groups", "/rules/starter")
    assert all("All rules are stopped" not in editor.get(url).text for url in pages)
    active_rules.stop(True)
    assert all("All rules are stopped" in editor.get(url).text for url in pages)


def test_the_fullest_list_opens_and_its_commands_stand_in_one_menu(client: FlaskClient) -> None:
    mine = asks.sign_in_with(client, P.RULES_OWN, P.RULES_VIEW)
    assert "/rules/bulk?list=my" in client.get("/rules").text, "equal lists: the first"
    for name in ("A", "B"):
        rule(name)
    rule("Mine", owner=mine)
    page = Page(client.get("/rules").text)
    assert page.having(action="/rules/bulk?list=system")
    assert "With selected…" in page.text
    assert len(listed(client, "/rules")) == 2
