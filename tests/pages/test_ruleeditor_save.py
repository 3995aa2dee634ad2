"""Saving in the editor of a rule: who may, what is wrong, versions."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from dashboard.access.permissions import Permission
from dashboard.models import (
    AuditEntry,
    Channel,
    Event,
    Job,
    Rule,
    RuleVersion,
    User,
)
from dashboard.pages.ruleeditor import commands
from dashboard.rules.timing import timer_sync
from tests import make
from tests.pages import asks
from tests.pages.typed import SAYS, Fields, posted, stored
from tests.rules.engine import event, send

P = Permission


@pytest.fixture
def admin(client: FlaskClient) -> User:
    user = make.administrator()
    make.sign_in(client, user)
    return user


def test_saving_creates_a_version_and_audits_the_changes(client: FlaskClient, admin: User) -> None:
    rule = stored()
    form = posted(rule, typed={"if.0.v0": "5"})
    assert client.post(f"/rules/{rule.id}/edit", data=form).status_code == 302
    after = Rule.get_by_id(rule.id)
    assert (after.version, after.updated_by, after.definition["if"]["all"][0]["value"]) == (2, admin.id, 5)
    assert [row.version for row in RuleVersion.select().order_by(RuleVersion.version)] == [1, 2]
    assert list(asks.audited("rule.updated").changes) == ["if"]
    assert Event.select().where(Event.type == "rule.updated").count() == 1


def test_a_switch_is_no_new_version(client: FlaskClient, admin: User) -> None:
    rule = stored()
    answer = client.post(f"/rules/{rule.id}/edit", data=posted(rule, state="shadow"), follow_redirects=True)
    assert "Saved. The rule is in dry run: it takes no action." in answer.text
    after = Rule.get_by_id(rule.id)
    assert (after.state, after.version) == ("shadow", 1)
    assert asks.audited("rule.switched").changes == {"state": ["off", "shadow"]}
    client.post(f"/rules/{rule.id}/edit", data=posted(rule, op="save_off"))
    assert Rule.get_by_id(rule.id).state == "off"


BAD = [
    ({"name": ""}, "#f-name", "Enter 1 to 120 characters."),
    ({"name": "x" * 121}, "#f-name", "Enter 1 to 120 characters."),
    ({"if.0.v0": "many"}, "#f-if.0.v0", "Enter a number."),
    ({"if.0.field": "data.", "if.0.path": ""}, "#f-if.0.field", "have this field"),
    ({"then.0.title": ""}, "#f-then.0.title", "Enter text."),
    ({"then.0.title": "{{ ticket.number }}"}, "#f-then.0.title", "ticket.number"),
    ({"then.0.delay": "soon"}, "#f-then.0.delay", "Enter a duration from 0:00:00 to 31 days."),
    (
        {"then.0.again.seconds": "1", "then.0.again.seconds.unit": "min", "then.0.again.times": "2"},
        "#f-then.0.again.seconds",
        "Enter a duration from 5 minutes to 24 hours.",
    ),
    (
        {"then.0.again.seconds": "1", "then.0.again.seconds.unit": "h", "then.0.again.times": "often"},
        "#f-then.0.again.times",
        "Enter a whole number from 1 to 10.",
    ),
    (
        {"wait.seconds": "soon", "wait.seconds.unit": "min"},
        "#f-wait.seconds",
        "Enter a duration from 0:00:01 to 31 days.",
    ),
    ({"types.0": ""}, "#f-types.0", "Choose at least one event type."),
    ({"zone": "Nowhere"}, "#f-zone", "Unknown time zone."),
    ({"position": "first"}, "#f-position", "Enter a whole number from 0"),
    ({"group": "987654"}, "#f-group", "Choose from the list."),
    ({"state": "paused"}, "#f-state", "Choose from the list."),
]


@pytest.mark.parametrize(("typed", "field", "said"), BAD)
def test_errors_are_shown_at_their_field_and_nothing_is_saved(
    client: FlaskClient, admin: User, typed: dict[str, str], field: str, said: str
) -> None:
    rule = stored()
    before = asks.entries()
    answer = client.post(f"/rules/{rule.id}/edit", data=posted(rule, typed=typed))
    assert answer.status_code == 422
    linked = re.search(rf'<a href="{re.escape(field)}">([^<]*)</a>', answer.text)
    assert linked is not None
    assert said in linked[1]
    assert f'id="{field[1:]}"' in answer.text
    assert asks.entries() == before
    assert Rule.get_by_id(rule.id).definition == rule.definition
    for value in typed.values():
        assert value in answer.text, "what was typed stays"


def test_foreign_people_cannot_be_chosen(client: FlaskClient) -> None:
    stranger = make.user("stranger", name="Strange Person")
    asks.sign_in_with(client, P.RULES_OWN, grants=[])
    says = {**SAYS, "then": [{"do": "notify", "to": {"users": [stranger.id]}, "title": "x"}]}
    answer = client.post("/rules/new", data=posted(says=says, list="my"))
    assert answer.status_code == 422
    assert "exist or is outside your scope." in answer.text
    assert "Strange Person" not in answer.text
    assert Rule.select().count() == 0


def test_a_personal_rule_belongs_to_its_maker_and_is_nothing_to_others(client: FlaskClient) -> None:
    jana = asks.sign_in_with(client, P.RULES_OWN, grants=[])
    client.post("/rules/new", data=posted(list="my", state="on"))
    (rule,) = Rule.select()
    assert (rule.owner_id, rule.state) == (jana.id, "on"), "one's own rules need no right to switch"
    assert client.post("/rules/new", data=posted(list="system")).status_code == 403
    asks.sign_in_with(client, P.RULES_OWN, P.RULES_VIEW, P.RULES_EDIT)
    for path in (f"/rules/{rule.id}/edit", f"/rules/{rule.id}/versions"):
        assert client.get(path).status_code == 404
        assert client.post(path, data=posted(rule)).status_code == 404


def test_who_only_looks_or_oversees_changes_nothing(client: FlaskClient) -> None:
    own, site = stored(owner_id=make.user().id), stored()
    asks.sign_in_with(client, P.RULES_VIEW, P.RULES_OVERSEE, P.RULES_OWN)
    for rule in (own, site):
        page = client.get(f"/rules/{rule.id}/edit", follow_redirects=True)
        assert page.request.path == f"/rules/{rule.id}"
        assert "When “Chat queued” occurs" in page.text
        assert 'value="save"' not in page.text
        assert client.post(f"/rules/{rule.id}/edit", data=posted(rule)).status_code == 403


def test_rules_of_the_site_are_switched_with_the_right_to(client: FlaskClient) -> None:
    asks.sign_in_with(client, P.RULES_VIEW, P.RULES_EDIT)
    answer = client.post("/rules/new", data=posted(state="on"))
    assert "You don&#39;t have permission to turn system rules on or off." in answer.text
    assert client.post("/rules/new", data=posted(state="off")).status_code == 302
    rule = stored(state="on")
    assert client.post(f"/rules/{rule.id}/edit", data=posted(rule, name="Other")).status_code == 302
    assert Rule.get_by_id(rule.id).state == "on", "a rule that is on may be changed and stays on"
    assert client.post(f"/rules/{rule.id}/edit", data=posted(rule, state="off")).status_code == 422


def test_the_answers_to_strangers_bad_ids_and_wrong_methods(client: FlaskClient) -> None:
    make.administrator(password="correct horse")
    rule = stored()
    for path in ("/rules/new", f"/rules/{rule.id}/edit", f"/rules/{rule.id}/versions"):
        asks.refuses_strangers(client, path)
        asks.refuses_posts(client, path, P.RULES_VIEW)
        assert client.delete(path).status_code == 405
    make.sign_in(client, User.get(User.login == "admin"))
    for ident in (0, 987_654, 2**40):
        assert client.get(f"/rules/{ident}/edit").status_code == 404
        assert client.post(f"/rules/{ident}/edit").status_code == 404
        assert client.get(f"/rules/{ident}/versions").status_code == 404
    assert client.get(f"/rules/{rule.id}/versions?old=77").status_code == 404


def test_two_editors_do_not_overwrite_each_other_silently(client: FlaskClient, admin: User) -> None:
    rule = stored()
    form = posted(rule, name="Mine")
    client.post(f"/rules/{rule.id}/edit", data=posted(rule, name="Theirs"))
    answer = client.post(f"/rules/{rule.id}/edit", data=form)
    assert answer.status_code == 422
    assert (
        "Not saved: someone else changed this in the meantime. Save again to overwrite with your values."
        in answer.text
    )
    assert "<td>Theirs</td><td>Mine</td>" in answer.text
    assert Rule.get_by_id(rule.id).name == "Theirs"
    again = Fields(answer.text).found
    again["op"] = "save"
    assert client.post(f"/rules/{rule.id}/edit", data=again).status_code == 302
    after = Rule.get_by_id(rule.id)
    assert (after.name, after.version) == ("Mine", 3)


def test_versions_stand_side_by_side_and_come_back_as_new_ones(client: FlaskClient, admin: User) -> None:
    rule = stored()
    url = f"/rules/{rule.id}"
    client.post(f"{url}/edit", data=posted(rule, name="Later", typed={"if.0.v0": "9"}))
    page = client.get(f"{url}/versions").text
    assert "Position in the queue ≥ 2</td><td>Position in the queue ≥ 9" in page
    seen = commands.mark(Rule.get_by_id(rule.id))
    stale = client.post(f"{url}/versions", data={"version": 1, "seen": "x"}, follow_redirects=True)
    assert (
        "Someone else changed this rule in the meantime. Review it before restoring a version." in stale.text
    )
    answer = client.post(f"{url}/versions", data={"version": 1, "seen": seen}, follow_redirects=True)
    assert "Version 1 is back, as a new version." in answer.text
    after = Rule.get_by_id(rule.id)
    assert (after.version, after.name, after.definition) == (3, "Waiting", rule.definition)
    assert client.post(f"{url}/versions", data={"version": 8, "seen": seen}).status_code == 404
    assert client.post(f"{url}/versions", data={"version": "x"}).status_code == 404


def test_what_a_rule_lacks_is_told_and_keeps_nothing_from_being_saved(
    client: FlaskClient, admin: User
) -> None:
    channel = Channel.create(
        name="Alerts", kind="chat", address="https://x.example/", created_ts=0, active=False
    )
    says = {
        **SAYS,
        "if": {
            "all": [
                {"field": "data.position", "op": "lt", "value": 1},
                {"field": "data.position", "op": "gt", "value": 2},
            ]
        },
        "then": [
            {"do": "chat", "channel": channel.id, "text": "x"},
            {"do": "email", "addresses": ["a@example.org"], "subject": "s", "text": "t"},
            {"do": "source_status", "value": "closed"},
        ],
    }
    page = client.post("/rules/new", data=posted(says=says), follow_redirects=True).text
    assert "Saved. The rule is off." in page
    for told in (
        "“Chat queued” has never occurred",
        "Channel “Alerts” is off",
        "No mail server is configured",
        "No connector has an API, so nothing can be changed in a help desk.",
        "The conditions contradict each other, so this rule never matches.",
    ):
        assert told in page
    checked = client.post("/rules/new", data=posted(op="check", says=says)).text
    assert "The conditions contradict each other, so this rule never matches." in checked
    assert "2 fields" not in checked


def test_a_rule_that_cannot_be_read_can_be_opened_and_mended(client: FlaskClient, admin: User) -> None:
    broken = {"types": "x", "if": [1], "then": {"a": 1}, "later": {"b": [None]}}
    rule = Rule.create(name="Old", definition=broken, created_ts=0, updated_ts=0)
    page = client.get(f"/rules/{rule.id}/edit")
    assert page.status_code == 200
    assert client.get(f"/rules/{rule.id}/versions").status_code == 200
    form = posted(says=SAYS, seen=commands.mark(rule), version=1, name="Old")
    assert client.post(f"/rules/{rule.id}/edit", data=form).status_code == 302
    assert AuditEntry.select().where(AuditEntry.action == "rule.updated").count() == 1


@pytest.mark.parametrize("type_", ["ticket.idle", "ticket.age_reached", "agent.capacity_reached"])
def test_timer_whose_events_have_occurred_is_not_warned_about(
    type_: str, client: FlaskClient, admin: User
) -> None:
    part = {"count": {"number": 5}} if type_ == "agent.capacity_reached" else {"after": {"seconds": 60}}
    rule = stored({**SAYS, "types": [type_], "if": {"all": []}, **part})
    url = f"/rules/{rule.id}/edit"
    assert "has never occurred" in client.get(url).text
    send(event("ticket.created", interaction="t"))
    assert "has never occurred" not in client.get(url).text


def test_a_deadline_that_is_switched_on_asks_about_what_is_open_already(
    client: FlaskClient, admin: User
) -> None:
    Event.create(
        source_id=1,
        external_id="1",
        type="ticket.created",
        time_ms=1_767_225_600_000,
        recorded_ms=1_767_225_600_000,
        interaction="T1",
    )
    rule = stored({**SAYS, "types": ["ticket.idle"], "if": {"all": []}, "after": {"seconds": 60}})
    url = f"/rules/{rule.id}/edit"
    answer = client.post(url, data=posted(rule, state="on"))
    assert answer.status_code == 422
    assert "1 item is already open." in answer.text
    assert Rule.get_by_id(rule.id).state == "off"
    assert client.post(url, data=posted(rule, state="on", existing="new")).status_code == 302
    assert Rule.get_by_id(rule.id).armed_ms > 0
    client.post(url, data=posted(rule, state="off"))
    assert client.post(url, data=posted(rule, state="on", existing="all")).status_code == 302
    assert Rule.get_by_id(rule.id).armed_ms == 0
    assert [job.args["rule"] for job in Job.select().where(Job.kind == timer_sync.ARM)] == [rule.id]
