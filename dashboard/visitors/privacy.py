"""What may be stored of a text from a visitor's page, and of an address.

Whatever a page sends, no text keeps the number of a payment card, and none but a value that the site asks for
keeps an e-mail address. Pure.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from urllib.parse import urlsplit

HIDDEN = "•••"
URL_MAX = 1000
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")
_EMAIL = re.compile(r"[^\s/@?&=:;,<>()\"']{1,64}(?:@|%40)[\w-]{1,64}(?:\.[\w-]{1,64}){1,8}", re.IGNORECASE)
_DIGITS = re.compile(r"\d(?:(?:%20|%2D|[\W_]){0,3}\d){12,}", re.IGNORECASE)
_CODE = re.compile("%20|%2D", re.IGNORECASE)
# Fields whose values are never kept, whatever the site allows: their names say what they hold.
_SECRET = re.compile(
    r"pass(?!enger|age|ed|ive|ing)|pwd|secret|\bpin\b|(?<![a-z])cc[-_]|card|cvv|cvc|csc|iban|(?<![a-z])otp|"
    r"kennwort|heslo|パスワード|暗証",
    re.IGNORECASE,
)


def text(value: str, most: int, emails: bool = False) -> str:
    """Return a text of at most `most` characters without control characters, halves of characters, numbers
    of payment cards and, unless `emails`, e-mail addresses."""
    cut = _UNSAFE.sub(" ", value[: most + 100]).strip()
    return hide(cut, emails)[:most].strip()


def hide(value: str, emails: bool = False) -> str:
    """Replace in a text every row of digits that contains the number of a card, and e-mail addresses."""
    if not emails and ("@" in value or "%40" in value):
        value = _EMAIL.sub(HIDDEN, value)
    return _DIGITS.sub(_without_card, value)


def _without_card(match: re.Match[str]) -> str:
    found = match.group()
    digits = [int(each) for each in _CODE.sub("", found) if each.isdecimal()]
    return HIDDEN if has_card(digits) else found


def has_card(digits: list[int]) -> bool:
    """Say whether 13 to 19 of these digits in a row have the check digit of a card number (Luhn).

    `totals` are the sums up to each digit, with the digits at even and at odd places doubled.
    """
    totals: tuple[list[int], list[int]] = ([0], [0])
    for place, digit in enumerate(digits):
        doubled = digit * 2 - 9 * (digit > 4)
        for parity in (0, 1):
            totals[parity].append(totals[parity][-1] + (doubled if place % 2 == parity else digit))
    for end in range(13, len(digits) + 1):
        sums = totals[end % 2]  # the last digit, at place end - 1, is not doubled
        if any((sums[end] - sums[end - length]) % 10 == 0 for length in range(13, min(19, end) + 1)):
            return True
    return False


def url(value: str) -> str:
    """Return a web address without user, query and fragment; "" for anything else.

    A fragment that is a path stays: it is the page of a site whose pages are one document.
    """
    try:
        parts = urlsplit(_UNSAFE.sub("", value[: URL_MAX * 4]).strip())
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if hide(host) != host:
        return ""
    route = f"#{parts.fragment.partition('?')[0]}" if parts.fragment.startswith(("/", "!/")) else ""
    return hide(f"{parts.scheme}://{host}{port}{parts.path}{route}"[: URL_MAX + 100])[:URL_MAX]


def is_secret(element: str) -> bool:
    """Say whether the name of a form field says that its value is a password or of a payment card."""
    return _SECRET.search(element) is not None


@lru_cache(maxsize=4096)
def short_address(ip: str) -> str:
    """Return the network of an address: /24 of IPv4, /48 of IPv6, as its first address; "" for no address."""
    try:
        address = ipaddress.ip_address(ip.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    bits = 24 if address.version == 4 else 48
    return str(ipaddress.ip_network((address, bits), strict=False).network_address)
