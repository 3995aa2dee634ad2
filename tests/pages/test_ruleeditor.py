"""The editor of a rule: acts without scripts, drafts, what is offered."""

from __future__ import annotations

import re
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient

from dashboard import clock
from dashboard.access.permissions import Permission
from dashboard.models import (
    Event,
    Rule,
    RuleDraft,
    RuleGroup,
    RuleVersion,
    Team,
    User,
)
from dashboard.pages.ruleeditor import commands, form
from dashboard.rulelang import schema
from tests import make
from tests.pages import asks
from tests.pages.typed import SAYS, Fields, posted, stored

P = Permission


HTMX = {"HX-Request": "true", "HX-Target": "rule"}


@pytest.fixture
def admin(client: FlaskClient) -> User:
    user = make.administrator()
    make.sign_in(client, user)
    return user


def test_a_rule_is_made_by_buttons_alone(client: FlaskClient, admin: User) -> None:
    """As without scripts: each page is read, filled in, and sent with one of its buttons."""

    def press(page: str, op: str, **typed: str) -> str:
        form = Fields(page).found
        for name, value in typed.items():
            form[name.replace("__", ".")] = value
        form["op"] = op
        assert f'value="{op}"' in page
        return client.post("/rules/new", data=form, follow_redirects=True).text

    page = client.get("/rules/new?list=system").text
    page = press(page, "type:0", types__0="ticket.created", name="Urgent tickets")
    page = press(page, "add:")
    page = press(page, "field:0", if__0__field="data.title")
    page = press(page, "op:0", if__0__op="contains_any")
    page = press(page, "grp:", if__0__v0__lines="fire\nflood")
    page = press(page, "field:1.0", if__1__0__field="contact.email")
    page = press(page, "addact", if__1__0__v0="a@example.org")
    page = press(page, "act:0", then__0__do="tag")
    assert "When “Ticket created” occurs, if Title contains any of fire, flood" in page
    page = press(page, "save", then__0__tags__lines="urgent", loop="ignore")
    assert "Saved. The rule is off." in page
    (rule,) = Rule.select()
    assert (rule.name, rule.owner_id, rule.state, rule.version) == ("Urgent tickets", None, "off", 1)
    assert rule.definition["if"] == {
        "all": [
            {"field": "data.title", "op": "contains_any", "value": ["fire", "flood"]},
            {"any": [{"field": "contact.email", "op": "is", "value": "a@example.org"}]},
        ]
    }
    assert rule.definition["then"][0] | {"limit": 0} == {
        "do": "tag",
        "tags": ["urgent"],
        "limit": 0,
        "on_error": "continue",
        "delay_s": 0,
    }
    assert rule.definition["loop"] == "ignore"
    assert RuleVersion.select().count() == 1
    assert RuleDraft.select().count() == 0
    assert asks.audited("rule.created").changes["name"] == [None, "Urgent tickets"]


WHOLE: dict[str, Any] = {
    "types": ["ticket.created", "custom.shop.sale"],
    "if": {
        "all": [
            {"field": "data.priority", "op": "is_any_of", "value": ["high", "<b>"]},
            {
                "any": [
                    {"field": "data.shop.total", "op": "is", "value": '"><script>alert(1)</script>&amp;'},
                    {
                        "none": [
                            {"field": "time.weekday", "op": "weekday_of", "value": [6, 7]},
                            {"field": "time", "op": "less_than_ago", "value": 5400},
                        ]
                    },
                ]
            },
            {"field": "user", "op": "changed_from_to", "value": [None, 1]},
            {"field": "time.clock", "op": "shift_between", "value": [[1, 2], "22:00", "06:00"]},
            {"field": "time", "op": "within", "value": [1_793_000_040_000, 1_793_000_100_000]},
        ]
    },
    "times": {"number": 3, "seconds": 600, "by": "contact", "clear": 1},
    "then": [
        {
            "do": "notify",
            "to": {"roles": ["leads"], "users": [1]},
            "title": "T {{ user.name }}",
            "text": "a\nb",
            "urgent": True,
            "limit": {"often": "period", "by": "contact", "seconds": 900},
            "on_error": "undo",
            "delay_s": 90,
        },
        {"do": "emit", "type": "custom.late", "data": {"who": "{{ user.name }}"}},
        {"do": "email", "addresses": ["a@example.org"], "subject": "S", "text": "T"},
    ],
    "stop": True,
    "loop": "allow",
    "zone": "Asia/Tokyo",
}


