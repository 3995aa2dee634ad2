"""The list of pause types and the form of one."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from dashboard.access.permissions import Permission
from dashboard.models import PauseType
from tests.pages import asks

P = Permission

FORM = {"name": "lunch", "label": "Lunch", "minutes": "30"}


@pytest.fixture
def editor(client: FlaskClient) -> FlaskClient:
    asks.sign_in_with(client, P.PAUSES_VIEW, P.PAUSES_EDIT)
    return client


def pause(name: str = "lunch", **fields: object) -> PauseType:
    return PauseType.create(**{"name": name, "label": name.capitalize(), **fields})


def test_a_type_is_added_listed_and_audited(editor: FlaskClient) -> None:
    assert editor.post("/pauses/new", data={**FORM, "paid": "1"}).status_code == 302
    row = PauseType.get(PauseType.name == "lunch")
    assert (row.paid, row.max_seconds) == (True, 1800)
    assert asks.audited("pause_type.created").changes["max_seconds"] == [None, 1800]
    page = editor.get("/pauses?q=LUNCH").text
    assert "0:30:00" in page
    asks.fragment_is_block(editor, "/pauses")


@pytest.mark.parametrize(
    ("before", "sent", "told"), [(False, "1", True), (True, "", True), (True, "1", False), (False, "", False)]
)
def test_a_change_of_pay_says_from_when_it_holds(
    editor: FlaskClient, before: bool, sent: str, told: bool
) -> None:
    row = pause(paid=before)
    data = {**FORM, "version": "1", **({"paid": sent} if sent else {})}
    answer = editor.post(f"/pauses/{row.id}", data=data, follow_redirects=True)
    assert ("flask rebuild" in answer.text) is told
    assert PauseType.get_by_id(row.id).paid is bool(sent)


BAD = [
    ("name", "", "Enter 1 to 120 characters."),
    ("label", "tab\tinside", "Remove control characters."),
    ("minutes", "0", "Enter a whole number from 1 to 1440."),
    ("minutes", "1e3", "Enter a whole number from 1 to 1440."),
]


@pytest.mark.parametrize(("field", "value", "said"), BAD)
def test_a_bad_field_is_named_and_nothing_changes(
    editor: FlaskClient, field: str, value: str, said: str
) -> None:
    answer = editor.post("/pauses/new", data={**FORM, field: value})
    assert answer.status_code == 422
    assert said in answer.text
    assert not PauseType.select().exists()
    assert asks.entries() == 0


def test_no_maximum_is_no_limit(editor: FlaskClient) -> None:
    editor.post("/pauses/new", data={**FORM, "minutes": ""})
    assert PauseType.get().max_seconds is None


def test_later_of_two_editors_is_warned(editor: FlaskClient) -> None:
    row = pause()
    editor.post(f"/pauses/{row.id}", data={**FORM, "paid": "1", "version": "1"})
    late = editor.post(f"/pauses/{row.id}", data={**FORM, "label": "Noon", "version": "1"})
    assert late.status_code == 422
    assert "<td>Yes</td><td>No</td>" in late.text
    assert PauseType.get_by_id(row.id).label == "Lunch"


def test_deactivation_asks_first_and_can_be_undone(editor: FlaskClient) -> None:
    row = pause()
    assert "Deactivate Lunch?" in editor.get(f"/pauses/{row.id}/deactivate").text
    for _ in range(2):
        assert editor.post(f"/pauses/{row.id}/deactivate").status_code == 302
    asks.audited("pause_type.deactivated")
    editor.post(f"/pauses/{row.id}/reactivate")
    assert PauseType.get_by_id(row.id).deactivated_ts is None


def test_hostile_text_is_shown_as_typed(editor: FlaskClient) -> None:
    pause(label=asks.HOSTILE)
    assert asks.SHOWN in editor.get("/pauses").text


def test_who_may(client: FlaskClient) -> None:
    row = pause()
    for url in ("/pauses", "/pauses/new", f"/pauses/{row.id}", f"/pauses/{row.id}/deactivate"):
        asks.refuses_strangers(client, url)
    for url in ("/pauses/new", f"/pauses/{row.id}", f"/pauses/{row.id}/deactivate"):
        asks.refuses_posts(client, url, P.PAUSES_VIEW)
    assert "<fieldset disabled>" in client.get(f"/pauses/{row.id}").text
    assert client.get("/pauses/999").status_code == 404
    assert client.delete(f"/pauses/{row.id}").status_code == 405
