"""Masks contact details for users without the permission to see them.

A phone number keeps its last three digits, an email address its first letter and domain.
"""

from __future__ import annotations

import re

DOTS = "•••"


def phone(number: str) -> str:
    """Return `+420 ••• ••• 214` for +420123456214. Numbers under seven digits (extensions) are not masked."""
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
    """Return the label of a contact: phone number, else email address, else name. Masked unless `full`."""
    if full:
        return " · ".join(part for part in (name, number or address) if part)
    if number:
        return phone(number)
    if address:
        return email(address)
    return f"{name[:1]}{DOTS}" if name else ""