def test_the_page_posts_what_it_shows(client: FlaskClient, admin: User) -> None:
    assert admin.id == 1, "the rule names the administrator"
    rule = stored(WHOLE)
    page = client.get(f"/rules/{rule.id}/edit").text
    assert asks.HOSTILE not in page
    form = Fields(page).found
    form["op"] = "save"
    answer = client.post(f"/rules/{rule.id}/edit", data=form)
    assert answer.status_code == 302
    after = Rule.get_by_id(rule.id)
    assert schema.load(after.definition) == schema.load(rule.definition)
    assert after.version == 1, "nothing has changed"


def test_htmx_gets_the_form_alone_as_it_stands_in_the_page(client: FlaskClient, admin: User) -> None:
    rule = stored()
    with time_machine.travel(clock.now(), tick=False):  # the form's token says when it was made
        page = client.post(f"/rules/{rule.id}/edit", data=posted(rule, op="add:")).text
        answer = client.post(f"/rules/{rule.id}/edit", data=posted(rule, op="add:"), headers=HTMX).text
    part, _form, said = answer.partition("</form>")
    part = part.strip() + _form
    assert '<div id="live" class="vh" role="status" hx-swap-oob="true">When “Chat queued” occurs' in said
    assert part.startswith('<form id="rule"')
    assert part in page
    assert 'name="if.1.field" aria-label="Field of condition 2"' in part
    assert re.search(r'id="f-if\.1\.field"[^>]* autofocus', part)


def test_every_act_is_kept_as_a_draft_and_can_be_undone(client: FlaskClient, admin: User) -> None:
    rule = stored()
    url = f"/rules/{rule.id}/edit"
    client.post(url, data=posted(rule, op="add:", name="Other"))
    client.post(url, data=posted(rule, op="del:0", name="Other"))
    draft = RuleDraft.get()
    assert (draft.user_id, draft.rule_id, draft.form["name"]) == (admin.id, rule.id, "Other")
    assert draft.form["definition"]["if"] == {"all": []}
    assert Rule.get_by_id(rule.id).name == "Waiting"
    page = client.get(url).text
    assert "You have a draft of" in page
    assert 'value="Other"' not in page
    assert 'value="Other"' in client.get(url + "?draft=1").text
    page = client.post(url, data=posted(rule, op="undo")).text
    assert 'name="if.0.v0"' in page
    assert 'value="Other"' in page
    answer = client.post(url, data=posted(rule, op="discard"), follow_redirects=True)
    assert "The draft has been discarded." in answer.text
    assert RuleDraft.select().count() == 0


def test_a_draft_holds_what_no_rule_may_hold(client: FlaskClient, admin: User) -> None:
    form = posted(op="add:", typed={"name": "🕰" + asks.HOSTILE, "if.0.v0": "two", "zone": "\u202e"})
    page = client.post("/rules/new", data=form).text
    assert asks.SHOWN in page
    page = client.get("/rules/new?draft=1").text
    assert asks.SHOWN in page
    assert 'value="two"' in page


def test_one_is_told_who_else_is_typing(client: FlaskClient, admin: User) -> None:
    rule, jana = stored(), make.user("jana")
    with time_machine.travel("2026-11-19 10:00:00+00:00", tick=False):
        commands.keep(jana.id, rule.id, form.typed(SAYS), None)
    for minute, told in ((14, True), (16, False)):
        with time_machine.travel(f"2026-11-19 10:{minute}:00+00:00", tick=False):
            make.sign_in(client, admin)
            assert ("Jana: also editing this rule now." in client.get(f"/rules/{rule.id}/edit").text) is told


def test_types_decide_which_times_are_asked_for(client: FlaskClient, admin: User) -> None:
    page = client.post("/rules/new", data=posted(op="type:0", typed={"types.0": "ticket.idle"})).text
    assert 'name="after.seconds"' in page
    assert 'name="wait.seconds"' not in page
    page = client.post("/rules/new", data=posted(op="type:0", typed={"types.0": "schedule.reached"})).text
    assert 'name="schedule.at"' in page
    page = client.post("/rules/new", data=posted(op="type:0", typed={"types.0": "ticket.count_reached"})).text
    assert 'name="count.number"' in page


