"""What a channel writes to is chosen first."""

from __future__ import annotations

import html
import re

import pytest
from flask.testing import FlaskClient

from dashboard.access.permissions import Permission as P
from dashboard.models import Channel
from dashboard.pages.settings.channels.forms import SERVICES
from dashboard.pages.settings.channels.views import place
from tests.pages import asks
from tests.pages.html import Page


@pytest.fixture
def editor(client: FlaskClient) -> FlaskClient:
    asks.sign_in_with(client, P.CHANNELS_VIEW, P.CHANNELS_EDIT)
    return client


def test_the_kind_is_chosen_first_and_has_its_own_fields_alone(editor: FlaskClient) -> None:
    """Every kind is offered, its example is an address that is taken, and it is stored as it is sent."""
    chosen = Page(editor.get("/settings/channels/new").text).links()
    common = {"version", "kind", "name", "address", "ordered"}
    for name, service in SERVICES.items():
        url = f"/settings/channels/new?kind={name}"
        assert url in chosen
        page = editor.get(url).text
        form = next(part for part in page.split("<form") if 'name="kind"' in part)
        own = {"secret", "headers"} if name == "webhook" else set()
        assert set(re.findall(r' name="(\w+)"', form)) - {"csrf_token"} == common | own
        assert html.escape(service.example) in page
        data = {"name": name, "kind": name, "address": service.example}
        assert editor.post("/settings/channels/new", data=data).status_code in (200, 302), name
    kinds = {row.name: row.kind for row in Channel.select()}
    assert kinds == {name: service.kind for name, service in SERVICES.items()}
    assert place(Channel.get(Channel.name == "slack")) == "hooks.slack.com"
    assert "Choose where rules send messages." in editor.get("/settings/channels/new?kind=pigeon").text


def test_a_chat_of_an_unknown_service_is_refused(editor: FlaskClient) -> None:
    answer = editor.post(
        "/settings/channels/new", data={"name": "x", "kind": "chat", "address": "mailto://a:b@example.com"}
    )
    assert answer.status_code == 422
    assert "Unsupported chat service address." in answer.text
