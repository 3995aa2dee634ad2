"""Contacts as shown to those who may not see them whole. Source: phone keeps its last three
digits, an e-mail address its first letter and domain."""

from __future__ import annotations

import re

DOTS = "•••"


def phone(number: str) -> str:
    """Return `+420 ••• ••• 214` for +420123456214; numbers under seven digits stay (extensions)."""
    digits = re.sub(r"\D", "", number)
    if len(digits) < 7:
        return number
    prefix = f"+{digits[:3]} " if number.strip().startswith("+") else ""
    return f"{prefix}{DOTS} {DOTS} {digits[-3:]}"


def email(address: str) -> str:
    """Return `p•••@example.org`."""
    name, at, domain = address.partition("@")
    return f"{name[:1]}{DOTS}{at}{domain}" if at else DOTS


def contact(name: str, number: str, address: str, full: bool) -> str:
    """Return how a contact is called on a page: number, else address, else name."""
    if full:
        return " · ".join(part for part in (name, number or address) if part)
    if number:
        return phone(number)
    if address:
        return email(address)
    return f"{name[:1]}{DOTS}" if name else ""