def test_choices_are_those_of_the_viewer(client: FlaskClient) -> None:
    mine, other = make.queue("mine"), make.queue("other")
    Team.create(name="Strangers")
    RuleGroup.create(name="Nights")
    asks.sign_in_with(client, P.RULES_OWN, grants=[("queues", mine.id)])
    says = {**SAYS, "if": {"all": [{"field": "queue", "op": "one_of", "value": [mine.id]}]}}
    page = client.post("/rules/new", data=posted(op="keep", says=says, list="my")).text
    assert f'name="if.0.v0" value="{mine.id}" checked' in page
    assert f'value="{other.id}"> <span>Other</span>' not in page
    assert "Strangers" not in page
    assert 'name="group"' not in page, "groups are of the site's rules"
    assert "Role changed" not in page, "the type is for rules of the site"


def test_texts_are_previewed_on_the_latest_event_in_scope(client: FlaskClient) -> None:
    asks.sign_in_with(client, P.RULES_EDIT, P.RULES_VIEW)
    says = {**SAYS, "then": [{"do": "log", "text": "From {{ contact.email }} {{ chat.position }}"}]}
    assert "For Chat queued" not in client.post("/rules/new", data=posted(op="keep", says=says)).text
    Event.create(
        source_id=1,
        external_id="1",
        type="chat.queued",
        time_ms=1_767_225_600_000,
        recorded_ms=1,
        contact='{"email": "novak@example.org"}',
        data='{"position": 4}',
    )
    page = client.post("/rules/new", data=posted(op="keep", says=says)).text
    preview = re.search(r"For Chat queued, 1 Jan 2026 00:00:00 UTC: From (\S+) 4", page)
    assert preview is not None
    assert preview[1] != "novak@example.org", "masked for who does not see contact details whole"


def test_what_is_typed_is_tried_before_it_is_saved(client: FlaskClient, admin: User) -> None:
    for op, page in (("try", "try"), ("backtest", "backtest")):
        answer = client.post("/rules/new", data=posted(op=op))
        assert (answer.status_code, answer.location) == (303, f"/rules/0/{page}?draft=1")
        assert client.get(answer.location).status_code == 200
    assert Rule.select().count() == 0


def test_the_order_of_rules_is_told_with_the_one_that_is_typed_in_its_place(
    client: FlaskClient, admin: User
) -> None:
    for name, place in (("A", 1), ("B", 5)):
        stored(name=name, position=place, state="on")
    rule = stored(name="Mine", position=3)
    page = client.get(f"/rules/{rule.id}/edit").text
    assert '<li>A</li><li class="b">this rule</li><li>B</li>' in page
    assert 'value="6"' in client.get("/rules/new?list=system").text, "a new rule stands last"


def test_actions_that_call_out_are_offered_to_who_may_use_them(client: FlaskClient) -> None:
    for permissions, offered in (((P.RULES_OWN,), False), ((P.RULES_OWN, P.RULES_OUTWARD), True)):
        asks.sign_in_with(client, *permissions, grants=[])
        page = client.post("/rules/new", data=posted(op="keep", list="my")).text
        assert ("Call a webhook" in page) is offered


def test_the_customer_is_offered_for_mail_alone(client: FlaskClient, admin: User) -> None:
    box = 'name="then.0.to.roles" value="contact"'
    mail = {"do": "email", "to": {"roles": ["contact"]}, "subject": "S", "text": "T"}
    page = client.post("/rules/new", data=posted(op="keep", says={**SAYS, "then": [mail]})).text
    assert f"{box} checked" in page
    assert "send an email to the customer" in page
    page = client.post("/rules/new", data=posted(op="keep")).text
    assert 'name="then.0.to.roles" value="owner" checked' in page
    assert box not in page


def test_a_notice_is_repeated_as_typed_and_read_back(client: FlaskClient, admin: User) -> None:
    typed = {"then.0.again.seconds": "5", "then.0.again.seconds.unit": "min", "then.0.again.times": "3"}
    assert client.post("/rules/new", data=posted(typed=typed)).status_code == 302
    rule = Rule.get()
    assert rule.definition["then"][0]["again"] == {"seconds": 300, "times": 3}
    page = client.get(f"/rules/{rule.id}/edit").text
    assert "repeat every 5 minutes until read, up to 3 times" in page
    form = Fields(page).found
    assert {name: form[name] for name in typed} == typed
    form["then.0.again.seconds"] = form["then.0.again.times"] = ""
    form["op"] = "save"
    assert client.post(f"/rules/{rule.id}/edit", data=form).status_code == 302
    assert "again" not in Rule.get().definition["then"][0]
