"""Chats: known services only, through the same door."""

from __future__ import annotations

import json

import pytest

from dashboard.notify import addresses, chat, result, safe_http
from dashboard.notify.addresses import AddressError
from dashboard.notify.result import ResultKind
from dashboard.settings import HostPort
from tests.notify import receivers
from tests.notify.receivers import Receiver, receiving

HOOK = "3ccdd113474722377935511fc85d3dd4"


pytestmark = pytest.mark.usefixtures("quick")


def mattermost(receiver: Receiver) -> str:
    return f"mmost://127.0.0.1:{receiver.port}/{HOOK}"


GOOD = [
    "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
    "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
    "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
    "https://discord.com/api/webhooks/4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
    "tgram://123456789:abcdefg_hijklmnop/12315544/",
    "workflows://prod.example.com:443/643e69f83c8944/signature/",
    "gchat://workspace/key/token",
    "ntfy://topic",
    "matrixs://user:pass@1.1.1.1/#room",
    "rockets://hook/token@1.1.1.1",
]


@pytest.mark.parametrize("address", GOOD, ids=lambda address: address[:24])
def test_a_known_service_is_taken(address: str) -> None:
    chat.check(address)


BAD = [
    ("", chat.NOT_A_CHAT),
    ("garbage", chat.NOT_A_CHAT),
    ("https://example.com/x", chat.NOT_A_CHAT),
    ("http://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ", chat.NOT_A_CHAT),
    ("mailto://user:pass@example.com", chat.NOT_A_CHAT),
    ("syslog://", chat.NOT_A_CHAT),
    ("dbus://", chat.NOT_A_CHAT),
    ("file:///etc/passwd", chat.NOT_A_CHAT),
    ("json://127.0.0.1/", chat.NOT_A_CHAT),
    ("form://127.0.0.1/", chat.NOT_A_CHAT),
    ("apprise://127.0.0.1/token", chat.NOT_A_CHAT),
    ("slack://", chat.NOT_A_CHAT),
    ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ?template=/etc/passwd", chat.BAD_OPTION),
    ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ?%74emplate=file:///etc/passwd", chat.BAD_OPTION),
    ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ?retry=9&wait=60", chat.BAD_OPTION),
    ("slack://" + "a" * 2000, addresses.TOO_LONG),
    (f"mmost://127.0.0.1:8065/{HOOK}", addresses.PRIVATE),
    ("ntfy://10.0.0.1/topic", addresses.PRIVATE),
    ("matrix://user:pass@169.254.169.254/#room", addresses.PRIVATE),
]


@pytest.mark.parametrize(("address", "why"), BAD, ids=lambda value: str(value)[:60])
def test_what_is_no_chat_or_stands_inside_is_refused(address: str, why: str) -> None:
    with pytest.raises(AddressError) as caught:
        chat.check(address)
    assert caught.value.args == (why,)


SERVICES = {
    "workflows": "workflows://prod.example.com:443/643e69f83c8944/signature/",
    "slack": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
    "address of the service": "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
}
OPTIONS = [
    "template%20=/etc/passwd",
    "template =/etc/passwd",
    "%09TEMPLATE=/etc/passwd",
    "template%E3%80%80=/etc/passwd",
    "a=1;template=/etc/passwd",
    "verify=no",
    "Verify%20=0",
    "redirect=yes",
    " retry=9",
]


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("service", SERVICES)
def test_options_are_refused_as_apprise_reads_them(service: str, option: str) -> None:
    with pytest.raises(AddressError) as caught:
        chat.check(f"{SERVICES[service]}?{option}")
    assert caught.value.args == (chat.BAD_OPTION,)


def test_a_message_is_posted_as_text() -> None:
    with receiving(receivers.answers(200, b"ok")) as receiver:
        safe_http.install([receiver.place])
        chat.check(mattermost(receiver))
        answer = chat.send(mattermost(receiver), "Rule", "<b>{{7*7}}</b> waits")
    assert (answer.how, answer.status) == (ResultKind.DONE, 200)
    (got,) = receiver.got
    assert got.path == f"/hooks/{HOOK}"
    assert "<b>{{7*7}}</b> waits" in json.loads(got.body)["text"]


@pytest.mark.parametrize(
    ("status", "how", "why"),
    [
        (404, ResultKind.NEVER, result.REFUSED),
        (410, ResultKind.GONE, result.GONE),
        (429, ResultKind.LATER, result.BUSY),
        (500, ResultKind.LATER, result.FAILING),
        (302, ResultKind.LATER, result.REDIRECTED),
    ],
)
def test_a_services_refusal_counts_by_its_status(status: int, how: ResultKind, why: str) -> None:
    with receiving() as inner:
        act = receivers.answers(status, b"", {"Location": inner.url, "Retry-After": "0"})
        with receiving(act) as receiver:
            safe_http.install([receiver.place, inner.place])
            answer = chat.send(mattermost(receiver), "Rule", "x")
    assert (answer.how, answer.why, answer.status) == (how, why, status)
    assert inner.got == []


def test_a_service_that_hangs_is_tried_again() -> None:
    with receiving(receivers.sleeps(1)) as receiver:
        safe_http.install([receiver.place])
        assert chat.send(mattermost(receiver), "Rule", "x").why == result.SLOW


def test_an_inner_host_is_not_reached() -> None:
    with receiving() as receiver:
        answer = chat.send(mattermost(receiver), "Rule", "x")
        assert (answer.how, answer.why) == (ResultKind.NEVER, addresses.PRIVATE)
        safe_http.install([HostPort("127.0.0.1", receiver.port + 1)])
        assert chat.send(mattermost(receiver), "Rule", "x").how is ResultKind.NEVER
    assert receiver.got == []
