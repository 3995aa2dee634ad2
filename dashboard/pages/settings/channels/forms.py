"""The form of a channel: values checked, errors by field, everything good kept but what is secret.

Address, secret and the values of headers are written and never shown: an empty field keeps what is stored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _

from dashboard.i18n.mark import N_
from dashboard.models import Channel
from dashboard.notify import addresses, chat, guard, webhook
from dashboard.notify.addresses import AddressError
from dashboard.web import forms

KINDS = {"webhook": N_("Webhook"), "chat": N_("Chat")}
LABELS = {"name": N_("Name")}
SECRET_MIN, SECRET_MAX = 24, 200
HEADERS_MAX = 10_000  # characters of the field
SET = "•••"  # stands for what is kept and not shown
_SECRET = re.compile(r"[!-~]+")


@dataclass
class Asked:
    name: str = ""
    kind: str = "webhook"
    address: str = ""
    secret: str = ""
    new_secret: bool = False
    headers: str = ""
    drop_headers: bool = False
    version: int = 0
    errors: dict[str, str] = field(default_factory=dict)

    def values(self, row: Channel | None) -> dict[str, Any]:
        """Return the columns that change; only for a form without errors. `row` is None for a new one."""
        found: dict[str, Any] = {"name": self.name}
        if row is None:
            found["kind"] = self.kind
        if self.address:
            found["address"] = self.address
        if self.kind == "webhook":
            if self.secret or self.new_secret or row is None:
                found["secret"] = self.secret or webhook.new_secret()
            if self.headers or self.drop_headers:
                found["headers"] = header_lines(self.headers)
        return found

    @property
    def shows_secret(self) -> bool:
        """Was the secret made here, so that nobody knows it yet?"""
        return self.kind == "webhook" and not self.secret


def parse(form: Mapping[str, str], row: Channel | None = None) -> Asked:
    """Read and check the form of a new channel, or of `row`, whose kind stays. An address is asked for in
    the name service, so this takes up to five seconds."""
    asked = Asked(
        name=forms.text(form, "name"),
        kind=row.kind if row is not None else form.get("kind", ""),
        address=forms.text(form, "address"),
        secret=forms.text(form, "secret"),
        new_secret=bool(form.get("new_secret")),
        headers=form.get("headers", "").strip(),
        drop_headers=bool(form.get("drop_headers")),
        version=forms.version(form),
    )
    if problem := forms.line_problem(asked.name, 120):
        asked.errors["name"] = problem
    if asked.kind not in KINDS:
        asked.errors["kind"] = _("Choose one of the kinds.")
    elif problem := _address_problem(asked, row):
        asked.errors["address"] = problem
    if asked.kind == "webhook":
        if problem := _secret_problem(asked.secret):
            asked.errors["secret"] = problem
        if problem := _headers_problem(asked.headers):
            asked.errors["headers"] = problem
    return asked


def of_row(row: Channel) -> Asked:
    return Asked(name=row.name, kind=row.kind, version=row.version)


def header_lines(text: str) -> dict[str, str]:
    """Return the headers of lines such as `Name: value`; raises ValueError for a line without a colon."""
    found: dict[str, str] = {}
    for line in filter(None, (each.strip() for each in text.replace("\r\n", "\n").split("\n"))):
        name, colon, value = line.partition(":")
        if not colon or name.strip().lower() in {known.lower() for known in found}:
            raise ValueError(line)
        found[name.strip()] = value.strip()
    return found


def _address_problem(asked: Asked, row: Channel | None) -> str | None:
    if not asked.address:
        return None if row is not None else str(_("Give the address."))
    try:
        if asked.kind == "webhook":
            guard.check(asked.address)
        else:
            chat.check(asked.address)
    except AddressError as error:
        return str(_(error.args[0]))
    return None


def _secret_problem(secret: str) -> str | None:
    if not secret:
        return None
    if not SECRET_MIN <= len(secret) <= SECRET_MAX or not _SECRET.fullmatch(secret):
        return str(
            _(
                "Give %(least)d to %(most)d characters without blanks, or none.",
                least=SECRET_MIN,
                most=SECRET_MAX,
            )
        )
    if secret.startswith(webhook.PREFIX) and webhook.key_of(secret) == secret.encode():
        return str(_("After whsec_ the secret goes on in base64."))
    return None


def _headers_problem(text: str) -> str | None:
    if len(text) > HEADERS_MAX:
        return str(_(addresses.HEADERS_MANY))
    try:
        problem = addresses.header_problem(header_lines(text))
    except ValueError:
        return str(_("Write each header once, on a line of its own, as Name: value."))
    return str(_(problem)) if problem else None
