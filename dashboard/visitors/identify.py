"""Known visitors: the site signs its own id of the person, so that a page cannot claim to be another's."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping

from dashboard.models import Contact, Visit
from dashboard.visitors import privacy
from dashboard.visitors.records import Known

_PHONE = re.compile(r"\+?[\d ()/.-]{7,40}")
_PARTS = ("phone", "email", "name")  # the first that is given identifies a contact


def signature(secret: str, ident: str) -> str:
    """Return the signature of an id: HMAC-SHA256 with the site's secret, in hex."""
    return hmac.new(secret.encode(), ident.encode("utf-8", "replace"), "sha256").hexdigest()


def is_signed(secret: str, known: Known) -> bool:
    """Say whether the site has signed the id."""
    given = known.sig.lower().encode("utf-8", "replace")
    return bool(secret) and hmac.compare_digest(signature(secret, known.id).encode(), given)


def details(secret: str, known: Known) -> dict[str, str]:
    """Return the contact that an id names: by its e-mail address, its number, else the id behind the name.

    A name alone would be another person's too, and so would what is kept of an id with parts that may not be
    stored: a mark made of the id stands for it.
    """
    ident, name = (privacy.text(each, 200, emails=True) for each in (known.id, known.name))
    if ident != known.id.strip(" "):
        ident = f"#{signature(secret, f'kept:{known.id}')[:16]}"
    if re.fullmatch(r"[^@\s]+@[^@\s]+", ident):
        return {"email": ident, **({"name": name} if name else {})}
    if _PHONE.fullmatch(ident):
        return {"phone": ident[:60], **({"name": name} if name else {})}
    return {"name": (f"{name[: 195 - len(ident)]} ({ident})" if name and len(ident) < 150 else ident)[:200]}


def of_contact(visit: Visit) -> dict[str, str] | None:
    """Return the contact of a visit as its events name it: by what identifies it, and its name."""
    row = Contact.get_or_none(Contact.id == visit.contact_id) if visit.contact_id else None
    if row is None:
        return None
    given: Mapping[str, str] = {part: getattr(row, part) for part in _PARTS if getattr(row, part)}
    mark = row.key.partition(":")[2]
    first = next((part for part in _PARTS if given.get(part) == mark), None)
    if first is None:
        return None
    return {first: mark, **({"name": given["name"]} if "name" in given else {})}
