"""Which events are recorded, and which of them rules may use: shown with counts, switched group by group."""

from __future__ import annotations

import re

import pytest
import time_machine
from flask.testing import FlaskClient
from markupsafe import escape

from dashboard import clock
from dashboard.access.permissions import Permission
from dashboard.catalog import CATALOG
from dashboard.catalog.system import FOUND_BY_STOPA
from dashboard.events import internal, seen, switches
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


def shown(page: str) -> dict[str, str]:
    """Return what the page shows of each type: "10 30", its switches and its days."""
    return {name: marks for marks, name in re.findall(r'name="was" value="(\d\d \d*) ([a-z0-9_.]+)"', page)}


def sent(recorded: list[str], rules: list[str], *was: str, **days: str) -> dict[str, list[str] | str]:
    typed = {f"days.{name.replace('__', '.')}": value for name, value in days.items()}
    return {"was": list(was), "recorded": recorded, "rules": rules, **typed}


def test_every_type_of_the_catalogue_is_a_link_away_with_its_switches(editor: FlaskClient) -> None:
    internal.append("chat.queued", {})
    append_earlier("call.queued", 31 * 86_400)
    page = editor.get(URL).text
    assert list(shown(page)) == sorted(shown(page), key=lambda name: name not in FOUND_BY_STOPA)
    assert set(shown(page)) == {*FOUND_BY_STOPA, "chat.queued"}
    assert page.count('<details class="panel') == 2
    groups = set(re.findall(r'href="([^"]*group=[a-z]+)"', page))
    assert len(groups) == len({type_.group for type_ in CATALOG.values()})
    found = [item for url in sorted(groups) for item in shown(editor.get(url).text).items()]
    assert sorted(name for name, _marks in found) == sorted(CATALOG)
    assert dict(found)["tracing.viewed"] == "10 "
    with time_machine.travel(clock.now_s(), tick=False):  # tokens of forms bear the second
        asks.fragment_is_block(editor, URL)


@pytest.mark.both_databases
@pytest.mark.usefixtures("db")
def test_latest_times_are_those_of_each_type_and_of_a_bounded_number_of_custom_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(seen, "MOST_CUSTOM", 2)
    times = {"agent.ready": 7, "contact.created": 9, "custom.a": 3, "custom.b": 4, "visit.ended": 1}
    for type_, time_ms in {**times, "custom.c": 5}.items():
        internal.append(type_, {}, time_ms=time_ms)
        internal.append(type_, {}, time_ms=0)
    assert seen.last_times() == times


def test_events_of_the_last_day_are_counted_by_type(editor: FlaskClient) -> None:
    for seconds_ago in (0, 1, 86_401):
        append_earlier("chat.queued", seconds_ago)
    assert '<td class="n" data-label="Last 24 hours">2</td>' in row(editor.get(URL).text, "chat.queued")
    append_earlier("custom.door_opened", 0)
    long_s = 10 * 365 * 86_400
    append_earlier("custom.long_ago", long_s)
    page = editor.get(f"{URL}?group=custom").text
    assert '<td class="n" data-label="Last 24 hours">1</td>' in row(page, "custom.door_opened")
    assert '<td class="n" data-label="Last 24 hours">0</td>' in row(page, "custom.long_ago")
    assert clock.local_date(clock.now_s() - long_s, "UTC").strftime("%Y") in row(page, "custom.long_ago")


def append_earlier(type_: str, seconds: int) -> None:
    with time_machine.travel(clock.now_ms() / 1000 - seconds, tick=False):
        internal.append(type_, {})


def test_switches_and_days_of_all_groups_are_saved_at_once_and_audited(editor: FlaskClient) -> None:
    before = active_rules.live().version
    data = sent(
        ["chat.missed", "call.queued"],
        ["chat.missed", "chat.queued", "call.queued"],
        *("11  chat.queued", "11  chat.missed", "11 7 call.queued"),
        call__queued="",
        chat__missed="30",
    )
    switches.choose("call.queued", Choice(True, True, 7))
    answer = editor.post(f"{URL}?q=chat&state=seen", data=data)
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"{URL}?q=chat&state=seen"
    assert switches.choice("chat.queued") == Choice(recorded=False, in_rules=True)
    assert switches.choice("chat.missed") == Choice(True, True, 30)
    assert [switches.retention_days(name) for name in ("chat.missed", "call.queued")] == [30, None]
    assert asks.audited("settings.updated").changes == {
        "chat.queued recorded": [True, False],
        "chat.missed days": [None, 30],
        "call.queued days": [7, None],
    }
    assert active_rules.live().version != before


