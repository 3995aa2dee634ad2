"""Finds and makes the contacts that events name, a batch at once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from dashboard.db import dialect
from dashboard.db.prepared import Prepared, plain, slot
from dashboard.db.search import of_contact
from dashboard.events.erasure import ERASED
from dashboard.models import Contact

CHUNK = 400
CONTACT_FIELDS = ("name", "phone", "email")


def contact_ids(source: int, texts: Iterable[str]) -> dict[str, int | None]:
    """Return the contact of each JSON text: that of its number, else address, else name.

    Those of a whole batch are looked up and made at once; the latest details given are kept. An event whose
    content was deleted names its contact by the pseudonym.
    """
    keys: dict[str, str | None] = {}
    given: dict[str, dict[str, str]] = {}
    for text in texts:
        details: dict[str, str] = json.loads(text)
        keys[text] = key = key_of(source, details)
        if key is not None:
            given.setdefault(key, {}).update({name: value for name, value in details.items() if value})
    hidden = _hidden(source, given)
    for key in hidden:
        del given[key]
    known = _contacts(list(given))
    fresh = [key for key in given if key not in known]
    new = {key: [given[key].get(name, "") for name in CONTACT_FIELDS] for key in fresh}
    rows = [(key, *each, of_contact(*each)) for key, each in new.items()]
    dialect.insert_many("contact", ("key", *CONTACT_FIELDS, "search"), rows, ignore_repeats=True)
    for key, (ident, *stored) in known.items():
        latest = [given[key].get(name, old) for name, old in zip(CONTACT_FIELDS, stored, strict=True)]
        if latest != stored:
            news = dict(zip(CONTACT_FIELDS, latest, strict=True))
            Contact.update(**news, search=of_contact(*latest)).where(Contact.id == ident).execute()
    known |= _contacts(fresh)
    ids = hidden | {key: ident for key, (ident, *_details) in known.items()}
    return {text: ids[key] if key else None for text, key in keys.items()}


def key_of(source: int, details: Mapping[str, str]) -> str | None:
    """Return the key of the contact with these details; None without any."""
    mark = details.get("phone") or details.get("email") or details.get("name")
    return f"{source}:{mark}" if mark else None


def _hidden(source: int, keys: Iterable[str]) -> dict[str, int]:
    """Return the contacts of the source that these keys name by a pseudonym, whatever their own key is."""
    named = {key: int(match[1]) for key in keys if (match := ERASED.fullmatch(key.partition(":")[2]))}
    if not named:
        return {}
    query = Contact.select(Contact.id, Contact.key).where(Contact.id.in_(sorted(named.values())))
    mine = {ident for ident, key in plain(query) if key.startswith(f"{source}:")}
    return {key: ident for key, ident in named.items() if ident in mine}


def _contacts(keys: Sequence[str]) -> dict[str, tuple[int, str, str, str]]:
    found: dict[str, tuple[int, str, str, str]] = {}
    for start in range(0, len(keys), CHUNK):
        part = list(keys[start : start + CHUNK])
        found.update({key: (ident, *rest) for key, ident, *rest in _CONTACTS.rows(keys=part)})
    return found


_CONTACTS = Prepared(
    lambda: Contact.select(Contact.key, Contact.id, Contact.name, Contact.phone, Contact.email).where(
        Contact.key.in_([slot("keys")])
    )
)
