"""Which addresses may be called, and what headers a channel may add."""

from __future__ import annotations

import pytest

from dashboard.notify import addresses
from dashboard.notify.addresses import AddressError, Target, header_problem, is_public, parse

GOOD = [
    ("https://a.example/a?b=c", Target("https://a.example/a?b=c", "https", "a.example", 443)),
    ("HTTP://Example.COM", Target("http://example.com/", "http", "example.com", 80)),
    ("http://example.com:8080/x", Target("http://example.com:8080/x", "http", "example.com", 8080)),
    ("https://example.com:443/x", Target("https://example.com/x", "https", "example.com", 443)),
    ("http://[2001:DB8::1]:81/", Target("http://[2001:db8::1]:81/", "http", "2001:db8::1", 81)),
    ("https://a.example/x#part", Target("https://a.example/x", "https", "a.example", 443)),
    ("https://a.example/x@y", Target("https://a.example/x@y", "https", "a.example", 443)),
]


@pytest.mark.parametrize(("address", "target"), GOOD)
def test_an_address_is_put_together_anew_from_its_parts(address: str, target: Target) -> None:
    assert parse(address) == target


BAD = [
    ("", addresses.ODD),
    ("ftp://example.com/", addresses.NOT_HTTP),
    ("file:///etc/passwd", addresses.NOT_HTTP),
    ("//example.com/", addresses.NOT_HTTP),
    ("javascript:alert(1)", addresses.NOT_HTTP),
    ("http:/example.com", addresses.NOT_HTTP),
    ("http://ok\\@127.0.0.1/", addresses.ODD),
    ("http://example.com/\r\nX: y", addresses.ODD),
    ("http://example.com/a b", addresses.ODD),
    ("http://１２７.0.0.1/", addresses.ODD),
    ("http://127。0。0。1/", addresses.ODD),
    ("http://user:pass@example.com/", addresses.CREDENTIALS),
    ("http://user@example.com/", addresses.CREDENTIALS),
    ("http://", addresses.NO_HOST),
    ("http:///path", addresses.NO_HOST),
    ("http://a..b/", addresses.NO_HOST),
    ("http://%31%32%37.0.0.1/", addresses.NO_HOST),
    ("http://[::1/", addresses.NO_HOST),
    ("http://[::1]x/", addresses.NO_HOST),
    ("http://[fe80::1%25eth0]/", addresses.NO_HOST),
    ("http://[1.2.3.4]/", addresses.NO_HOST),
    ("http://example.com:0/", addresses.NO_PORT),
    ("http://example.com:99999/", addresses.NO_PORT),
    ("http://example.com:80:80/", addresses.NO_PORT),
    ("http://example.com:/", addresses.NO_PORT),
    ("http://example.com/" + "a" * 2000, addresses.TOO_LONG),
]


@pytest.mark.parametrize(("address", "why"), BAD, ids=lambda value: str(value)[:40])
def test_an_address_that_can_be_read_two_ways_is_refused(address: str, why: str) -> None:
    with pytest.raises(AddressError) as caught:
        parse(address)
    assert caught.value.args == (why,)


PRIVATE = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.0.1",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.192",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
    "2001:db8::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("ip", PRIVATE)
def test_what_is_not_of_the_public_internet_is_private(ip: str) -> None:
    assert not is_public(ip)


@pytest.mark.parametrize("ip", ["1.1.1.1", "93.184.215.14", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_public_addresses_are_public(ip: str) -> None:
    assert is_public(ip)


HEADERS = [
    ({"Authorization": "Bearer x", "X-Team": "a"}, ""),
    ({"X A": "b"}, addresses.HEADER_NAME),
    ({"": "b"}, addresses.HEADER_NAME),
    ({"X-A\r\nX-B": "b"}, addresses.HEADER_NAME),
    ({"X-A": "b\r\nX-B: c"}, addresses.HEADER_VALUE),
    ({"X-A": "b\x00"}, addresses.HEADER_VALUE),
    ({"X-A": "ž"}, addresses.HEADER_VALUE),
    ({"X-A": "b" * 1001}, addresses.HEADER_VALUE),
    ({"host": "evil"}, addresses.HEADER_OURS),
    ({"Content-Length": "5"}, addresses.HEADER_OURS),
    ({"Transfer-Encoding": "chunked"}, addresses.HEADER_OURS),
    ({"Connection": "close"}, addresses.HEADER_OURS),
    ({"Proxy-Authorization": "x"}, addresses.HEADER_OURS),
    ({"Webhook-Signature": "v1,x"}, addresses.HEADER_OURS),
    ({"Stopa-Chain": "1"}, addresses.HEADER_OURS),
    ({f"X-{n}": "a" for n in range(21)}, addresses.HEADERS_MANY),
]


@pytest.mark.parametrize(("headers", "why"), HEADERS, ids=lambda value: str(value)[:40])
def test_each_header_is_checked_singly(headers: dict[str, str], why: str) -> None:
    assert header_problem(headers) == why
