"""Secrets of webhooks as people paste them: the signature is the one that the receiver computes."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from flask.testing import FlaskClient

from dashboard.access.permissions import Permission
from dashboard.models import Channel
from dashboard.notify import webhook
from tests.pages import asks

KEY = bytes(range(32))
ENCODED = base64.b64encode(KEY).decode()
HINT = "This looks like base64. Write whsec_ before it."


@pytest.fixture
def editor(client: FlaskClient) -> FlaskClient:
    asks.sign_in_with(client, Permission.CHANNELS_VIEW, Permission.CHANNELS_EDIT)
    return client


def form(secret: str) -> dict[str, str]:
    return {"name": "Desk", "kind": "webhook", "address": "https://example.org/hook", "secret": secret}


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        (f"whsec_{ENCODED}", KEY),
        (f"v1,whsec_{ENCODED}", KEY),
        (f"  v1,whsec_{ENCODED} ", KEY),
        ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        ("v1,a-secret-of-my-own-kept-here", b"v1,a-secret-of-my-own-kept-here"),
    ],
)
def test_a_pasted_secret_signs_as_the_receiver_expects(editor: FlaskClient, typed: str, key: bytes) -> None:
    assert editor.post("/settings/channels/new", data=form(typed)).status_code == 302
    signature = webhook.signature(Channel.get().secret, "msg_1", 5, b"{}")
    expected = base64.b64encode(hmac.digest(key, b"msg_1.5.{}", hashlib.sha256)).decode()
    assert signature == f"v1,{expected}"


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        (ENCODED, HINT),
        ("+/" * 16, HINT),
        ("v1,whsec_" + "!" * 30, "The part after whsec_ must be base64."),
    ],
)
def test_a_secret_that_the_receiver_would_read_otherwise_is_refused(
    editor: FlaskClient, typed: str, problem: str
) -> None:
    answer = editor.post("/settings/channels/new", data=form(typed))
    assert (answer.status_code, problem in answer.text) == (422, True)
    assert not Channel.select().exists()