def test_what_a_filtered_list_did_not_show_is_left_alone(editor: FlaskClient) -> None:
    editor.post(URL, data=sent([], [], "11  chat.queued"))
    assert [one.type for one in TypeSwitch.select()] == ["chat.queued"]
    assert switches.choice("chat.queued") == OFF


NO_CHANGE = {
    "nothing ticked anew": sent(["chat.queued"], ["chat.queued"], "11  chat.queued"),
    "no type": sent([], [], "11  chat.nonsense", "11", "", "11 ", "11  "),
    "no name": sent([], [], "11  custom.NO", "1  custom.a"),
    "hostile": sent([], [], asks.HOSTILE),
}


@pytest.mark.parametrize("data", NO_CHANGE.values(), ids=NO_CHANGE)
def test_what_names_no_type_or_no_change_stores_nothing(
    editor: FlaskClient, data: dict[str, list[str] | str]
) -> None:
    assert editor.post(URL, data=data).status_code == 302
    versions = Setting.select().where(Setting.name == TYPES)
    assert (TypeSwitch.select().count(), versions.count(), asks.entries()) == (0, 0, 0)


@pytest.mark.parametrize("days", ["0", "-1", "1.5", "x", "36501", "9" * 5000, asks.HOSTILE])
def test_days_that_are_no_number_are_refused_and_kept_in_the_form(editor: FlaskClient, days: str) -> None:
    data = sent(["contact.created"], [], "11  contact.created", contact__created=days)
    refused = editor.post(f"{URL}?group=contacts", data=data)
    assert refused.status_code == 422
    assert f"{CATALOG['contact.created'].label}: Enter a whole number from 1 to 36500." in refused.text
    assert 'id="f-days.contact.created" aria-invalid="true"' in " ".join(refused.text.split())
    assert str(escape(days)) in row(refused.text, "contact.created")
    assert (TypeSwitch.select().count(), asks.entries()) == (0, 0)


def test_the_later_of_two_editors_is_told_and_sees_both_values(editor: FlaskClient) -> None:
    editor.post(URL, data=sent([], [], "11  chat.queued"))
    late = editor.post(
        f"{URL}?group=chats", data=sent(["chat.queued"], [], "11  chat.queued", chat__queued="9")
    )
    assert late.status_code == 422
    assert f"{CATALOG['chat.queued'].label}, record" in late.text
    assert "<td>No</td><td>Yes</td>" in re.sub(r"\s+(?=<)", "", late.text)
    assert 'value="00  chat.queued"' in late.text
    assert switches.choice("chat.queued") == OFF
    editor.post(URL, data=sent(["chat.queued"], [], "00  chat.queued"))
    assert switches.choice("chat.queued") == Choice(recorded=True, in_rules=False)


FILTERS = [
    ("group=stopa", {"system.disk_low", "audit.broken"}, {"chat.queued"}),
    ("q=CHAT.QUEUED", {"chat.queued"}, {"chat.missed"}),
    ("group=rules", {"rule.created"}, {"chat.queued"}),
    ("state=off", {"chat.missed"}, {"chat.queued"}),
    ("state=closed", {"tracing.viewed"}, {"chat.queued"}),
    ("state=seen", {"chat.queued"}, {"call.queued"}),
    ("q=.", {"agent.ready"}, {"visit.started"}),
    ("state=source", {"call.queued"}, {"rule.created"}),
    ("state=x&group=y", {"chat.queued", "system.disk_low"}, set()),
]


@pytest.mark.parametrize(("query", "there", "hidden"), FILTERS)
def test_the_list_can_be_narrowed(editor: FlaskClient, query: str, there: set[str], hidden: set[str]) -> None:
    internal.append("chat.queued", {})
    switches.choose("chat.missed", OFF)
    page = editor.get(f"{URL}?{query}").text
    found = set(shown(page))
    assert there <= found
    assert not hidden & found
    assert len(page) < 150_000


def test_hostile_text_is_shown_as_typed(editor: FlaskClient) -> None:
    page = editor.get(URL, query_string={"q": asks.HOSTILE}).text
    assert asks.SHOWN in page
    assert "No matching events" in page


def test_who_may(client: FlaskClient) -> None:
    asks.refuses_strangers(client, URL)
    asks.refuses_posts(client, URL, P.SYSTEM_EVENTS_VIEW)
    page = client.get(URL).text
    assert "<fieldset disabled>" in page
    assert "<button" not in page.partition('id="result"')[2].partition("</main>")[0]
    assert client.delete(URL).status_code == 405
