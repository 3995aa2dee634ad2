"""Mail to the customer and repeated notices on the pages of runs: who sees what, and what a test sends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboard.access.permissions import Permission as P
from dashboard.models import Event, Notification, Rule, Run, Step, User
from tests import make
from tests.pages.asks import sign_in_with
from tests.rules.engine import event, rule, send, take

TRACES = (P.RULES_VIEW, P.RULES_TRACES)
EVA = {"name": "Eva Fialová", "phone": "+420123456214", "email": "eva@example.org"}
MAIL: dict[str, Any] = {
    "do": "email",
    "to": {"roles": ["contact"]},
    "subject": "Sold",
    "text": "Dear {{ contact.name }}, we call {{ contact.phone }}.",
}
WHOLE, MASKED = "Dear Eva Fialová, we call +420123456214.", "we call +420 ••• ••• 214."


@pytest.fixture
def one(db: None) -> Rule:
    return rule(MAIL, updated_by=make.administrator("author").id)


@pytest.mark.parametrize("full", [False, True])
def test_the_customers_details_are_whole_for_who_may_see_them(
    one: Rule, client: FlaskClient, full: bool
) -> None:
    take(event(contact=EVA, interaction="c1"))
    assert Step.get().payload["text"] == WHOLE
    sign_in_with(client, *TRACES, *([P.PII_UNMASK] if full else []))
    for page in (f"/rules/{one.id}/try", f"/runs/{Run.get().id}"):
        text = client.get(page).text
        assert (WHOLE in text, MASKED in text) == (full, not full), page
        assert ("eva@example.org" in text) is full, page


def test_a_try_says_that_the_event_names_no_customer(one: Rule, client: FlaskClient) -> None:
    send(event(interaction="c1"))
    sign_in_with(client, *TRACES)
    assert "The event has no customer with a valid email address." in client.get(f"/rules/{one.id}/try").text


def test_a_test_reaches_the_viewer_once_and_never_the_customer(client: FlaskClient) -> None:
    notice = {"do": "notify", "to": {"roles": ["owner"]}, "title": "T", "again": {"seconds": 300, "times": 3}}
    made = rule([notice, MAIL], updated_by=make.administrator("author").id)
    send(event(contact=EVA, interaction="c1"))
    stopa = client.application.config["STOPA"]
    client.application.config["STOPA"] = replace(stopa, smtp_url="smtp://127.0.0.1:1")  # nothing is sent here
    viewer = sign_in_with(client, *TRACES)
    User.update(email="me@example.org").where(User.id == viewer.id).execute()
    client.post(f"/rules/{made.id}/try", data={"event": str(Event.get().id)})
    assert [row.user_id for row in Notification.select()] == [viewer.id]
    sent = [(step.action, step.payload.get("to")) for step in Step.select().order_by(Step.id)]
    mail = ("email", "me@example.org")  # of the notification and of the action
    assert sent == [("notify", None), mail, mail]
