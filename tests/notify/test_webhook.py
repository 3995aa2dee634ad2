"""Webhooks over real connections: signed, bounded, and only where they may go."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import requests
import requests.adapters

from dashboard.notify import addresses, result, safe_http, webhook
from dashboard.notify.result import DeliveryResult, ResultKind
from dashboard.settings import HostPort
from tests.notify import receivers
from tests.notify.receivers import Receiver, receiving

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
Act = Callable[[BaseHTTPRequestHandler], None]


pytestmark = pytest.mark.usefixtures("quick")


def post(receiver: Receiver, **options: Any) -> DeliveryResult:
    safe_http.install([receiver.place])
    return send(receiver.url, **options)


def send(
    url: str, secret: str = SECRET, headers: dict[str, str] | None = None, chain: str = ""
) -> DeliveryResult:
    return webhook.send(url, secret, headers or {}, "msg_1", {"type": "rule.matched", "text": "Žluť"}, chain)


def test_a_call_is_signed_over_id_time_and_body() -> None:
    with receiving() as receiver:
        answer = post(receiver, headers={"X-Team": "a"}, chain="3 abc")
    assert (answer.how, answer.status) == (ResultKind.DONE, 200)
    (got,) = receiver.got
    assert json.loads(got.body) == {"type": "rule.matched", "text": "Žluť"}
    assert (got.headers["webhook-id"], got.headers["stopa-chain"], got.headers["x-team"]) == (
        "msg_1",
        "3 abc",
        "a",
    )
    assert abs(int(got.headers["webhook-timestamp"]) - time.time()) < 5
    signed = b".".join([b"msg_1", got.headers["webhook-timestamp"].encode(), got.body])
    wanted = base64.b64encode(hmac.new(b"k" * 32, signed, hashlib.sha256).digest()).decode()
    assert got.headers["webhook-signature"] == f"v1,{wanted}"
    assert got.headers["host"] == f"127.0.0.1:{receiver.port}"


def test_the_signature_of_the_standards_own_example() -> None:
    """The vector of the published libraries."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    made = webhook.signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_secrets_differ_and_other_texts_sign_as_they_are() -> None:
    assert webhook.new_secret() != webhook.new_secret()
    assert len(webhook.key_of(webhook.new_secret())) == 32
    assert webhook.key_of("my own secret") == b"my own secret"
    assert webhook.key_of("whsec_not base64!") == b"whsec_not base64!"


STATUSES = [
    (200, {}, ResultKind.DONE, "", 0),
    (204, {}, ResultKind.DONE, "", 0),
    (301, {"Location": "https://example.com/"}, ResultKind.LATER, result.REDIRECTED, 0),
    (400, {}, ResultKind.NEVER, result.REFUSED, 0),
    (404, {"Retry-After": "9"}, ResultKind.NEVER, result.REFUSED, 0),
    (408, {}, ResultKind.LATER, result.FAILING, 0),
    (409, {}, ResultKind.LATER, result.FAILING, 0),
    (410, {}, ResultKind.GONE, result.GONE, 0),
    (425, {}, ResultKind.LATER, result.FAILING, 0),
    (429, {"Retry-After": "120"}, ResultKind.LATER, result.BUSY, 120),
    (429, {}, ResultKind.LATER, result.BUSY, 0),
    (500, {}, ResultKind.LATER, result.FAILING, 0),
    (503, {"Retry-After": "999999999"}, ResultKind.LATER, result.BUSY, 86_400),
    (503, {"Retry-After": "soon"}, ResultKind.LATER, result.FAILING, 0),
]


@pytest.mark.parametrize(("status", "headers", "how", "why", "wait_s"), STATUSES)
def test_what_a_status_means(
    status: int, headers: dict[str, str], how: ResultKind, why: str, wait_s: int
) -> None:
    with receiving(receivers.answers(status, b"", headers)) as receiver:
        answer = post(receiver)
    assert (answer.how, answer.why, answer.status, answer.wait_s) == (how, why, status, wait_s)


def test_a_redirect_is_not_followed() -> None:
    with receiving() as inner:
        act = receivers.answers(302, b"", {"Location": inner.url})
        with receiving(act) as receiver:
            safe_http.install([receiver.place, inner.place])
            assert send(receiver.url).why == result.REDIRECTED
    assert inner.got == []
    assert [got.method for got in receiver.got] == ["POST"]


FAULTS: list[tuple[Act, str]] = [
    (receivers.sleeps(2), result.SLOW),
    (receivers.drips, result.SLOW),
    (receivers.cuts, result.UNREACHED),
]


@pytest.mark.parametrize(("act", "why"), FAULTS, ids=["hangs", "drips", "cuts"])
def test_a_receiver_has_its_time_and_no_more(act: Act, why: str) -> None:
    with receiving(act) as receiver:
        begun = time.monotonic()
        answer = post(receiver)
        assert (answer.how, answer.why, answer.status) == (ResultKind.LATER, why, 0)
        assert time.monotonic() - begun < 1.5


def test_of_an_endless_answer_two_kilobytes_are_read() -> None:
    with receiving(receivers.floods) as receiver:
        begun = time.monotonic()
        answer = post(receiver)
    assert (answer.how, answer.length) == (ResultKind.DONE, safe_http.BODY_MAX)
    assert time.monotonic() - begun < 1.5


