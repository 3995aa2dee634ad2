"""The list of queues and a queue's form."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from dashboard.access.permissions import Permission
from dashboard.models import Queue
from tests import make
from tests.pages import asks

P = Permission

FORM = {"name": "support", "label": "Support", "channel": "call", "sla_seconds": "20", "weight": "5"}


@pytest.fixture
def editor(client: FlaskClient) -> FlaskClient:
    asks.sign_in_with(client, P.QUEUES_VIEW, P.QUEUES_EDIT)
    return client


def test_the_list_finds_without_marks_and_sorts_as_czech_does(editor: FlaskClient) -> None:
    for name, label in (("b", "Čelákovice"), ("a", "Cena"), ("c", "Účty")):
        make.queue(name, label=label)
    page = editor.get("/queues", headers={"Accept-Language": "cs"}).text
    assert page.index("Cena") < page.index("Čelákovice") < page.index("Účty")
    assert 'aria-sort="ascending"' in page
    found = editor.get("/queues?q=celakovice").text
    assert "Čelákovice" in found
    assert "Cena" not in found
    turned = editor.get("/queues?sort=-label").text
    assert turned.index("Účty") < turned.index("Cena")
    asks.fragment_is_block(editor, "/queues?sort=-label")


def test_a_queue_is_added_and_audited(editor: FlaskClient) -> None:
    assert editor.post("/queues/new", data=FORM).status_code == 302
    row = Queue.get(Queue.name == "support")
    assert (row.label, row.channel, row.sla_seconds, row.weight) == ("Support", "call", 20, 5)
    assert asks.audited("queue.created").changes["sla_seconds"] == [None, 20]


BAD = [
    ("name", "", "Enter 1 to 120 characters."),
    ("name", "x" * 121, "Enter 1 to 120 characters."),
    ("name", "a\x01b", "Remove control characters."),
    ("label", "x" * 201, "Enter 1 to 200 characters."),
    ("weight", "1001", "Enter a whole number from 0 to 1000."),
    ("weight", "-1", "Enter a whole number from 0 to 1000."),
    ("channel", "pigeon", "Choose a channel."),
    *(
        ("sla_seconds", text, "Enter a duration from 0:00:00 to 24:00:00, such as 0:00:20")
        for text in ("", "-1", "99999999999999999999", "１０", "24:00:01", "0:60", "1:2:3:4", ":20", "0:0x")
    ),
]


def test_a_service_level_is_typed_as_a_duration_or_in_seconds(editor: FlaskClient) -> None:
    row = make.queue("support")
    for version, (typed, seconds, shown) in enumerate(
        (
            ("0:01:30", 90, "0:01:30"),
            (" 2:05 ", 125, "0:02:05"),
            ("20", 20, "0:00:20"),
            ("24:00:00", 86_400, "24:00:00"),
        ),
        1,
    ):
        sent = {**FORM, "version": str(version), "sla_seconds": typed}
        assert editor.post(f"/queues/{row.id}", data=sent).status_code == 302, typed
        assert Queue.get_by_id(row.id).sla_seconds == seconds
        assert f'value="{shown}"' in editor.get(f"/queues/{row.id}").text
        assert f">{shown}<" in editor.get("/queues").text


@pytest.mark.parametrize(("field", "value", "said"), BAD)
def test_a_bad_field_is_named_and_nothing_changes(
    editor: FlaskClient, field: str, value: str, said: str
) -> None:
    row = make.queue("old")
    for url in ("/queues/new", f"/queues/{row.id}"):
        answer = editor.post(url, data={**FORM, "version": "1", field: value})
        assert answer.status_code == 422
        assert said in answer.text
        assert re.search(rf'href="#f-{field}">[^<]+: {re.escape(said)}', answer.text), "by the field's name"
    assert [each.name for each in Queue.select()] == ["old"]
    assert asks.entries() == 0


def test_a_name_is_given_once(editor: FlaskClient) -> None:
    make.queue("support")
    other = make.queue("sales")
    for url in ("/queues/new", f"/queues/{other.id}"):
        answer = editor.post(url, data={**FORM, "version": "1"})
        assert answer.status_code == 422
        assert "A queue with this name already exists." in answer.text
    assert asks.entries() == 0


def test_later_of_two_editors_is_warned(editor: FlaskClient) -> None:
    row = make.queue("support")
    url = f"/queues/{row.id}"
    assert editor.post(url, data={**FORM, "label": "First", "version": "1"}).status_code == 302
    late = editor.post(url, data={**FORM, "label": "Second", "version": "1"})
    assert late.status_code == 422
    assert "<td>First</td><td>Second</td>" in late.text
    assert Queue.get_by_id(row.id).label == "First"
    assert 'name="version" value="2"' in late.text
    assert editor.post(url, data={**FORM, "label": "Second", "version": "2"}).status_code == 302
    assert Queue.get_by_id(row.id).label == "Second"


def test_fields_that_no_form_has_change_nothing(editor: FlaskClient) -> None:
    row = make.queue("support")
    editor.post(f"/queues/{row.id}", data={**FORM, "version": "1", "id": "99", "deactivated_ts": "5"})
    kept = Queue.get(Queue.name == "support")
    assert (kept.id, kept.deactivated_ts) == (row.id, None)


def test_deactivation_asks_first_and_twice_is_once(editor: FlaskClient) -> None:
    row = make.queue("support")
    url = f"/queues/{row.id}/deactivate"
    assert "Deactivate Support?" in editor.get(url).text
    assert Queue.get_by_id(row.id).deactivated_ts is None
    for _ in range(2):
        assert editor.post(url).status_code == 302
    assert asks.audited("queue.deactivated").changes == {"deactivated": [False, True]}
    assert "/queues/" + str(row.id) not in editor.get("/queues").text.partition('id="result"')[2]
    assert "Support" in editor.get("/queues?deactivated=1").text
    editor.post(f"/queues/{row.id}/reactivate")
    assert Queue.get_by_id(row.id).deactivated_ts is None


def test_hostile_text_is_shown_as_typed(editor: FlaskClient) -> None:
    editor.post("/queues/new", data={**FORM, "label": asks.HOSTILE})
    assert asks.SHOWN in editor.get("/queues").text
    assert "<script>alert" not in editor.get("/queues").text


@pytest.mark.parametrize("url", ["/queues/0", "/queues/999", "/queues/99999999999999999999", "/queues/x"])
def test_what_does_not_exist_is_not_found(editor: FlaskClient, url: str) -> None:
    assert editor.get(url).status_code == 404
    assert editor.get(url + "/deactivate").status_code == 404


def test_who_may(client: FlaskClient) -> None:
    row = make.queue("support")
    for url in ("/queues", "/queues/new", f"/queues/{row.id}", f"/queues/{row.id}/deactivate"):
        asks.refuses_strangers(client, url)
    for url in ("/queues/new", f"/queues/{row.id}", f"/queues/{row.id}/deactivate"):
        asks.refuses_posts(client, url, P.QUEUES_VIEW)
    assert "<fieldset disabled>" in client.get(f"/queues/{row.id}").text
    assert client.put(f"/queues/{row.id}").status_code == 405
    assert client.get(f"/queues/{row.id}/reactivate").status_code == 405
