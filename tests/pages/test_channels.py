"""The list of channels, a channel's form, tests, on and off."""

from __future__ import annotations

import html
import json
import re
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboard.access.permissions import Permission
from dashboard.db import sealed
from dashboard.jobs import queue, worker
from dashboard.models import AuditEntry, Channel, User
from dashboard.notify import channel_check, deliver, result, safe_http
from dashboard.notify.result import DeliveryResult, ResultKind
from dashboard.rules import active_rules
from tests.notify import receivers, steps
from tests.notify.receivers import Receiver, receiving
from tests.pages import asks

P = Permission
CHECK = {"HX-Request": "true", "HX-Target": "check"}
OWN_SECRET = "a secret of my own, long".replace(" ", "-")


@pytest.fixture
def editor(client: FlaskClient) -> FlaskClient:
    asks.sign_in_with(client, P.CHANNELS_VIEW, P.CHANNELS_EDIT)
    return client


@pytest.fixture
def receiver(client: FlaskClient) -> Iterator[Receiver]:
    """A healthy receiver that may be called."""
    with receiving() as made:
        safe_http.install([made.place])
        yield made
    safe_http.install([])


def form(receiver: Receiver, **more: str) -> dict[str, str]:
    return {"name": "Night desk", "kind": "webhook", "address": f"{receiver.url}?key=topsecret", **more}


def nowhere(client: FlaskClient, *secrets: str) -> bool:
    """Is none of the secrets on any page of channels, nor in the audit log?"""
    urls = ["/settings/channels", "/settings/channels/new"]
    urls += [f"/settings/channels/{row.id}" for row in Channel.select()]
    texts = [client.get(url).text for url in urls]
    texts += [json.dumps(entry.__data__, default=str) for entry in AuditEntry.select()]
    return not any(secret in text for secret in secrets for text in texts)


def test_a_channel_is_added_and_its_made_secret_is_shown_once(
    editor: FlaskClient, receiver: Receiver
) -> None:
    token = active_rules.live().version
    answer = editor.post(
        "/settings/channels/new", data=form(receiver, headers="X-Team: night\r\nAuthorization: Bearer abcdef")
    )
    assert answer.status_code == 200
    row = Channel.get()
    (shown,) = set(re.findall(r"whsec_[\w+/=]{40,}", answer.text))
    assert (row.secret, row.headers) == (shown, {"X-Team": "night", "Authorization": "Bearer abcdef"})
    assert (row.kind, row.active) == ("webhook", True)
    assert nowhere(editor, shown, "topsecret", "abcdef")
    assert asks.audited("channel.created").changes["address"] == [None, "•••"]
    assert active_rules.live().version != token
    assert "127.0.0.1" in editor.get("/settings/channels").text
    assert "X-Team, Authorization" in editor.get(f"/settings/channels/{row.id}").text
    asks.fragment_is_block(editor, "/settings/channels?sort=-name")


def test_a_chat_needs_no_secret(editor: FlaskClient, receiver: Receiver) -> None:
    address = f"mmost://127.0.0.1:{receiver.port}/3ccdd113474722377935511fc85d3dd4"
    answer = editor.post("/settings/channels/new", data={"name": "Team", "kind": "chat", "address": address})
    assert answer.status_code == 302
    assert (Channel.get().kind, Channel.get().secret) == ("chat", "")
    assert nowhere(editor, "3ccdd113474722377935511fc85d3dd4")


PRIVATE = "The address is in a private network. To allow it, add it to STOPA_WEBHOOK_ALLOW."
BAD = [
    ("name", "", "Enter 1 to 120 characters."),
    ("name", "a\x01b", "Remove control characters."),
    ("kind", "pigeon", "Choose a type."),
    ("address", "", "Enter the address."),
    ("address", "ftp://example.com/", "The address must start with https://"),
    (
        "address",
        "http://me:you@example.com/",
        "Remove the username and password from the address. Use a header instead.",
    ),
    ("address", "http://127.0.0.1:1/", PRIVATE),
    ("address", "http://[::ffff:169.254.169.254]/", PRIVATE),
    ("secret", "short", "Enter 24 to 200 characters"),
    ("secret", "whsec_" + "!" * 30, "The part after whsec_ must be base64."),
    ("headers", "X-A", "Enter each header once, one per line, as Name: value."),
    ("headers", "X-A: 1\nx-a: 2", "Enter each header once, one per line, as Name: value."),
    ("headers", "Host: evil", "set by Stopa or by the connection"),
    ("headers", "X-A: \x7f", "Header values must be a single line without control characters."),
]


@pytest.mark.parametrize(("field", "value", "said"), BAD)
def test_a_bad_field_is_named_and_nothing_changes(
    editor: FlaskClient, receiver: Receiver, field: str, value: str, said: str
) -> None:
    answer = editor.post(
        "/settings/channels/new", data={**form(receiver), "secret": OWN_SECRET, field: value}
    )
    assert answer.status_code == 422
    assert said in answer.text
    assert f'href="#f-{field}"' in answer.text
    assert OWN_SECRET not in answer.text
    assert not Channel.select().exists()
    assert asks.entries() == 0


