"""Addresses made to reach the inside of a network: neither saved nor called, by webhook or chat."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboard.access.permissions import Permission
from dashboard.models import Channel
from dashboard.notify import addresses, channel_check, chat, safe_http, webhook
from dashboard.notify.addresses import AddressError
from dashboard.notify.result import ResultKind
from tests.pages import asks

INSIDE = [
    # 127.0.0.1 in the notations that a resolver takes
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0x7f.0x0.0x0.0x1",
    "017700000001",
    "0177.0.0.1",
    "0177.0.1",
    "0",
    "0.0.0.0",
    # IPv6, and IPv4 inside it
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b:1::10.0.0.1]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::]",
    "[fe80::1]",
    "[fd00:ec2::254]",
    "[ff02::1]",
    # Networks of others' insides
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.0.1",
    "169.254.169.254",
    "2852039166",
    "168.63.129.16",
    "224.0.0.1",
    "255.255.255.255",
    # Names
    "localhost",
    "LOCALHOST",
    "127.0.0.1.",
    "inside.example",
]
TWO_READINGS = [
    "public.example@127.0.0.1",
    "public.example\\@127.0.0.1",
    "127.0.0.1#@public.example",
    "127.0.0.1\\.public.example",
    "①②⑦.⓪.⓪.①",
    "１２７.0.0.1",
    "127。0。0。1",
    "[fe80::1%25lo]",
    "127.0.0.1%00.public.example",
    "127.0.0.1%0d%0aX:y",
]
PORTS = [":0", ":99999", ":80:80", ":", ":+80", ":８０"]
NAMES = {
    "localhost": "127.0.0.1",
    "127.0.0.1.": "127.0.0.1",
    "inside.example": "10.0.0.5",
    "public.example": "93.184.215.14",
}


@pytest.fixture(autouse=True)
def connections(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What sockets were to be connected to; nothing of it is. Names resolve as in NAMES."""
    tried: list[Any] = []
    asked = socket.getaddrinfo

    def found(host: str, port: int, *rest: Any, **more: Any) -> Any:
        if not more.get("flags"):  # the name service
            host, more["flags"] = NAMES.get(host, host), socket.AI_NUMERICHOST
        return asked(host, port, *rest, **more)

    def connect(_socket: socket.socket, place: Any) -> None:
        tried.append(place)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", found)
    monkeypatch.setattr(socket.socket, "connect", connect)
    safe_http.install([])
    return tried


@pytest.mark.parametrize("host", INSIDE)
def test_no_call_reaches_the_inside(host: str, connections: list[Any]) -> None:
    for scheme in ("http", "https"):
        answer = webhook.send(f"{scheme}://{host}/x", "", {}, "key", {})
        assert (answer.how, answer.why) == (ResultKind.NEVER, addresses.PRIVATE)
    with pytest.raises(AddressError):
        safe_http.check(f"http://{host}:8080/")
    assert connections == []


@pytest.mark.parametrize("host", INSIDE)
def test_no_chat_reaches_the_inside(host: str, connections: list[Any]) -> None:
    """Apprise reads addresses in its own way: whatever it makes of one, the guard of sockets sees it."""
    address = f"mmost://{host}/3ccdd113474722377935511fc85d3dd4"
    assert chat.send(address, "Title", "Text").how is not ResultKind.DONE
    assert connections == []


@pytest.mark.parametrize("host", [*TWO_READINGS, *(f"public.example{port}" for port in PORTS)])
def test_an_address_of_two_readings_is_refused_by_its_text(host: str, connections: list[Any]) -> None:
    with pytest.raises(AddressError):
        channel_check.check_text("webhook", f"http://{host}/")
    assert webhook.send(f"http://{host}/", "", {}, "key", {}).how is ResultKind.NEVER
    assert connections == []


def test_the_form_of_channels_refuses_them(client: FlaskClient) -> None:
    """Names pass it: the worker looks them up and every call judges them again."""
    asks.sign_in_with(client, Permission.CHANNELS_VIEW, Permission.CHANNELS_EDIT)
    numeric = [host for host in INSIDE if host.lower() not in NAMES]
    for host in (*numeric, *TWO_READINGS):
        data = {"name": "x", "kind": "webhook", "address": f"http://{host}/"}
        assert client.post("/settings/channels/new", data=data).status_code == 422, host
    assert not Channel.select().exists()


def test_a_public_address_is_called(connections: list[Any]) -> None:
    assert webhook.send("http://public.example/x", "", {}, "key", {}).how is ResultKind.LATER
    assert connections == [("93.184.215.14", 80)]
