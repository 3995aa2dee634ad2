"""Try on one event and "Why not?": what they show, to whom, and that they change nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from dashboard.access.permissions import Permission
from dashboard.events import switches
from dashboard.models import Event, Notification, Rule, RuleGroup, RuleLimit, Run, Step, User
from dashboard.models.rules import RuleDraft
from dashboard.rules import active_rules
from tests import make
from tests.pages.asks import HOSTILE, audited, refuses_strangers, sign_in_with
from tests.pages.html import Page
from tests.rules.engine import LOG, NOON, event, notify, queue_id, rule, send, take, user_id

P = Permission
TRACES = (P.RULES_VIEW, P.RULES_TRACES)
BIG = {"all": [{"field": "data.value", "op": "is", "value": "100"}, {"field": "user", "op": "is_not_empty"}]}
MAIL = {
    "do": "email",
    "to": {"roles": ["admins"]},
    "addresses": ["boss@example.org"],
    "subject": "Sold",
    "text": "{{ contact.phone }}",
}


@pytest.fixture(autouse=True)
def soon(app: Flask) -> Iterator[None]:
    with time_machine.travel(NOON / 1000 + 60, tick=False):
        yield


def sold(seconds: float = 0, value: str = "100", user: str = "jana", **more: Any) -> dict[str, Any]:
    contact = {"name": "Eva Fialová", "phone": "+420123456214"}
    return event(seconds=seconds, data={"value": value}, contact=contact, user=user, **more)


@pytest.fixture
def one(app: Flask) -> Rule:
    boss = make.administrator("boss")
    title = "Sold for {{ data.value }} to {{ contact.phone }}"
    return rule(
        [{**notify(boss, title=title), "limit": {"often": "once", "by": "rule"}}, LOG],
        name="Big sale",
        **{"if": BIG},
    )


def said(text: str) -> str:
    return " ".join(Page(text).text.split())


def test_a_rule_is_tried_on_the_latest_event_that_the_viewer_may_see(one: Rule, client: FlaskClient) -> None:
    send(sold(interaction="a"), sold(5, "7", "petr", interaction="b"))
    sign_in_with(client, *TRACES, grants=[("users", user_id("jana")), "all_queues"])
    page = client.get(f"/rules/{one.id}/try").text
    assert set(Page(page).values("event")) == {str(Event.get(Event.interaction == "a").id)}
    assert "(100) is 100" in said(page)
    assert "Sold for 100 to +420 ••• ••• 214" in said(page), "no fuller than the viewer may see it"
    assert "another user" in said(page)
    hidden = Event.get(Event.interaction == "b").id
    assert client.get(f"/rules/{one.id}/try?event={hidden}").status_code == 404
    assert (Run.select().count(), RuleLimit.select().count(), Notification.select().count()) == (0, 0, 0)


def test_a_rule_is_not_tried_on_an_event_of_a_type_that_it_does_not_name(
    one: Rule, client: FlaskClient
) -> None:
    send(event("ticket.created", interaction="t1", user="jana", data={"title": "Broken"}))
    sign_in_with(client, *TRACES)
    other = Event.get().id
    assert client.get(f"/rules/{one.id}/try?event={other}").status_code == 404
    assert client.post(f"/rules/{one.id}/try", data={"event": str(other)}).status_code == 404
    assert Run.select().count() == 0


def test_what_does_not_match_says_why(one: Rule, client: FlaskClient) -> None:
    send(sold(value="7"))
    sign_in_with(client, *TRACES)
    page = said(client.get(f"/rules/{one.id}/try").text)
    assert "Not met:" in page
    assert "(7) is 100" in page
    assert "Does not match" in page
    assert "(not evaluated)" in page


def test_the_limit_says_that_it_would_hold_the_action_back(one: Rule, client: FlaskClient) -> None:
    take(sold())
    sign_in_with(client, *TRACES)
    assert "It would be rate-limited now." in client.get(f"/rules/{one.id}/try").text
    assert RuleLimit.get().suppressed == 0


def test_an_action_that_cannot_be_done_says_why(client: FlaskClient) -> None:
    lonely = rule([{"do": "notify", "to": {"users": [make.user().id], "roles": ["leads"]}, "title": "x"}])
    User.update(deactivated_ts=1).execute()
    send(event())
    sign_in_with(client, *TRACES)
    assert "None of the recipients exist or are active." in client.get(f"/rules/{lonely.id}/try").text


def test_without_an_event_there_is_nothing_to_try(one: Rule, client: FlaskClient) -> None:
    sign_in_with(client, *TRACES)
    assert "No event to test with" in client.get(f"/rules/{one.id}/try").text


def test_a_deadline_is_tried_on_the_event_that_begins_it(client: FlaskClient) -> None:
    idle = rule(
        LOG,
        types=["ticket.idle"],
        after={"seconds": 600},
        **{"if": {"all": [{"field": "data.idle_s", "op": "ge", "value": 600}]}},
    )
    send(event("ticket.created", interaction="t1", user="jana", data={"title": "Broken"}))
    sign_in_with(client, *TRACES)
    page = said(client.get(f"/rules/{idle.id}/try").text)
    assert "(0:10:00)" in page
    assert "Not due yet. The timer fires at " in page
    assert "The conditions are met" in page


def test_a_rule_by_the_calendar_is_tried_as_of_now(client: FlaskClient) -> None:
    daily = rule(LOG, types=["schedule.reached"], schedule={"at": ["08:00"]})
    sign_in_with(client, *TRACES)
    assert "Matches" in client.get(f"/rules/{daily.id}/try").text


def test_send_to_me_only_reaches_the_viewer_and_nobody_else(client: FlaskClient) -> None:
    boss = make.administrator("boss")
    both = rule([notify(boss, title="Sold to {{ contact.phone }}"), MAIL, LOG])
    send(sold())
    app = client.application
    app.config["STOPA"] = replace(app.config["STOPA"], smtp_url="smtp://mail.example.org")
    viewer = sign_in_with(client, *TRACES)
    User.update(email="me@example.org").where(User.id == viewer.id).execute()
    answer = client.post(f"/rules/{both.id}/try", data={"event": str(Event.get().id)})
    assert answer.status_code == 302
    assert "3 tests sent to you only." in client.get(answer.headers["Location"]).text
    assert [(row.user_id, row.title) for row in Notification.select()] == [
        (viewer.id, "Sold to +420 ••• ••• 214")
    ]
    assert Run.get().outcome == "test"
    kinds = [(step.action, step.state, step.payload.get("to")) for step in Step.select().order_by(Step.id)]
    mail = ("email", "waiting", "me@example.org")  # of the notification and of the action
    assert kinds == [("notify", "done", None), mail, mail]
    assert audited("rule.tested").target_id == str(both.id)


def test_no_email_counts_as_sent_where_no_mail_server_is_configured(client: FlaskClient) -> None:
    both, mail = rule([notify(make.administrator("boss"), title="Sold"), MAIL]), rule(MAIL)
    send(sold())
    viewer = sign_in_with(client, *TRACES)
    User.update(email="me@example.org").where(User.id == viewer.id).execute()
    answer = client.post(f"/rules/{both.id}/try", data={"event": str(Event.get().id)})
    page = client.get(answer.headers["Location"]).text
    assert "1 test sent to you only." in page
    assert "No mail server is configured. Set STOPA_SMTP_URL." in page
    refused = client.post(f"/rules/{mail.id}/try", data={"event": str(Event.get().id)})
    assert refused.status_code == 422
    assert "No mail server is configured." in refused.text
    assert "sent to you only" not in refused.text
    assert [step.action for step in Step.select()] == ["notify"]


def test_a_test_needs_an_event_and_something_to_send(one: Rule, client: FlaskClient) -> None:
    silent = rule(LOG)
    sign_in_with(client, *TRACES)
    assert client.post(f"/rules/{one.id}/try").status_code == 422
    send(sold())
    answer = client.post(f"/rules/{silent.id}/try", data={"event": str(Event.get().id)})
    assert answer.status_code == 422
    assert "send any notifications or emails." in answer.text
    assert (Run.select().count(), Notification.select().count()) == (0, 0)


def draft(viewer: User, definition: Any, rule_id: int = 0, **more: Any) -> None:
    form = {"name": "Typed", "list": "my", "definition": definition, **more}
    RuleDraft.create(user_id=viewer.id, rule_id=rule_id, form=form, updated_ms=NOON)


def test_what_is_typed_can_be_tried_by_who_types_it(client: FlaskClient) -> None:
    send(sold(value="7"))
    viewer = sign_in_with(client, P.RULES_OWN, P.RULES_BACKTEST)
    draft(viewer, {"types": ["custom.sale"], "then": [LOG]})
    page = client.get("/rules/0/try?draft=1")
    assert page.status_code == 200
    assert "Matches" in page.text
    assert client.get("/rules/0/backtest?draft=1").status_code == 200
    sign_in_with(client, P.RULES_OWN)
    assert client.get("/rules/0/try?draft=1").status_code == 404, "another user's draft"
    assert client.get("/rules/0/try").status_code == 404


def test_what_is_typed_and_no_rule_yet_says_so(one: Rule, client: FlaskClient) -> None:
    viewer = sign_in_with(client, P.RULES_OWN, P.RULES_BACKTEST)
    draft(viewer, {"types": [], "then": [{"do": HOSTILE}]})
    for url in ("/rules/0/try?draft=1", "/rules/0/backtest?draft=1"):
        page = client.get(url)
        assert page.status_code == 200
        assert "Choose at least one event type." in page.text
        assert HOSTILE not in page.text
    assert client.post("/rules/0/backtest", data={"draft": "1", "days": "7"}).status_code == 422
    draft(viewer, {"types": ["custom.sale"], "then": [LOG]}, one.id)
    assert client.get(f"/rules/{one.id}/try?draft=1").status_code == 404, (
        "the site's rule is not his to change"
    )


def why(client: FlaskClient, one: Rule, query: str = "subject=a") -> str:
    answer = client.get(f"/rules/{one.id}/why?{query}")
    assert answer.status_code == 200
    return said(answer.text)


def test_the_first_condition_that_failed_is_named(one: Rule, client: FlaskClient) -> None:
    send(sold(value="7", interaction="a"))
    sign_in_with(client, *TRACES)
    page = why(client, one)
    assert "Conditions not met." in page
    assert "First unmet condition: data.value (7) is 100." in page or "(7) is 100." in page


def test_a_subject_without_an_event_says_so(one: Rule, client: FlaskClient) -> None:
    sign_in_with(client, *TRACES)
    assert "types were received for this item. Types" in why(client, one)
    assert "Event not found, or outside your scope." in why(client, one, "event=99")
    assert client.get(f"/rules/{one.id}/why?event=x").status_code == 422


def test_an_event_outside_the_scope_looks_absent(one: Rule, client: FlaskClient) -> None:
    send(sold(interaction="a", queue="web"))
    sign_in_with(client, *TRACES, grants=[("queues", queue_id("web"))])
    assert "Event not found, or outside your scope." in why(client, one, f"event={Event.get().id}")
    assert "types were received for this item. Types" in why(client, one)


def test_a_run_that_there_was_is_told(one: Rule, client: FlaskClient) -> None:
    take(sold(interaction="a"), sold(1, interaction="b"))
    sign_in_with(client, *TRACES)
    assert "The rule did run for this event. Outcome: Done." in why(client, one)
    Run.update(outcome="throttled").execute()
    assert "The rule ran, but all its actions were rate-limited." in why(
        client, one, "subject=interaction:pbx:b"
    )
    Run.update(outcome="muted").execute()
    assert "The rule ran, but all recipients have muted it." in why(client, one)


HINDRANCES: list[tuple[str, dict[str, Any], str]] = [
    ("off", {"state": "off"}, "The rule is off."),
    (
        "paused",
        {"state": "paused", "paused_reason": "Its conditions failed ten times in a row."},
        "The rule was paused automatically: Its conditions failed ten times in a row.",
    ),
    ("early", {"armed_ms": NOON * 2}, "The event was received before the rule was turned on."),
    ("suspended", {"owner_id": 999}, "owner is deactivated or"),
]


@pytest.mark.parametrize(
    ("change", "sentence"), [(c, s) for _n, c, s in HINDRANCES], ids=[name for name, _c, _s in HINDRANCES]
)
def test_what_keeps_the_rule_from_acting_is_named(
    change: dict[str, Any], sentence: str, one: Rule, client: FlaskClient
) -> None:
    send(sold(interaction="a"), rules=False)
    Rule.update(**change).execute()
    sign_in_with(client, *TRACES, P.RULES_OVERSEE)
    assert sentence in why(client, one)


def test_a_paused_group_and_the_kill_switch_are_named(one: Rule, client: FlaskClient) -> None:
    send(sold(interaction="a"), rules=False)
    Rule.update(group=RuleGroup.create(name="Night", paused=True)).execute()
    active_rules.stop(True)
    sign_in_with(client, *TRACES)
    page = why(client, one)
    assert "The rule's group “Night” is paused." in page
    assert "All rules are stopped. See Operations." in page


def test_a_type_that_rules_may_not_use_is_named(one: Rule, client: FlaskClient) -> None:
    send(sold(interaction="a"), rules=False)
    switches.choose("custom.sale", switches.Choice(recorded=True, in_rules=False))
    sign_in_with(client, *TRACES)
    assert "use events of this type. Turn them on in Settings > System events." in why(client, one)


def test_an_earlier_rule_that_stops_the_later_ones_is_named(one: Rule, client: FlaskClient) -> None:
    group = RuleGroup.create(name="Sales")
    rule(LOG, name="First of all", stop=True, group=group, position=-1)
    Rule.update(group=group).execute()
    take(sold(interaction="a"))
    sign_in_with(client, *TRACES)
    assert "Rule “First of all” in the same group" in why(client, one)


def test_an_event_that_is_not_the_owners_to_see_is_named(client: FlaskClient) -> None:
    owner = make.user("owner", access=make.access([P.RULES_OWN]))
    mine = rule([notify(owner)], owner_id=owner.id)
    take(event(user="jana", interaction="a"))
    sign_in_with(client, P.RULES_OVERSEE, P.RULES_TRACES)
    assert "The event is outside the rule" in why(client, mine)


def test_who_may_not_gets_nothing(one: Rule, client: FlaskClient) -> None:
    for url in (f"/rules/{one.id}/try", f"/rules/{one.id}/why", f"/rules/{one.id}/backtest", "/backtests/1"):
        refuses_strangers(client, url)
    sign_in_with(client, P.RULES_BACKTEST, P.RULES_OWN)
    for verb in ("try", "why", "backtest"):
        assert client.get(f"/rules/{one.id}/{verb}").status_code == 404
        assert client.get(f"/rules/987654/{verb}").status_code == 404
    sign_in_with(client, P.RULES_VIEW, P.RULES_OWN)
    assert client.get(f"/rules/{one.id}/try").status_code == 403
    assert client.post(f"/rules/{one.id}/try", data={"event": "1"}).status_code == 403
    assert client.post(f"/rules/{one.id}/backtest", data={"days": "7"}).status_code == 403