def test_a_channel_may_ask_for_its_messages_in_order(editor: FlaskClient, receiver: Receiver) -> None:
    editor.post("/settings/channels/new", data=form(receiver, secret=OWN_SECRET, ordered="1"))
    row = Channel.get()
    assert row.ordered
    assert "checked" in editor.get(f"/settings/channels/{row.id}").text.split('name="ordered"')[1][:80]
    data = {"name": row.name, "version": "1"}
    assert editor.post(f"/settings/channels/{row.id}", data=data).status_code == 302
    assert not Channel.get().ordered
    assert asks.audited("channel.updated").changes == {"ordered": [True, False]}


def test_empty_fields_keep_what_is_stored(editor: FlaskClient, receiver: Receiver) -> None:
    editor.post("/settings/channels/new", data=form(receiver, secret=OWN_SECRET, headers="X-A: 1"))
    before = Channel.get()
    url = f"/settings/channels/{before.id}"
    assert editor.post(url, data={"name": "Day desk", "version": "1"}).status_code == 302
    kept = Channel.get()
    assert (kept.name, kept.version) == ("Day desk", 2)
    assert (kept.address, kept.secret, kept.headers) == (before.address, before.secret, before.headers)
    assert asks.audited("channel.updated").changes == {"name": ["Night desk", "Day desk"]}
    shown = editor.post(
        url, data={"name": "Day desk", "version": "2", "new_secret": "1", "drop_headers": "1"}
    )
    assert shown.status_code == 200
    kept = Channel.get()
    assert kept.secret != before.secret
    assert kept.secret in shown.text.replace("&#43;", "+")
    assert kept.headers == {}
    assert nowhere(editor, kept.secret, OWN_SECRET)


def test_the_kind_stays(editor: FlaskClient, receiver: Receiver) -> None:
    row = steps.channel(receiver.url)
    editor.post(
        f"/settings/channels/{row.id}", data={"name": "a", "kind": "chat", "version": "1", "active": ""}
    )
    assert (Channel.get().kind, Channel.get().active) == ("webhook", True)


def test_a_name_is_given_once(editor: FlaskClient, receiver: Receiver) -> None:
    steps.channel(receiver.url, name="Night desk")
    other = steps.channel(receiver.url)
    for url in ("/settings/channels/new", f"/settings/channels/{other.id}"):
        answer = editor.post(url, data=form(receiver, version="1"))
        assert answer.status_code == 422
        assert "A channel with this name already exists." in answer.text


def test_later_of_two_editors_is_warned(editor: FlaskClient, receiver: Receiver) -> None:
    row = steps.channel(receiver.url)
    url = f"/settings/channels/{row.id}"
    assert editor.post(url, data={"name": "First", "version": "1"}).status_code == 302
    late = editor.post(url, data={"name": "Second", "version": "1"})
    assert late.status_code == 422
    assert "<td>First</td><td>Second</td>" in late.text
    assert Channel.get().name == "First"
    assert editor.post(url, data={"name": "Second", "version": "2"}).status_code == 302


def checked(client: FlaskClient, row: Channel) -> str:
    """Return what the page of the channel says after the worker has made its check."""
    worker.drain()
    return client.get(f"/settings/channels/{row.id}", headers=CHECK).text


def test_a_test_is_really_sent_and_its_answer_is_said(editor: FlaskClient, receiver: Receiver) -> None:
    row = steps.channel(receiver.url, failures=2, active=False)
    url = f"/settings/channels/{row.id}"
    for _ in range(3):  # impatient clicks
        waits = editor.post(f"{url}/test", follow_redirects=True).text
        assert "Sending the test message…" in waits
        assert 'hx-trigger="every 2s"' in waits
        assert f'href="{url}">Refresh</a>' in waits
    said = checked(editor, row)
    assert "Test message sent through" in said
    assert "HTTP status 200." in said
    assert "hx-trigger" not in said
    (got,) = receiver.got
    assert json.loads(got.body)["type"] == "channel.test"
    assert got.headers["webhook-id"].startswith("test_")
    kept = Channel.get()
    assert (kept.failures, kept.last_ok_ms is not None, kept.active) == (0, True, False)
    entry = asks.audited("channel.tested")
    assert (entry.outcome, entry.actor_type, entry.actor_label) == ("success", "user", User.get().login)


def test_a_test_that_fails_says_why_as_text(editor: FlaskClient) -> None:
    with receiving(receivers.answers(403, b"<script>alert(1)</script>")) as refusing:
        safe_http.install([refusing.place])
        row = steps.channel(refusing.url)
        editor.post(f"/settings/channels/{row.id}/test")
        said = checked(editor, row)
    assert result.REFUSED in said
    assert "HTTP status 403." in said
    assert "&lt;script&gt;alert(1)" in said
    assert "<script>alert" not in said
    assert asks.audited("channel.tested").outcome == "failure"


