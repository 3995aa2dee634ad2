"""Addresses that Stopa may call: their syntax, allowed hosts and headers. Pure.

One parser reads the input, and its result is composed again from the checked parts, so that no later code
can read the address in another way. Source: reliability.md 5, rows 11, 14 and 20.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import NamedTuple

from dashboard.i18n.message import N_

ADDRESS_MAX = 2000
HEADERS_MAX, HEADER_MAX = 20, 1000
PORTS = {"http": 80, "https": 443}

NOT_HTTP = N_("The address must start with https:// or http://.")
ODD = N_("Remove spaces, control characters, backslashes and non-ASCII letters.")
NO_HOST = N_("The address has no valid host.")
CREDENTIALS = N_("Remove the username and password from the address. Use a header instead.")
NO_PORT = N_("Port must be a number from 1 to 65535.")
TOO_LONG = N_("The address is too long.")
PRIVATE = N_("The address is in a private network. To allow it, add it to STOPA_WEBHOOK_ALLOW.")
UNKNOWN_HOST = N_("The host of this address was not found.")

HEADER_NAME = N_("Header names can contain only letters, digits and hyphens.")
HEADER_VALUE = N_("Header values must be a single line without control characters.")
HEADER_OURS = N_("This header is set by Stopa or by the connection.")
HEADERS_MANY = N_("Too many headers.")

_PRINTABLE = re.compile(r"[!-~]+")
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?")
_SPLIT = re.compile(r"(https?)://([^/?#]*)(/[^?#]*)?(\?[^#]*)?(#.*)?", re.IGNORECASE)
_TOKEN = re.compile(r"[A-Za-z0-9-]{1,100}")
_VALUE = re.compile(r"[\x20-\x7e]*")
# Set by the sender, or belonging to one connection only (RFC 9110, 7.6.1).
_OURS = {
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "stopa-chain",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
_OUR_PREFIXES = ("proxy-", "webhook-")

_UNICAST = ipaddress.IPv6Network("2000::/3")  # all that is given out of IPv6
# Global for Python, and yet leading elsewhere: IPv4 inside IPv6, protocols' own, a cloud's own host.
_ELSEWHERE = tuple(
    ipaddress.ip_network(net)
    for net in ("2001::/32", "2002::/16", "192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32")
)


class AddressError(ValueError):
    """An address that may not be called; `args[0]` is a marked sentence."""


class Target(NamedTuple):
    """A checked address: `url` put together anew, and where it leads. An IPv6 host is without brackets."""

    url: str
    scheme: str
    host: str
    port: int


def parse(address: str) -> Target:
    """Return the checked parts of an http or https address; raises AddressError with what to mend."""
    if len(address) > ADDRESS_MAX:
        raise AddressError(TOO_LONG)
    if not _PRINTABLE.fullmatch(address) or "\\" in address:
        raise AddressError(ODD)
    found = _SPLIT.fullmatch(address)
    if found is None:
        raise AddressError(NOT_HTTP)
    scheme, place, path, query, _ = found.groups()
    scheme = scheme.lower()
    if "@" in place:
        raise AddressError(CREDENTIALS)
    host, port = _place(place, PORTS[scheme])
    shown = f"[{host}]" if ":" in host else host
    if port != PORTS[scheme]:
        shown += f":{port}"
    return Target(f"{scheme}://{shown}{path or '/'}{query or ''}", scheme, host, port)


def _place(place: str, default: int) -> tuple[str, int]:
    """Return host in lower case and port of `host`, `host:port` or `[v6]:port`."""
    if place.startswith("["):
        host, bracket, rest = place[1:].partition("]")
        if not bracket or "%" in host:
            raise AddressError(NO_HOST)
        try:
            ipaddress.IPv6Address(host)
        except ValueError:
            raise AddressError(NO_HOST) from None
        colon, port = rest[:1], rest[1:]
        if rest and colon != ":":
            raise AddressError(NO_HOST)
    else:
        host, colon, port = place.partition(":")
        if not _HOST.fullmatch(host) or ".." in host:
            raise AddressError(NO_HOST)
    if not colon:
        return host.lower(), default
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 1 <= int(port) <= 65535:
        raise AddressError(NO_PORT)
    return host.lower(), int(port)


def is_public(address: str) -> bool:
    """Is this IP address one of the public internet? IPv4 inside IPv6 is judged as IPv4, or refused."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        if ip not in _UNICAST:
            return False
    return ip.is_global and not ip.is_multicast and not any(ip in net for net in _ELSEWHERE)


def header_problem(headers: Mapping[str, str]) -> str:
    """Return what is wrong with a channel's own headers, as a marked sentence, or "" when nothing is."""
    if len(headers) > HEADERS_MAX:
        return HEADERS_MANY
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name):
            return HEADER_NAME
        if name.lower() in _OURS or name.lower().startswith(_OUR_PREFIXES):
            return HEADER_OURS
        if not _VALUE.fullmatch(value) or len(value) > HEADER_MAX:
            return HEADER_VALUE
    return ""
