"""An activity as rules see it: their tags, notes and runs, and the button that records a manual event."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboard import clock
from dashboard.access import scope
from dashboard.access.permissions import Permission
from dashboard.events import own, switches
from dashboard.events.switches import Choice
from dashboard.jobs import worker
from dashboard.models import Activity, Event, Mark, Run, Source, User
from dashboard.tracing import load
from tests import make
from tests.pages import trail
from tests.pages.asks import HOSTILE, SHOWN, audited, entries, sign_in_with
from tests.pages.html import Page
from tests.rules.engine import rule, user_id

P = Permission
SEES = (P.TRACING_VIEW, P.RULES_VIEW, P.RULES_TRACES)
MAKES = (P.TRACING_VIEW, P.RULES_EDIT)
TOKEN = "0123456789abcdef0123456789abcdef"
CHAT = {"queue": "web", "interaction": "w-1", "channel": "webchat"}
CONTACT = {"name": "Eva Malá", "phone": "+420601234567"}
NOTE = "Call {{ event.interaction }} +420601234567"
MARKS = [{"do": "tag", "tags": ["vip", HOSTILE]}, {"do": "note", "text": NOTE}]


@pytest.fixture(autouse=True)
def evening(app: Flask) -> Iterator[None]:
    with time_machine.travel(trail.at("2026-03-02 20:00"), tick=False):
        yield


def chat(**more: Any) -> None:
    trail.store(
        trail.event("chat.accepted", "09:00", **CHAT, contact=CONTACT, url="https://example.org/a", **more),
        trail.event("chat.closed", "09:30", **CHAT),
    )


def activity(channel: str = "webchat") -> int:
    return int(Activity.get(Activity.channel == channel).id)


def page(client: FlaskClient, channel: str = "webchat") -> Page:
    answer = client.get(f"/tracing/activities/{activity(channel)}")
    assert answer.status_code == 200
    return Page(answer.text)


def press(client: FlaskClient, ident: int | None = None, **form: str) -> TestResponse:
    url = f"/tracing/activities/{ident or activity()}/manual?tz=Europe/Prague"
    return client.post(url, data={"token": TOKEN, "button": "Escalate", **form})


def pressed() -> list[Event]:
    return list(Event.select().where(Event.type.in_(["chat.manual", "ticket.manual"])).order_by(Event.id))


def test_tags_and_notes_of_rules_are_shown_as_typed(client: FlaskClient) -> None:
    author = make.user(access=make.access(P, ["all_users", "all_queues"]))
    rule(MARKS, ["chat.closed"], name="Marks <b>", updated_by=author.id)
    chat()
    sign_in_with(client, *SEES, P.PII_UNMASK)
    shown = page(client)
    assert ("vip" in shown.text, SHOWN in shown.source) == (True, True)
    assert "Call w-1 +420601234567" in shown.text
    assert "By the rule “Marks <b>”" in shown.text


def test_contact_details_in_notes_are_masked_but_for_the_right(client: FlaskClient) -> None:
    rule([{"do": "note", "text": "Call +420601234567"}], ["chat.closed"])
    chat()
    sign_in_with(client, *SEES)
    shown = page(client).source
    assert "567" in shown
    assert "601234567" not in shown


def test_a_rule_that_the_viewer_may_not_see_has_no_name(client: FlaskClient) -> None:
    rule(MARKS, ["chat.closed"], name="Secret rule")
    chat()
    sign_in_with(client, P.TRACING_VIEW)
    shown = page(client)
    assert "vip" in shown.text
    assert "Secret rule" not in shown.source
    assert "/runs" not in shown.source


def test_marks_of_other_interactions_and_sources_stay_there(client: FlaskClient) -> None:
    chat()
    trail.store(trail.work("chat", "w-1", "10:00", "10:30", "petr", channel="sms"), source="other")
    for subject in ("interaction:other:w-1", "interaction:pbx:w-2", "session:pbx:w-1"):
        Mark.create(subject=subject, kind="tag", text=f"of {subject}", rule_id=1, run_id=1, made_ms=1)
    sign_in_with(client, *SEES)
    assert "of interaction" not in page(client).text
    assert "of interaction:other:w-1" in page(client, "sms").text


def test_the_latest_three_runs_lead_to_their_pages(client: FlaskClient) -> None:
    for name in ("First", "Second", "Third", "Fourth"):
        rule(types=["chat.closed"], name=name)
    chat()
    sign_in_with(client, *SEES)
    shown = page(client)
    ids = [row.id for row in Run.select().order_by(Run.id.desc()).limit(3)]
    assert [url for url in shown.links() if url.startswith("/runs/")] == [f"/runs/{each}" for each in ids]
    rows = [cells[1:] for cells in shown.rows.values() if cells[-1] == "Done"]
    assert rows == [["Fourth", "Done"], ["Third", "Done"], ["Second", "Done"]]
    everything = next(url for url in shown.links() if url.startswith("/runs?"))
    assert len(Page(client.get(everything).text).rows) == 5
    assert [client.get(f"/runs/{each}").status_code for each in ids] == [200] * 3


def test_runs_of_rules_or_events_outside_the_viewers_rights_are_left_out(client: FlaskClient) -> None:
    jana, petr = (make.user(login, access=make.access([P.RULES_OWN])) for login in ("jana", "petr"))
    rule(types=["chat.closed"], name="The site's")
    rule(types=["chat.accepted"], name="Of jana", owner_id=jana.id)
    chat()
    trail.store(trail.work("chat", "w-1", "10:00", "10:30", "petr", queue="mail"))
    make.sign_in(client, jana)
    shown = page(client)
    assert ("Of jana" in shown.text, "The site's" in shown.text) == (True, False)
    sign_in_with(client, *SEES, grants=[("users", jana.id), "all_queues"])
    rows = [cells for cells in page(client).rows.values() if cells[-1] == "Done"]
    assert [cells[1] for cells in rows] == ["The site's"], "the other run is about petr"
    assert petr.name not in page(client).source


def test_without_runs_the_page_says_so(client: FlaskClient) -> None:
    chat()
    sign_in_with(client, *SEES)
    assert "No rule was asked about this interaction yet." in page(client).text


def test_a_manual_event_is_one_of_its_interaction_and_rules_act_on_it(client: FlaskClient) -> None:
    fits = {"all": [{"field": "data.button", "op": "is", "value": "Escalate"},
                    {"field": "data.url", "op": "contains", "value": "example.org"},
                    {"field": "queue.channel", "op": "one_of", "value": ["chat"]}]}  # fmt: skip
    rule([{"do": "tag", "tags": ["escalated"]}], ["chat.manual"], **{"if": fits})
    make.queue("web", channel="chat")
    chat(wait_s=7)
    viewer = sign_in_with(client, *MAKES)
    answer = press(client)
    assert (answer.status_code, answer.headers["Location"]) == (
        302, f"/tracing/activities/{activity()}?tz=Europe/Prague"
    )  # fmt: skip
    (event,) = pressed()
    assert (event.interaction, event.source_id) == ("w-1", Source.get(Source.name == "pbx").id)
    assert (event.user_id, event.time_ms) == (viewer.id, trail.at("2026-03-02 20:00") * 1000)
    assert json.loads(event.data) == {
        "button": "Escalate", "channel": "webchat", "url": "https://example.org/a"
    }  # fmt: skip
    assert json.loads(event.contact) == CONTACT
    worker.drain(["digest"])
    shown = page(client)
    assert "The event is recorded." in shown.text
    assert "Manual chat event: Escalate" in shown.text
    assert "escalated" in shown.text


def test_the_work_itself_stays_as_it_was(client: FlaskClient) -> None:
    chat()
    before = list(Activity.select().dicts())
    sign_in_with(client, *MAKES)
    press(client)
    worker.drain(["digest"])
    assert list(Activity.select().dicts()) == before


def test_acts_on_rules_are_no_part_of_a_users_day(client: FlaskClient) -> None:
    chat()
    viewer = sign_in_with(client, *MAKES)
    press(client)
    own.append("rule.created", {}, viewer.id)
    day = clock.day(date(2026, 3, 2), "Europe/Prague")
    assert load.event_counts(scope.whole(), viewer.id, day) == {"chat.manual": 1}


def test_it_leaves_an_audit_entry(client: FlaskClient) -> None:
    chat()
    viewer = sign_in_with(client, *MAKES)
    press(client)
    entry = audited("manual_event.recorded")
    assert (entry.actor_id, entry.target_type, entry.target_label) == (viewer.id, "interaction", "w-1")
    assert entry.details == {"type": "chat.manual", "activity": activity(), "button": "Escalate"}


def test_a_form_sent_twice_makes_one_event(client: FlaskClient) -> None:
    chat()
    sign_in_with(client, *MAKES)
    tokens = [page(client).values("token"), page(client).values("token")]
    assert tokens[0] != tokens[1]
    press(client, token=tokens[0][0])
    assert press(client, token=tokens[0][0]).status_code == 302
    assert "The event was recorded before." in page(client).text
    assert len(pressed()) == 1
    audited("manual_event.recorded")
    press(client, token=tokens[1][0])
    assert len(pressed()) == 2


def test_what_happens_on_another_day_has_its_date(client: FlaskClient) -> None:
    chat()
    with time_machine.travel(trail.at("2026-03-04 10:00"), tick=False):
        sign_in_with(client, *MAKES)
        press(client)
        shown = Page(client.get(f"/tracing/activities/{activity()}?tz=Europe/Prague").text)
    times = [cells[0] for cells in shown.rows.values() if len(cells) == 4]
    assert times == ["Time", "09:00:00", "09:30:00", "4 Mar 2026 10:00:00"]


def test_a_button_needs_no_name(client: FlaskClient) -> None:
    chat()
    sign_in_with(client, *MAKES)
    assert press(client, button=" ").status_code == 302
    assert "button" not in json.loads(pressed()[0].data)
    assert "Manual chat event" in page(client).text


@pytest.mark.parametrize(("form", "sentence"), [
    ({"button": "x" * 81}, "Give 0 to 80 characters."),
    ({"button": "a\x07b"}, "Leave out control characters."),
    ({"token": ""}, "The form could not be read."), ({"token": "x" * 32}, "The form could not be read."),
])  # fmt: skip
def test_bad_input_is_named_and_nothing_is_recorded(
    form: dict[str, str], sentence: str, client: FlaskClient
) -> None:
    chat()
    sign_in_with(client, *MAKES)
    before = entries()
    answer = press(client, **form)
    shown = Page(answer.text)
    assert answer.status_code == 422
    assert sentence in shown.text
    assert shown.values("button") == [form.get("button", "Escalate")]
    assert pressed() == []
    assert entries() == before


def test_a_hostile_name_is_shown_as_typed(client: FlaskClient) -> None:
    chat()
    sign_in_with(client, *MAKES)
    press(client, button=HOSTILE)
    assert SHOWN in client.get(f"/tracing/activities/{activity()}").text
    refused = press(client, button=HOSTILE * 9)
    assert refused.status_code == 422
    assert SHOWN in refused.text


def test_who_may_not_make_rules_has_no_button(client: FlaskClient) -> None:
    chat()
    url = f"/tracing/activities/{activity()}/manual"
    assert client.post(url).headers["Location"].startswith("/sign-in")
    assert client.post(url, headers={"HX-Request": "true"}).status_code == 401
    sign_in_with(client, *SEES)
    assert "Record a manual event" not in page(client).text
    assert press(client).status_code == 403
    sign_in_with(client, *MAKES)
    assert client.get(url).status_code == 405
    assert pressed() == []


def test_an_agent_presses_it_on_work_of_ones_own_alone(client: FlaskClient) -> None:
    chat()
    agent = make.access([P.RULES_OWN])
    User.update(access=agent.id).where(User.login == "jana").execute()
    make.sign_in(client, User.get(User.login == "jana"))
    assert press(client).status_code == 302
    make.sign_in(client, make.user("petr", access=agent))
    assert press(client).status_code == 404


def test_outside_the_scope_there_is_nothing_to_press(client: FlaskClient) -> None:
    chat()
    for grants in ([("users", 0)], ["all_users"], [("users", user_id("jana")), ("queues", 0)]):
        sign_in_with(client, *MAKES, grants=grants)
        assert press(client).status_code == 404
    sign_in_with(client, *MAKES)
    assert press(client, 987_654).status_code == 404
    assert pressed() == []


@pytest.mark.parametrize(("kind", "offered"), [("call", False), ("email", False), ("chat", True)])
def test_only_kinds_that_have_manual_events_offer_them(kind: str, offered: bool, client: FlaskClient) -> None:
    trail.store(trail.work(kind, "x-1", "09:00", "09:30"))
    sign_in_with(client, *MAKES)
    ident = int(Activity.get().id)
    shown = client.get(f"/tracing/activities/{ident}").text
    assert ("Record a manual event" in shown) == offered
    assert press(client, ident).status_code == (302 if offered else 404)


def test_a_ticket_carries_what_is_known_of_it(client: FlaskClient) -> None:
    ticket = {"interaction": "t-9", "number": "T-9", "priority": "low"}
    trail.store(
        trail.event("ticket.updated", "10:00", **ticket, seconds=120, custom={"vip": True}),
        trail.event("ticket.updated", "11:00", interaction="t-9", priority="high", number=None),
    )
    sign_in_with(client, *MAKES)
    press(client, activity("ticket"))
    (event,) = pressed()
    assert event.type == "ticket.manual"
    assert json.loads(event.data) == {
        "number": "T-9", "priority": "high", "custom": {"vip": True}, "button": "Escalate"
    }  # fmt: skip


@pytest.mark.parametrize("choice", [Choice(False, False), Choice(True, False)])
def test_a_type_that_rules_may_not_use_has_no_button(choice: Choice, client: FlaskClient) -> None:
    chat()
    switches.choose("chat.manual", choice)
    sign_in_with(client, *MAKES)
    assert "Record a manual event" not in page(client).text
    assert press(client).status_code == 404


def test_a_file_is_not_added_to(client: FlaskClient) -> None:
    chat()
    Source.update(is_file=True).where(Source.name == "pbx").execute()
    sign_in_with(client, *MAKES)
    assert "Record a manual event" not in page(client).text
    assert press(client).status_code == 404