LOOKED_UP = [
    ("public.example", "93.184.215.14", "Address found."),
    ("inside.example", "10.1.2.3", "The address is in a private network."),
    ("nowhere.example", None, "The host of this address was not found."),
]


@pytest.mark.parametrize(("host", "ip", "said"), LOOKED_UP)
def test_the_host_of_a_saved_address_is_looked_up_by_the_worker(
    editor: FlaskClient, monkeypatch: pytest.MonkeyPatch, host: str, ip: str | None, said: str
) -> None:
    def found(name: str, port: int, *_rest: object, flags: int = 0, **_more: object) -> list[object]:
        if flags or ip is None:
            raise socket.gaierror("no address")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port))]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    data = {"name": "Desk", "kind": "webhook", "address": f"https://{host}/x", "secret": OWN_SECRET}
    waits = editor.post("/settings/channels/new", data=data, follow_redirects=True).text
    assert "Looking up the address…" in waits
    assert said in checked(editor, Channel.get())
    address = {"name": "Desk", "version": "1", "address": f"https://{host}/y"}
    changed = editor.post(f"/settings/channels/{Channel.get().id}", data=address, follow_redirects=True).text
    assert "Looking up the address…" in changed
    assert said in checked(editor, Channel.get())


def test_no_request_waits_for_another_server(
    editor: FlaskClient, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = socket.getaddrinfo

    def numeric_only(*given: Any, **options: Any) -> Any:
        assert options.get("flags") == socket.AI_NUMERICHOST, "the name service was asked"
        return asked(*given, **options)

    def refused(*_given: object) -> None:
        raise AssertionError("a connection was made")

    monkeypatch.setattr(socket, "getaddrinfo", numeric_only)
    monkeypatch.setattr(socket.socket, "connect", refused)
    chat = f"mmost://127.0.0.1:{receiver.port}/3ccdd113474722377935511fc85d3dd4"
    addresses = {"webhook": "https://hooks.example.com/x", "chat": chat}
    for kind, address in addresses.items():
        data = {"name": kind, "kind": kind, "address": address}
        assert editor.post("/settings/channels/new", data=data).status_code in (200, 302)
    for row in Channel.select():
        url = f"/settings/channels/{row.id}"
        same = {"name": row.name, "version": "1", "address": addresses[row.kind]}
        assert editor.post(url, data=same).status_code == 302
        assert editor.post(f"{url}/test").status_code == 302


def test_a_check_whose_worker_died_at_every_try_ends(editor: FlaskClient, receiver: Receiver) -> None:
    row = steps.channel(receiver.url)
    editor.post(f"/settings/channels/{row.id}/test")
    queue.fail(queue.claim("worker", [channel_check.KIND]), queue.DIED, permanent=True)
    assert "The test message was not sent. The request failed. The error was logged." in checked(editor, row)


def test_off_and_on_again_forgets_the_failures(editor: FlaskClient, receiver: Receiver) -> None:
    row = steps.channel(receiver.url, failures=7)
    url = f"/settings/channels/{row.id}"
    for _ in range(2):
        assert editor.post(f"{url}/disable").status_code == 302
    assert (Channel.get().active, Channel.get().failures) == (False, 7)
    assert "Turned off manually." in editor.get("/settings/channels").text
    for _ in range(2):
        assert editor.post(f"{url}/enable").status_code == 302
    kept = Channel.get()
    assert (kept.active, kept.failures, kept.disabled_reason) == (True, 0, "")
    asks.audited("channel.disabled")
    asks.audited("channel.enabled")


def test_lost_key_is_named_on_the_page_and_mended_by_entering_all_again(
    editor: FlaskClient, receiver: Receiver
) -> None:
    editor.post("/settings/channels/new", data=form(receiver, secret=OWN_SECRET, headers="X-A: 1"))
    row = Channel.get()
    url = f"/settings/channels/{row.id}"
    sealed.use_key("another key of this server")
    for path in (url, "/settings/channels"):
        assert editor.get(path).status_code == 200
    assert "STOPA_SECRET_KEY has changed" in html.unescape(editor.get(url).text)
    assert deliver.send(Channel.get(), "key", {}) == DeliveryResult(ResultKind.NEVER, result.KEY_LOST)
    kept = editor.post(url, data={"name": "Night desk", "version": "1"})
    assert (kept.status_code, "Enter the address." in kept.text) == (422, True)
    shown = editor.post(url, data={"name": "Night desk", "version": "1", "address": receiver.url})
    row = Channel.get()
    assert (row.lost, row.address, row.headers) == (False, receiver.url, {})
    assert row.secret in html.unescape(shown.text)