def test_what_a_receiver_says_is_kept_in_one_line_without_our_secrets() -> None:
    said = f"no <b>\r\n\x1b[31m {SECRET} token-12345".encode()
    with receiving(receivers.answers(400, said)) as receiver:
        answer = post(receiver, headers={"X-Token": "token-12345"})
    assert answer.note == "no <b> [31m ••• •••"


def test_a_closed_port_is_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    safe_http.install([HostPort("127.0.0.1", port)])
    assert send(f"http://127.0.0.1:{port}/").why == result.UNREACHED


PLACES = [
    "http://127.0.0.1:{port}/",
    "http://localhost:{port}/",
    "http://[::1]:{port}/",
    "http://0x7f.1:{port}/",
    "http://2130706433:{port}/",
    "http://0.0.0.0:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://017700000001:{port}/",
]


@pytest.mark.parametrize("place", PLACES)
def test_a_private_address_is_refused_however_it_is_written(place: str) -> None:
    with receiving() as receiver:
        url = place.format(port=receiver.port)
        answer = send(url)
        assert (answer.how, answer.why) == (ResultKind.NEVER, addresses.PRIVATE)
        with pytest.raises(addresses.AddressError, match="private"):
            safe_http.check(url)
    assert receiver.got == []


def test_the_exception_is_for_exactly_that_host_and_port() -> None:
    with receiving() as receiver, receiving() as other:
        safe_http.install([receiver.place])
        assert send(receiver.url).how is ResultKind.DONE
        assert send(other.url).why == addresses.PRIVATE
        assert send(f"http://localhost:{receiver.port}/").why == addresses.PRIVATE
    assert other.got == []


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Names that resolve as the test says, one answer after the other, the last one for ever."""
    known: dict[str, list[str]] = {}
    real = socket.getaddrinfo

    def resolve(host: str, port: int, *rest: Any, **options: Any) -> Any:
        if host in known:
            told = known[host]
            addresses_ = (told.pop(0) if len(told) > 1 else told[0]).split()
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses_]
        return real(host, port, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return known


def test_a_name_that_turns_private_after_the_check_reaches_nobody(names: dict[str, list[str]]) -> None:
    names["rebind.example"] = ["93.184.215.14", "127.0.0.1"]
    with receiving() as receiver:
        url = f"http://rebind.example:{receiver.port}/"
        safe_http.check(url)
        assert send(url).why == addresses.PRIVATE
    assert receiver.got == []


def test_one_private_address_among_public_ones_is_enough_to_refuse(names: dict[str, list[str]]) -> None:
    names["both.example"] = ["93.184.215.14 10.0.0.1"]
    assert send("http://both.example/").why == addresses.PRIVATE


def test_a_name_keeps_its_host_header_while_its_checked_address_is_called(
    names: dict[str, list[str]],
) -> None:
    names["inner.example"] = ["127.0.0.1"]
    with receiving() as receiver:
        safe_http.install([HostPort("inner.example", receiver.port)])
        assert send(f"http://inner.example:{receiver.port}/x").how is ResultKind.DONE
    assert receiver.got[0].headers["host"] == f"inner.example:{receiver.port}"


def test_an_unknown_name_is_tried_again_and_named_when_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_rest: Any, **_options: Any) -> Any:
        raise socket.gaierror("unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert send("http://nobody.example/").how is ResultKind.LATER
    with pytest.raises(addresses.AddressError, match="not found"):
        safe_http.check("http://nobody.example/")


def test_a_resolver_that_hangs_does_not_hold_up_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    def hangs(*_rest: Any, **_options: Any) -> Any:
        time.sleep(1.2)
        raise socket.gaierror("late")

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    begun = time.monotonic()
    assert send("http://slow.example/").how is ResultKind.LATER
    assert time.monotonic() - begun < 1


def test_every_use_of_requests_is_guarded_against_private_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also past a proxy of the environment, and for code that follows redirects."""
    with receiving() as receiver:
        with pytest.raises(requests.ConnectionError):
            requests.get(receiver.url, timeout=5)
        monkeypatch.setenv("http_proxy", receiver.url)
        with pytest.raises(requests.RequestException):
            requests.get("http://127.0.0.2:9/", timeout=5)
    assert receiver.got == []


def test_with_tls_the_name_is_checked_though_the_address_is_called(
    names: dict[str, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=inner.example",
        "-addext",
        "subjectAltName=DNS:inner.example",
        "-keyout",
        str(key),
        "-out",
        str(certificate),
    ]
    subprocess.run(make, check=True, capture_output=True)
    names["inner.example"] = names["other.example"] = ["127.0.0.1"]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    asked: list[str] = []
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    monkeypatch.setattr(safe_http, "TOTAL_S", 3.0)
    with receiving(context=context) as receiver:
        safe_http.install([HostPort(name, receiver.port) for name in names])
        url = f"https://inner.example:{receiver.port}/"
        assert send(url) == DeliveryResult(ResultKind.LATER, result.UNTRUSTED)
        monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(certificate))
        assert send(url).how is ResultKind.DONE
        assert send(f"https://other.example:{receiver.port}/").why == result.UNTRUSTED
    assert asked == ["inner.example", "inner.example", "other.example"]
    assert receiver.got[0].headers["host"] == f"inner.example:{receiver.port}"
