"""Finds and makes the contacts that events name, a batch at once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from dashboard.db import dialect
from dashboard.db.prepared import Prepared, slot
from dashboard.db.search import of_contact
from dashboard.models import Contact

CHUNK = 400
CONTACT_FIELDS = ("name", "phone", "email")


def contact_ids(source: int, texts: Iterable[str]) -> dict[str, int | None]:
    """Return the contact of each JSON text: that of its number, else address, else name.

    Those of a whole batch are looked up and made at once; the latest details given are kept.
    """
    keys: dict[str, str | None] = {}
    given: dict[str, dict[str, str]] = {}
    for text in texts:
        details: dict[str, str] = json.loads(text)
        mark = details.get("phone") or details.get("email") or details.get("name")
        keys[text] = f"{source}:{mark}" if mark else None
        if mark:
            said = {name: value for name, value in details.items() if value}
            given.setdefault(f"{source}:{mark}", {}).update(said)
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
    return {text: known[key][0] if key else None for text, key in keys.items()}


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
