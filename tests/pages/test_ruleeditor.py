"""The editor of a rule: acts without scripts, drafts, saving, versions."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict

from dashboard import clock
from dashboard.access.permissions import Permission
from dashboard.models import (
    AuditEntry,
    Channel,
    Event,
    Job,
    Rule,
    RuleDraft,
    RuleGroup,
    RuleVersion,
    Team,
    User,
)
from dashboard.pages.ruleeditor import commands, forms
from dashboard.rules import definition, keeping
from tests import make
from tests.pages import asks

P = Permission
ZONE = "UTC"
SAYS: dict[str, Any] = {
    "types": ["chat.queued"],
    "if": {"all": [{"field": "data.position", "op": "ge", "value": 2}]},
    "then": [{"do": "notify", "to": {"roles": ["owner"]}, "title": "Chat waits", "text": ""}],
}
HTMX = {"HX-Request": "true", "HX-Target": "rule"}


@pytest.fixture
def admin(client: FlaskClient) -> User:
    user = make.administrator()
    make.sign_in(client, user)
    return user


def stored(says: dict[str, Any] | None = None, **fields: Any) -> Rule:
    """Make a rule with its first version, as the editor leaves it."""
    read = definition.load(says or SAYS)
    assert isinstance(read, definition.Definition), read
    values = {
        "name": "Waiting",
        "created_ts": 0,
        "updated_ts": 0,
        "definition": definition.dump(read),
        **fields,
    }
    rule = Rule.create(**values)
    RuleVersion.create(rule=rule, version=1, name=rule.name, definition=rule.definition, made_ts=0)
    return rule


def posted(
    rule: Rule | None = None, op: str = "save", says: Any = None, typed: dict[str, str] | None = None,
    **head: Any,
) -> Any:  # fmt: skip
    """Return what the form of a rule posts when the button `op` is pressed, some fields `typed` anew."""
    values: dict[str, Any] = {"name": "Waiting", "list": "system", "state": "off"}
    if rule is not None:
        now = Rule.get_by_id(rule.id)
        values |= {"name": now.name, "state": now.state, "seen": commands.mark(now), "version": now.version}
    raw = says or (rule.definition if rule else SAYS)
    form = forms.flat(forms.typed(raw, **{**values, **head}), ZONE)
    for name, value in {**(typed or {}), "op": op}.items():
        form[name] = value
    return form


class Fields(HTMLParser):
    """What a browser would post of the form called `rule`, without a button."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: MultiDict[str, str] = MultiDict()
        self.inside, self.select, self.area = False, "", ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.inside = self.inside or (tag == "form" and given.get("id") == "rule")
        if not (self.inside or self.select or given.get("form") == "rule"):
            return
        if tag == "input" and "name" in given:
            ticks = given.get("type") in ("checkbox", "radio")
            if not ticks or "checked" in given:
                self.found.add(given["name"], given.get("value", ""))
        elif tag == "select":
            self.select = given.get("name", "")
        elif tag == "textarea":
            self.area = given.get("name", "")
            self.found.add(self.area, "")
        elif tag == "option" and self.select and ("selected" in given or self.select not in self.found):
            self.found[self.select] = given.get("value", "")

    def handle_data(self, data: str) -> None:
        if self.area:
            self.found[self.area] = data.removeprefix("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False
        elif tag == "select":
            self.select = ""
        elif tag == "textarea":
            self.area = ""


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
    assert rule.definition["if"] == {"all": [
        {"field": "data.title", "op": "contains_any", "value": ["fire", "flood"]},
        {"any": [{"field": "contact.email", "op": "is", "value": "a@example.org"}]},
    ]}  # fmt: skip
    assert rule.definition["then"][0] | {"limit": 0} == {
        "do": "tag", "tags": ["urgent"], "limit": 0, "on_error": "continue", "delay_s": 0,
    }  # fmt: skip
    assert rule.definition["loop"] == "ignore"
    assert RuleVersion.select().count() == 1
    assert RuleDraft.select().count() == 0
    assert asks.audited("rule.created").changes["name"] == [None, "Urgent tickets"]


WHOLE: dict[str, Any] = {
    "types": ["ticket.created", "custom.shop.sale"],
    "if": {"all": [
        {"field": "data.priority", "op": "is_any_of", "value": ["high", "<b>"]},
        {"any": [{"field": "data.shop.total", "op": "is", "value": '"><script>alert(1)</script>&amp;'},
                 {"none": [{"field": "time.weekday", "op": "weekday_of", "value": [6, 7]},
                           {"field": "time", "op": "less_than_ago", "value": 5400}]}]},
        {"field": "user", "op": "changed_from_to", "value": [None, 1]},
        {"field": "time.clock", "op": "shift_between", "value": [[1, 2], "22:00", "06:00"]},
        {"field": "time", "op": "within", "value": [1_793_000_040_000, 1_793_000_100_000]},
    ]},
    "times": {"number": 3, "seconds": 600, "by": "contact", "clear": 1},
    "then": [
        {"do": "notify", "to": {"roles": ["leads"], "users": [1]}, "title": "T {{ user.name }}",
         "text": "a\nb", "urgent": True, "limit": {"often": "period", "by": "contact", "seconds": 900},
         "on_error": "undo", "delay_s": 90},
        {"do": "emit", "type": "custom.late", "data": {"who": "{{ user.name }}"}},
        {"do": "email", "addresses": ["a@example.org"], "subject": "S", "text": "T"},
    ],
    "stop": True, "loop": "allow", "zone": "Asia/Tokyo",
}  # fmt: skip


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
    assert definition.load(after.definition) == definition.load(rule.definition)
    assert after.version == 1, "nothing has changed"


def test_saving_makes_a_version_and_tells_the_audit_log_what_changed(
    client: FlaskClient, admin: User
) -> None:
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
    assert "Saved. The rule runs in shadow" in answer.text
    after = Rule.get_by_id(rule.id)
    assert (after.state, after.version) == ("shadow", 1)
    assert asks.audited("rule.switched").changes == {"state": ["off", "shadow"]}
    client.post(f"/rules/{rule.id}/edit", data=posted(rule, op="save_off"))
    assert Rule.get_by_id(rule.id).state == "off"


BAD = [
    ({"name": ""}, "#f-name", "Give 1 to 120 characters."),
    ({"name": "x" * 121}, "#f-name", "Give 1 to 120 characters."),
    ({"if.0.v0": "many"}, "#f-if.0.v0", "Enter a number."),
    ({"if.0.field": "data.", "if.0.path": ""}, "#f-if.0.field", "no such field"),
    ({"then.0.title": ""}, "#f-then.0.title", "Enter a text."),
    ({"then.0.title": "{{ ticket.number }}"}, "#f-then.0.title", "ticket.number"),
    ({"then.0.delay": "soon"}, "#f-then.0.delay", "Give a whole number"),
    ({"wait.seconds": "soon", "wait.seconds.unit": "min"}, "#f-wait.seconds", "Give a whole number"),
    ({"types.0": ""}, "#f-types.0", "Choose at least one event type."),
    ({"zone": "Nowhere"}, "#f-zone", "There is no such time zone."),
    ({"position": "first"}, "#f-position", "Give a whole number from 0"),
    ({"group": "987654"}, "#f-group", "Choose from the list."),
    ({"state": "paused"}, "#f-state", "Choose from the list."),
]


@pytest.mark.parametrize(("typed", "field", "said"), BAD)
def test_what_is_wrong_is_told_at_its_field_and_nothing_is_changed(
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
    assert "does not exist or is outside of what you may see" in answer.text
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
        page = client.get(f"/rules/{rule.id}/edit")
        assert "You may look at this rule, not change it." in page.text
        assert 'value="save"' not in page.text
        assert client.post(f"/rules/{rule.id}/edit", data=posted(rule)).status_code == 403


def test_rules_of_the_site_are_switched_with_the_right_to(client: FlaskClient) -> None:
    asks.sign_in_with(client, P.RULES_VIEW, P.RULES_EDIT)
    answer = client.post("/rules/new", data=posted(state="on"))
    assert "Your access does not let you switch rules of the site." in answer.text
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


def test_htmx_gets_the_form_alone_as_it_stands_in_the_page(client: FlaskClient, admin: User) -> None:
    rule = stored()
    with time_machine.travel(clock.now(), tick=False):  # the form's token says when it was made
        page = client.post(f"/rules/{rule.id}/edit", data=posted(rule, op="add:")).text
        part = client.post(f"/rules/{rule.id}/edit", data=posted(rule, op="add:"), headers=HTMX).text.strip()
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


def test_two_editors_do_not_overwrite_each_other_silently(client: FlaskClient, admin: User) -> None:
    rule = stored()
    form = posted(rule, name="Mine")
    client.post(f"/rules/{rule.id}/edit", data=posted(rule, name="Theirs"))
    answer = client.post(f"/rules/{rule.id}/edit", data=form)
    assert answer.status_code == 422
    assert "somebody else has changed this meanwhile" in answer.text
    assert "<td>Theirs</td><td>Mine</td>" in answer.text
    assert Rule.get_by_id(rule.id).name == "Theirs"
    again = Fields(answer.text).found
    again["op"] = "save"
    assert client.post(f"/rules/{rule.id}/edit", data=again).status_code == 302
    after = Rule.get_by_id(rule.id)
    assert (after.name, after.version) == ("Mine", 3)


def test_one_is_told_who_else_is_typing(client: FlaskClient, admin: User) -> None:
    rule, jana = stored(), make.user("jana")
    with time_machine.travel("2026-11-19 10:00:00+00:00", tick=False):
        commands.keep(jana.id, rule.id, forms.typed(SAYS), None)
    for minute, told in ((14, True), (16, False)):
        with time_machine.travel(f"2026-11-19 10:{minute}:00+00:00", tick=False):
            make.sign_in(client, admin)
            assert ("Jana: also editing this rule now." in client.get(f"/rules/{rule.id}/edit").text) is told


def test_versions_stand_side_by_side_and_come_back_as_new_ones(client: FlaskClient, admin: User) -> None:
    rule = stored()
    url = f"/rules/{rule.id}"
    client.post(f"{url}/edit", data=posted(rule, name="Later", typed={"if.0.v0": "9"}))
    page = client.get(f"{url}/versions").text
    assert "Position in the queue ≥ 2</td><td>Position in the queue ≥ 9" in page
    seen = commands.mark(Rule.get_by_id(rule.id))
    stale = client.post(f"{url}/versions", data={"version": 1, "seen": "x"}, follow_redirects=True)
    assert "Somebody else has changed this rule meanwhile." in stale.text
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
        "if": {"all": [{"field": "data.position", "op": "lt", "value": 1},
                       {"field": "data.position", "op": "gt", "value": 2}]},
        "then": [{"do": "chat", "channel": channel.id, "text": "x"},
                 {"do": "email", "addresses": ["a@example.org"], "subject": "s", "text": "t"}],
    }  # fmt: skip
    page = client.post("/rules/new", data=posted(says=says), follow_redirects=True).text
    assert "Saved. The rule is off." in page
    for told in (
        "“Chat queued” has never occurred", "The channel “Alerts” is switched off", "No mail server is set",
        "Its conditions contradict each other",
    ):  # fmt: skip
        assert told in page
    checked = client.post("/rules/new", data=posted(op="check", says=says)).text
    assert "Its conditions contradict each other" in checked
    assert "2 fields" not in checked


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
    assert "Access changed" not in page, "the type is for rules of the site"


def test_texts_are_previewed_on_the_latest_event_in_scope(client: FlaskClient) -> None:
    asks.sign_in_with(client, P.RULES_EDIT, P.RULES_VIEW)
    says = {**SAYS, "then": [{"do": "log", "text": "From {{ contact.email }} {{ chat.position }}"}]}
    assert "For Chat queued" not in client.post("/rules/new", data=posted(op="keep", says=says)).text
    Event.create(source_id=1, external_id="1", type="chat.queued", time_ms=1_767_225_600_000, recorded_ms=1,
                 contact='{"email": "novak@example.org"}', data='{"position": 4}')  # fmt: skip
    page = client.post("/rules/new", data=posted(op="keep", says=says)).text
    preview = re.search(r"For Chat queued, 2026-01-01 00:00:00: From (\S+) 4", page)
    assert preview is not None
    assert preview[1] != "novak@example.org", "masked for who does not see contact details whole"


def test_a_rule_that_cannot_be_read_can_be_opened_and_mended(client: FlaskClient, admin: User) -> None:
    broken = {"types": "x", "if": [1], "then": {"a": 1}, "later": {"b": [None]}}
    rule = Rule.create(name="Old", definition=broken, created_ts=0, updated_ts=0)
    page = client.get(f"/rules/{rule.id}/edit")
    assert page.status_code == 200
    assert client.get(f"/rules/{rule.id}/versions").status_code == 200
    form = posted(says=SAYS, seen=commands.mark(rule), version=1, name="Old")
    assert client.post(f"/rules/{rule.id}/edit", data=form).status_code == 302
    assert AuditEntry.select().where(AuditEntry.action == "rule.updated").count() == 1


def test_a_deadline_that_is_switched_on_asks_about_what_is_open_already(
    client: FlaskClient, admin: User
) -> None:
    Event.create(source_id=1, external_id="1", type="ticket.created", time_ms=1_767_225_600_000,
                 recorded_ms=1, interaction="T1")  # fmt: skip
    rule = stored({**SAYS, "types": ["ticket.idle"], "if": {"all": []}, "after": {"seconds": 60}})
    url = f"/rules/{rule.id}/edit"
    answer = client.post(url, data=posted(rule, state="on"))
    assert answer.status_code == 422
    assert "1 subject is open already." in answer.text
    assert Rule.get_by_id(rule.id).state == "off"
    assert client.post(url, data=posted(rule, state="on", existing="new")).status_code == 302
    assert Rule.get_by_id(rule.id).armed_ms > 0
    client.post(url, data=posted(rule, state="off"))
    assert client.post(url, data=posted(rule, state="on", existing="all")).status_code == 302
    assert Rule.get_by_id(rule.id).armed_ms == 0
    assert [job.args["rule"] for job in Job.select().where(Job.kind == keeping.ARM)] == [rule.id]
