"""Masks contact details for users without the permission to see them, and what customers typed for all.

A phone number keeps its last three digits, an email address its first letter and domain.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from dashboard.catalog.visitors import typed

DOTS = "•••"
PEOPLE = frozenset({"requester", "feedback_name", "author_name"})  # fields of data that name a contact
# From the beginning of a word on and without going back: else a long word takes the square of its length.
_EMAIL = re.compile(r"(?<![^\s@<>,;:()\"])[^\s@<>,;:()\"]++@[^\s@<>,;:()\"]++")
_PHONE = re.compile(r"\+[0-9][0-9 ()/.-]{5,}[0-9]")
_NUMBER = re.compile(r"\+?[0-9(][0-9 ()/.-]{5,30}[0-9]")  # a whole text that may be a phone number
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
NUMBER_MIN = 100_000_000  # a JSON number of nine digits and more may be a phone number


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


def contact(name: str, number: str, address: str, full: bool, by_email: bool = False) -> str:
    """Return the label of a contact: phone number, else email address, else name. Masked unless `full`.

    With `by_email`, the email address comes before the phone number.
    """
    number = "" if by_email and address else number
    if full:
        return " · ".join(part for part in (name, number or address) if part)
    if number:
        return phone(number)
    if address:
        return email(address)
    return f"{name[:1]}{DOTS}" if name else ""


def searched(written: str) -> str:
    """Return what somebody searched for, masked: a number, an address, or the beginning of a name."""
    if _NUMBER.fullmatch(written):
        return phone(written)
    return email(written) if "@" in written else contact(written, "", "", full=False)


def query(given: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters of a query as the audit log keeps them, from which nothing is erased: searched
    contacts masked."""
    return {
        name: searched(value)
        if name == "q" or "contact" in name
        else _conditions(value)
        if name == "filter"
        else value
        for name, value in given.items()
    }


def saved_query(written: str) -> str:
    """Return a query as it is stored, masked as `query` does."""
    return urlencode([(name, query({name: value})[name]) for name, value in parse_qsl(written)])


def _conditions(written: str) -> str:
    """Return a tree of conditions with what those of contacts look for masked; DOTS for any other text."""

    def masked(node: Any, is_sought: bool = False) -> Any:
        if isinstance(node, dict):
            of_contact = "contact" in str(node.get("field", ""))
            return {name: masked(each, of_contact and name == "value") for name, each in node.items()}
        if isinstance(node, list):
            return [masked(each, is_sought) for each in node]
        return searched(str(node)) if is_sought else node

    try:
        return json.dumps(masked(json.loads(written)), ensure_ascii=False)
    except (ValueError, RecursionError):
        return DOTS


def text(written: str) -> str:
    """Return a text with the email addresses and the phone numbers with a country code in it masked."""
    found = _EMAIL.sub(lambda each: email(each[0]), written)
    return _PHONE.sub(lambda each: phone(each[0]), found)


def contact_fields(fields: Mapping[str, str]) -> dict[str, str]:
    """Return the fields name, phone and email of an event's contact, masked; others are left out."""
    masks = {"name": lambda name: contact(name, "", "", full=False), "phone": phone, "email": email}
    return {name: mask(fields[name]) for name, mask in masks.items() if fields.get(name)}


def known(fields: Mapping[str, str]) -> dict[str, str]:
    """Return the texts of an event's contact, each with what replaces it in data; those of one or two
    characters would replace parts of words and are left out."""
    return {fields[name]: mask for name, mask in contact_fields(fields).items() if len(fields[name]) > 2}


def data(value: Any, known: Mapping[str, str], name: str = "") -> Any:
    """Return the JSON `value` of an event's data, masked.

    Masked are the texts of `known` (the contact's own, with what replaces each) wherever they stand, names
    in fields that hold one, email addresses, and what can be a phone number: a text of digits or a number of
    nine digits and more, which becomes a text. `name` is that of the field.
    """
    if isinstance(value, dict):
        return {data(key, known): data(each, known, key) for key, each in value.items()}
    if isinstance(value, list):
        return [data(each, known, name) for each in value]
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) >= NUMBER_MIN:
        return phone(str(value))
    if not isinstance(value, str):
        return value
    if name in PEOPLE:
        return contact(value, "", "", full=False)
    for shown, mask in known.items():
        value = value.replace(shown, mask)
    bare = value.strip()
    return phone(bare) if _NUMBER.fullmatch(bare) and not _DATE.fullmatch(bare) else text(value)


def event(type_: str, contact: str | None, data_: str, full: bool = False) -> tuple[str | None, str]:
    """Return the JSON of an event's contact and of its data, masked; with `full` only what was typed is."""
    shown = hidden(type_, json.loads(data_)) if typed(type_) else None
    if full:
        return contact, data_ if shown is None else json.dumps(shown, ensure_ascii=False)
    fields = json.loads(contact) if contact else {}
    said = data(json.loads(data_) if shown is None else shown, known(fields))
    masked = json.dumps(contact_fields(fields), ensure_ascii=False) if contact else None
    return masked, json.dumps(said, ensure_ascii=False)


def hidden(type_: str, value: Any) -> Any:
    """Return the JSON value of an event's data without what a customer typed or marked in co-browsing.

    It is hidden from everybody wherever events are shown, sent or exported; only the page of the session
    shows it, see `pages.sessions.values`.
    """
    names = typed(type_)
    if not names:
        return value
    return _hidden(value, names) if isinstance(value, dict) else DOTS


def _hidden(value: Any, names: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {
            name: DOTS if name in names and each not in (None, "") else _hidden(each, names)
            for name, each in value.items()
            if name != "data_base64"
        }
    return [_hidden(each, names) for each in value] if isinstance(value, list) else value
