"""The list of deliveries: whose they are, sending again, cancelling."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from dashboard.access.permissions import Permission
from dashboard.models import Rule, Run, Step
from dashboard.notify import result
from tests import make
from tests.notify import steps
from tests.pages import asks
from tests.pages.html import Page

P = Permission
URL = "/settings/channels/deliveries"
NOT_SENT = "?state=failed&state=dead&state=uncertain"


@pytest.fixture
def chief(client: FlaskClient) -> FlaskClient:
    asks.sign_in_with(client, P.CHANNELS_VIEW, P.CHANNELS_EDIT, P.RULES_TRACES, P.RULES_VIEW)
    return client


def dead(rule: Rule | None = None, **fields: object) -> Step:
    run = steps.run(rule, outcome="failed")
    values = {"state": "dead", "attempts": 7, "error": result.FAILING, "done_ms": 1, **fields}
    return steps.step("webhook", run, **values)


def table(client: FlaskClient, query: str = "") -> str:
    return client.get(URL + query).text.partition('id="result"')[2]


def test_what_was_not_sent_is_listed_with_its_reason(chief: FlaskClient) -> None:
    channel = steps.channel("https://hooks.example.com/x", name="Night desk")
    rule = steps.rule(name="Chat waits")
    dead(rule, channel_id=channel.id, receipt={"status": 503, "note": "<b>later</b>"})
    steps.step("webhook", steps.run(steps.rule(name="Another")), channel_id=channel.id)
    steps.step("log", steps.run(steps.rule(name="Inside")), state="failed")
    shown = table(chief, NOT_SENT)
    for text in (
        "Chat waits",
        "Night desk",
        result.FAILING.replace("'", "&#39;"),
        "HTTP status 503.",
        "&lt;b&gt;later",
    ):
        assert text in shown
    assert "Another" not in shown
    assert "Inside" not in shown
    assert "Another" in table(chief, "?state=waiting")
    assert "Chat waits" in table(chief, f"?channel={channel.id}")
    assert "Chat waits" not in table(chief, "?channel=999")
    asks.fragment_is_block(chief, URL)


OLD = [
    ("view=failed", "state=failed&state=dead&state=uncertain"),
    ("view=waiting&channel=3", "channel=3&state=waiting&state=running"),
    ("view=all&before=7", ""),
]


@pytest.mark.parametrize(("query", "new"), OLD)
def test_addresses_of_earlier_versions_lead_to_the_same_rows(
    chief: FlaskClient, query: str, new: str
) -> None:
    answer = chief.get(f"{URL}?{query}")
    assert (answer.status_code, answer.location) == (302, f"{URL}?{new}".rstrip("?"))
    assert chief.get(answer.location).status_code == 200


def test_an_address_that_makes_no_sense_is_refused(chief: FlaskClient) -> None:
    dead(steps.rule(name="Chat waits"))
    wrong = {
        "channel=x": "Channel",
        "state=x": "State",
        "recipient=x": "Recipient",
        "group=problem": "Group by",
    }
    for query, label in wrong.items():
        answer = chief.get(f"{URL}?{query}")
        assert (answer.status_code, f"{label}: " in answer.text) == (400, True), query
        assert "Chat waits" not in answer.text.partition('id="result"')[2]


def test_recipients_are_shown_as_far_as_the_viewer_may(client: FlaskClient) -> None:
    seen = make.user("jana")
    rights = (P.RULES_TRACES, P.RULES_VIEW)
    asks.sign_in_with(client, *rights, grants=(("users", seen.id),))
    steps.mail("petr.svoboda@example.org", state="failed")
    for user in (seen, make.user("horak")):
        steps.mail("x@example.org", state="failed", payload={"user": user.id})
    shown = table(client)
    assert "p•••@example.org" in shown
    assert "svoboda" not in shown
    assert "Jana" in shown
    assert "Horak" not in shown
    assert "another user" in shown
    asks.sign_in_with(client, *rights, P.PII_UNMASK)
    assert "petr.svoboda@example.org" in table(client)


@pytest.mark.both_databases
def test_deliveries_of_rules_that_one_may_not_see_are_not_there(client: FlaskClient) -> None:
    viewer = asks.sign_in_with(client, P.RULES_TRACES, P.CHANNELS_EDIT, P.RULES_OWN)
    mine = dead(steps.rule(name="Mine", owner_id=viewer.id))
    others = dead(steps.rule(name="Another's", owner_id=make.user().id))
    site = dead(steps.rule(name="The site's"))
    gone = dead()
    Rule.delete().where(Rule.id == gone.rule_id).execute()
    shown = table(client)
    assert shown.count('name="id"') == 1
    assert f'value="{mine.id}"' in shown
    for step in (others, site, gone):
        answer = client.post(URL, data={"op": "replay", "id": [str(mine.id), str(step.id)]})
        assert answer.status_code == 404
    assert client.post(URL, data={"op": "replay:987654"}).status_code == 404
    assert steps.again(mine).state == "dead"
    assert asks.entries() == 0


def test_dead_letters_are_sent_again_one_or_many(chief: FlaskClient) -> None:
    first, second, third = dead(), dead(state="uncertain"), dead(state="failed", attempts=1)
    assert chief.post(URL, data={"op": f"replay:{first.id}"}).status_code == 302
    chosen = {"op": "replay", "id": [str(second.id), str(third.id)]}
    said = chief.post(f"{URL}{NOT_SENT}", data=chosen, follow_redirects=True).text
    assert "Sending 2 deliveries again." in said
    for step in (first, second, third):
        kept = steps.again(step)
        assert (kept.state, kept.attempts, kept.key, kept.error) == ("waiting", 0, step.key, "")
        assert Run.get_by_id(step.run_id).outcome == "waiting"
    again = chief.post(URL, data=chosen, follow_redirects=True).text
    assert "state has changed in the meantime." in again
    assert asks.entries() == 3  # each press, and the batch


def test_what_waits_is_cancelled(chief: FlaskClient) -> None:
    waits = steps.step("webhook")
    said = chief.post(URL, data={"op": "cancel", "id": str(waits.id)}, follow_redirects=True).text
    assert "1 delivery cancelled." in said
    assert steps.again(waits).state == "cancelled"
    assert asks.audited("delivery.cancelled").details == {"rows": 1}


@pytest.mark.parametrize(
    "data", [{"op": "replay"}, {"op": "replay", "id": "x"}, {"id": "1"}, {"op": "explode:1"}]
)
def test_an_order_that_is_not_whole_changes_nothing(chief: FlaskClient, data: dict[str, str]) -> None:
    step = dead(id=1)
    said = chief.post(URL, data=data, follow_redirects=True).text
    assert "Choose at least one delivery." in said
    assert steps.again(step).state == "dead"


@pytest.mark.both_databases
def test_the_list_goes_on_from_the_last_row(chief: FlaskClient) -> None:
    made = [dead(state=state, made_ms=n) for n, state in enumerate(("dead", "failed", "dead", "done"))]
    first = chief.get(f"{URL}{NOT_SENT}&limit=2").text
    assert [one.attributes["value"] for one in Page(first).having(name="id")] == [
        str(step.id) for step in (made[2], made[1])
    ]
    older = Page(first).link(rel="next")
    assert older
    assert [one.attributes["value"] for one in Page(chief.get(older).text).having(name="id")] == [
        str(made[0].id)
    ]


def test_hostile_text_is_shown_as_typed(chief: FlaskClient) -> None:
    dead(steps.rule(name=asks.HOSTILE), channel_id=steps.channel("https://a.example", name=asks.HOSTILE).id)
    assert table(chief).count(asks.SHOWN) > 2


def test_who_may(client: FlaskClient) -> None:
    step = dead()
    asks.refuses_strangers(client, URL)
    asks.refuses_posts(client, URL, P.RULES_TRACES, P.RULES_VIEW, P.CHANNELS_VIEW)
    assert 'name="op"' not in table(client)
    assert client.put(URL).status_code == 405
    assert steps.again(step).state == "dead"
