"""API keys that end by themselves."""

from __future__ import annotations

import re

import time_machine
from flask import Flask
from flask.testing import FlaskClient

from dashboard.access import keys
from dashboard.access.permissions import Permission as P
from dashboard.models import ApiKey
from tests.api import Api, custom
from tests.pages import asks


def test_a_key_that_has_expired_is_refused_and_says_so(client: FlaskClient, app: Flask) -> None:
    api = Api(app.test_client())
    with time_machine.travel(1_772_000_000, tick=False) as today:
        asks.sign_in_with(client, P.KEYS_VIEW, P.KEYS_EDIT, P.TRACING_VIEW)
        form = {"name": "Exchange", "source": "pbx", "allow": "ingest", "days": "30"}
        shown = client.post("/settings/keys/new", data=form)
        plain = re.findall(r"stopa_[\w-]{30,}", shown.text)[0]
        row = ApiKey.get(ApiKey.name == "Exchange")
        assert row.expires_ts == 1_772_000_000 + 30 * 86_400
        assert asks.audited("key.created").details["days"] == 30
        today.move_to(row.expires_ts - 1)
        assert api.post(custom("in-time"), key=plain).status_code == 202
        today.move_to(row.expires_ts)
        answer = api.post(custom("late"), key=plain)
        assert (answer.status_code, "has expired" in answer.json["detail"]) == (401, True)
        asks.sign_in_with(client, P.KEYS_VIEW)
        assert "Expired" in client.get("/settings/keys").text
        assert "Expired" in client.get(f"/settings/keys/{row.id}").text
        assert keys.sharing("pbx") == ["sender"]
