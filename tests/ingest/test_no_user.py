"""What customers and systems do needs no user (RD7): such events are taken, and nobody's day shows them."""

from __future__ import annotations

import pytest

from dashboard.models import Activity, User
from tests.api import Api

TYPES = ["ticket.created", "ticket.updated", "ticket.closed", "ticket.reopened", "task.created"]
TYPES += ["task.completed", "chat.queued", "chat.accepted", "chat.held", "chat.transferred", "chat.closed"]


@pytest.mark.parametrize("type_", TYPES)
def test_event_without_a_user_is_taken_and_is_in_nobodys_day(api: Api, type_: str) -> None:
    data = {"channel": "webchat"} if type_.startswith("chat.") else {}
    api.take({"id": "1", "type": type_, "time": "2026-03-02T09:00:00Z", "interaction": "i", "data": data})
    assert [event["user"] for event in api.events()] == [None]
    assert (User.select().count(), Activity.select().count()) == (0, 0)


@pytest.mark.parametrize("type_", ["call.accepted", "email.accepted", "agent.ready", "ticket.manual"])
def test_an_agents_own_act_still_names_the_agent(api: Api, type_: str) -> None:
    answer = api.post({"type": type_, "time": "2026-03-02T09:00:00Z", "interaction": "i"})
    assert answer.status_code == 422
    assert answer.json["refused"][0]["errors"]["user"] == "Required."
