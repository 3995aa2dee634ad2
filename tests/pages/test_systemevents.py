"""Which events are recorded, and which of them rules may use: shown with counts, switched group by group."""

from __future__ import annotations

import re

import pytest
import time_machine
from flask.testing import FlaskClient

from dashboard import clock
from dashboard.access.permissions import Permission
from dashboard.catalog import CATALOG
from dashboard.events import internal, switches
from dashboard.events.switches import Choice
from dashboard.models import Setting, TypeSwitch
from dashboard.models.versions import TYPES
from dashboard.rules import active_rules
from tests.pages import asks

pytestmark = pytest.mark.dated

P = Permission
URL = "/settings/system-events"
ON, OFF = Choice(recorded=True, in_rules=True), Choice(recorded=False, in_rules=False)


@pytest.fixture
def editor(client: FlaskClient) -> FlaskClient:
    asks.sign_in_with(client, P.SYSTEM_EVENTS_VIEW, P.SYSTEM_EVENTS_EDIT)
    return client


def row(page: str, name: str) -> str:
    """Return the table row of a type."""
    (found,) = [part for part in page.split("<tr>") if f" {name}" in part.partition(">")[2][:200]]
    return found


def sent(recorded: list[str], rules: list[str], *was: str) -> dict[str, list[str]]:
    return {"was": list(was), "recorded": recorded, "rules": rules}


def test_every_type_of_the_catalogue_is_listed_once_with_its_switches(editor: FlaskClient) -> None:
    page = editor.get(URL).text
    names = re.findall(r'name="was" value="(\d\d) ([a-z0-9_.]+)"', page)
    assert sorted(name for _, name in names) == sorted(CATALOG)
    assert {name: marks for marks, name in names}["tracing.viewed"] == "10"
    with time_machine.travel(clock.now_s(), tick=False):  # tokens of forms bear the second
        asks.fragment_is_block(editor, URL)


def test_events_of_the_last_day_are_counted_by_type(editor: FlaskClient) -> None:
    for seconds_ago in (0, 1, 86_401):
        append_earlier("chat.queued", seconds_ago)
    assert '<td class="n">2</td>' in row(editor.get(URL).text, "chat.queued")
    append_earlier("custom.door_opened", 0)
    append_earlier("custom.long_ago", 10 * 365 * 86_400)
    assert '<td class="n">1</td>' in row(editor.get(URL).text, "custom.door_opened")
    assert '<td class="n">0</td>' in row(editor.get(URL).text, "custom.long_ago")


def append_earlier(type_: str, seconds: int) -> None:
    with time_machine.travel(clock.now_ms() / 1000 - seconds, tick=False):
        internal.append(type_, {})


def test_a_switch_is_saved_at_once_for_gate_and_rules_and_audited(editor: FlaskClient) -> None:
    before = active_rules.live().version
    data = sent(["chat.missed"], ["chat.missed", "chat.queued"], "11 chat.queued", "11 chat.missed")
    answer = editor.post(f"{URL}/chats?q=chat&state=seen", data=data)
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"{URL}?q=chat&state=seen#g-chats"
    assert switches.choice("chat.queued") == Choice(recorded=False, in_rules=True)
    assert switches.choice("chat.missed") == ON
    assert asks.audited("settings.updated").changes == {"chat.queued recorded": [True, False]}
    assert active_rules.live().version != before


def test_what_a_filtered_list_did_not_show_is_left_alone(editor: FlaskClient) -> None:
    editor.post(f"{URL}/chats", data=sent([], [], "11 chat.queued"))
    assert [one.type for one in TypeSwitch.select()] == ["chat.queued"]
    assert switches.choice("chat.queued") == OFF


def test_nothing_ticked_anew_is_no_change(editor: FlaskClient) -> None:
    editor.post(f"{URL}/chats", data=sent(["chat.queued"], ["chat.queued"], "11 chat.queued"))
    versions = Setting.select().where(Setting.name == TYPES)
    assert (TypeSwitch.select().count(), versions.count(), asks.entries()) == (0, 0, 0)


NONSENSE = [
    pytest.param("chats", ["11 call.queued"], id="a type of another group"),
    pytest.param("chats", ["11 chat.nonsense", "11", "", "11 "], id="no type"),
    pytest.param("custom", ["11 custom.NO", "1 custom.a"], id="no name"),
    pytest.param("chats", [asks.HOSTILE], id="hostile"),
]


@pytest.mark.parametrize(("group", "was"), NONSENSE)
def test_what_names_no_type_of_the_group_changes_nothing(
    editor: FlaskClient, group: str, was: list[str]
) -> None:
    assert editor.post(f"{URL}/{group}", data=sent([], [], *was)).status_code == 302
    assert (TypeSwitch.select().count(), asks.entries()) == (0, 0)


def test_the_later_of_two_editors_is_told_and_sees_both_values(editor: FlaskClient) -> None:
    editor.post(f"{URL}/chats", data=sent([], [], "11 chat.queued"))
    late = editor.post(f"{URL}/chats", data=sent(["chat.queued"], [], "11 chat.queued"))
    assert late.status_code == 422
    assert f"{CATALOG['chat.queued'].label}, record" in late.text
    assert "<td>No</td><td>Yes</td>" in late.text
    assert 'value="00 chat.queued"' in late.text
    assert switches.choice("chat.queued") == OFF
    editor.post(f"{URL}/chats", data=sent(["chat.queued"], [], "00 chat.queued"))
    assert switches.choice("chat.queued") == Choice(recorded=True, in_rules=False)


FILTERS = [
    ("q=CHAT.QUEUED", {"chat.queued"}, {"chat.missed"}),
    ("group=rules", {"rule.created"}, {"chat.queued"}),
    ("state=off", {"chat.missed"}, {"chat.queued"}),
    ("state=closed", {"tracing.viewed"}, {"chat.queued"}),
    ("state=seen", {"chat.queued"}, {"call.queued"}),
    ("state=source", {"call.queued"}, {"rule.created"}),
    ("state=x&group=y", {"rule.created", "call.queued"}, set()),
]


@pytest.mark.parametrize(("query", "shown", "hidden"), FILTERS)
def test_the_list_can_be_narrowed(editor: FlaskClient, query: str, shown: set[str], hidden: set[str]) -> None:
    internal.append("chat.queued", {})
    switches.choose("chat.missed", OFF)
    page = editor.get(f"{URL}?{query}").text
    found = set(re.findall(r'name="was" value="\d\d ([a-z0-9_.]+)"', page))
    assert shown <= found
    assert not hidden & found


def test_hostile_text_is_shown_as_typed(editor: FlaskClient) -> None:
    page = editor.get(URL, query_string={"q": asks.HOSTILE}).text
    assert asks.SHOWN in page
    assert "No matching events" in page


def test_who_may(client: FlaskClient) -> None:
    asks.refuses_strangers(client, URL)
    asks.refuses_posts(client, f"{URL}/chats", P.SYSTEM_EVENTS_VIEW)
    page = client.get(URL).text
    assert "<fieldset disabled>" in page
    assert "<button" not in page.partition('id="result"')[2].partition("</main>")[0]
    assert client.post(f"{URL}/nothing").status_code == 403
    asks.sign_in_with(client, P.SYSTEM_EVENTS_EDIT, P.SYSTEM_EVENTS_VIEW)
    assert client.post(f"{URL}/nothing").status_code == 404
    assert client.delete(URL).status_code == 405
    assert client.get(f"{URL}/chats").status_code == 405
