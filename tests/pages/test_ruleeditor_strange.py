"""The editor meets definitions that no editor would have stored."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboard.models import Rule
from tests import make
from tests.pages.typed import Fields

HUGE = 10**400
STRANGE: list[Any] = [
    [],
    "x",
    {"types": None, "if": {"any": 5}, "then": "x"},
    {"types": ["chat.queued", 5, {}], "if": {"all": [5, None, {"field": ["x"], "op": {}}, {"all": 3}]}},
    {
        "types": ["chat.queued"],
        "if": {
            "all": [
                {"field": "queue", "op": "one_of", "value": 5},
                {"field": "queue", "op": "one_of", "value": [HUGE, {}]},
                {"field": "user", "op": "one_of", "value": {"a": 1}},
                {"field": "user", "op": "is_me", "value": [[[1]]]},
                {"field": "time", "op": "before", "value": HUGE},
                {"field": "time", "op": "within", "value": "x"},
                {"field": "time.weekday", "op": "weekday_of", "value": 3},
                {"field": "nothing", "op": "is", "value": 1},
                {"field": "data.position", "op": "between", "value": [True, {}]},
            ]
        },
    },
    {
        "types": ["schedule.reached"],
        "schedule": {"at": [5, None, {}], "days": [{}, "x", HUGE], "calendar": 5},
    },
    {"types": ["chat.queued"], "wait": {"seconds": {}, "unless": [5, None, {}]}, "times": {"number": HUGE}},
    {"types": ["ticket.idle"], "after": 5, "count": [], "loop": ["x"], "zone": 5, "stop": "x"},
    {
        "types": ["chat.queued", "ticket.idle"],
        "then": [
            {"do": ["x"]},
            {"do": "notify", "to": {"users": [HUGE, {}, "x"], "roles": 5, "teams": [[1]]}, "title": {}},
            {"do": "notify", "to": [1], "limit": {"often": [], "by": {}, "seconds": {}}, "delay_s": "x"},
            {"do": "emit", "type": 5, "data": [1]},
            {"do": "emit", "data": {"a": {"b": "c"}}},
            {"do": "webhook", "channel": {}, "text": "{{ x }} {{"},
            {"do": "tag", "tags": {"a": 1}, "on_error": []},
        ],
    },
]


@pytest.mark.parametrize("says", STRANGE)
def test_whatever_is_stored_can_be_shown_checked_and_acted_on(client: FlaskClient, says: Any) -> None:
    make.sign_in(client, make.administrator())
    rule = Rule.create(name="Old", definition=says, created_ts=0, updated_ts=0)
    url = f"/rules/{rule.id}/edit"
    page = client.get(url)
    assert page.status_code == 200
    form = Fields(page.text).found
    for op, status in (("check", 200), ("save", 422), ("add:", 200), ("undo", 200)):
        form["op"] = op
        assert client.post(url, data=form).status_code == status, op
    for name in ("version", "position", "group", "then.0.to.users"):
        form[name] = "9" * 15
    assert client.post(url, data=form).status_code == 200
