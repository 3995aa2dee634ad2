"""The form of a channel.

Address, secret and the values of headers are write-only: an empty field keeps what is stored.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any

from flask_babel import gettext as _
from wtforms.validators import ValidationError

from dashboard.i18n.message import N_
from dashboard.models import Channel
from dashboard.notify import addresses, channel_check, webhook
from dashboard.notify.addresses import AddressError
from dashboard.web.fields import Check, Choice, Field, Form, TextLine, WriteOnly

KINDS = {"webhook": N_("Webhook"), "chat": N_("Chat")}
SECRET_MIN, SECRET_MAX = 24, 200
HEADERS_MAX = 10_000  # characters of the field
_SECRET = re.compile(r"[!-~]+")
_KEPT = N_("Saved and hidden. Leave empty to keep it.")


class ChannelForm(Form):
    name = TextLine(N_("Name"), 120)
    kind = Choice(N_("Type"), KINDS, default="webhook", problem=N_("Choose a type."))
    address = WriteOnly(
        N_("Address"),
        required=True,
        attrs={"maxlength": 2000, "autocomplete": "off", "spellcheck": "false"},
        hint=N_(
            "Webhook: https://… Chat: an Apprise URL such as slack://…, mmosts://…, "
            "discord://…, ntfys://…, matrixs://…, or the webhook URL from Slack or Discord."
        ),
    )
    secret = WriteOnly(
        N_("Secret"),
        input_type="password",
        attrs={"maxlength": SECRET_MAX, "autocomplete": "new-password"},
        hint=N_(
            "Used to sign webhook requests. A secret of Standard Webhooks begins with whsec_; any other text "
            "is itself the key. Leave empty to generate one; it is shown once."
        ),
    )
    new_secret = Check(N_("Generate a new secret (shown once)"))
    headers = WriteOnly(
        N_("Webhook headers"),
        element="textarea",
        attrs={"rows": 3, "spellcheck": "false"},
        hint=N_("One per line, as Name: value. Values aren't shown again."),
    )
    drop_headers = Check(N_("Remove the headers"))
    ordered = Check(
        N_("One message at a time, in order"),
        hint=N_("Slower. Otherwise up to eight are sent at once, and one may overtake another."),
    )
    row: Channel | None = None

    def fit(self, row: Channel | None) -> None:
        """Keep the fields that a new channel has, or this one, whose kind stays."""
        self.row = row
        gone = {"new_secret", "drop_headers"}
        if row is not None:
            gone = {"kind"} if row.kind == "webhook" else {"kind", "secret", "headers", *gone}
            if row.lost:
                gone |= {"new_secret", "drop_headers"}
            else:
                self.address.required, self.address.hint = False, _(_KEPT)
            if row.kind == "webhook" and not row.lost:
                self.secret.hint = _(_KEPT)
                if row.headers:
                    self.headers.hint = _(
                        "Saved: %(names)s. Values are hidden. Leave empty to keep them.",
                        names=", ".join(row.headers),
                    )
                else:
                    gone.add("drop_headers")
        for name in gone:
            del self[name]

    @property
    def of_kind(self) -> str:
        return str(self.row.kind if self.row is not None else self.kind.data)

    def sent(self, name: str) -> Any:
        """Return the value of a field, nothing for one that this channel does not have."""
        return self[name].data if name in self else ""

    @property
    def has_nothing(self) -> bool:
        """Is nothing stored that an empty field could keep?"""
        return self.row is None or self.row.lost

    @property
    def makes_secret(self) -> bool:
        """Does a save make a secret that nobody knows yet?"""
        fresh = self.has_nothing or self.sent("new_secret")
        return self.of_kind == "webhook" and not self.sent("secret") and bool(fresh)

    @cached_property
    def made_secret(self) -> str:
        return webhook.new_secret()

    def values(self) -> dict[str, Any]:
        """Return the columns that change; only for a form without errors."""
        found: dict[str, Any] = {"name": self.name.data, "ordered": self.ordered.data}
        if self.row is None:
            found["kind"] = self.kind.data
        if self.address.data:
            found["address"] = self.address.data
        if self.of_kind == "webhook":
            if self.sent("secret") or self.makes_secret:
                found["secret"] = webhook.without_version(self.sent("secret")) or self.made_secret
            if self.has_nothing or self.sent("headers") or self.sent("drop_headers"):
                found["headers"] = header_lines(self.headers.data)
        return found

    def validate_address(self, field: Field) -> None:
        """Check the text of the address; the worker looks its host up."""
        if not field.data:
            if self.has_nothing:
                raise ValidationError(_("Enter the address."))
        elif self.of_kind in KINDS:
            try:
                channel_check.check_text(self.of_kind, field.data)
            except AddressError as error:
                raise ValidationError(_(error.args[0])) from None

    def validate_secret(self, field: Field) -> None:
        secret = webhook.without_version(field.data)
        if not secret or self.of_kind != "webhook":
            return
        if not SECRET_MIN <= len(secret) <= SECRET_MAX or not _SECRET.fullmatch(secret):
            problem = _(
                "Enter %(least)d to %(most)d characters without spaces, or leave empty.",
                least=SECRET_MIN,
                most=SECRET_MAX,
            )
            raise ValidationError(problem)
        if secret.startswith(webhook.PREFIX) and webhook.key_of(secret) == secret.encode():
            raise ValidationError(_("The part after whsec_ must be base64."))
        if webhook.looks_encoded(secret):
            raise ValidationError(_("This looks like base64. Write whsec_ before it."))

    def validate_headers(self, field: Field) -> None:
        if self.of_kind != "webhook":
            return
        if len(field.data) > HEADERS_MAX:
            raise ValidationError(_(addresses.HEADERS_MANY))
        try:
            problem = addresses.header_problem(header_lines(field.data))
        except ValueError:
            problem = N_("Enter each header once, one per line, as Name: value.")
        if problem:
            raise ValidationError(_(problem))


def header_lines(text: str) -> dict[str, str]:
    """Return the headers of lines such as `Name: value`; raises ValueError for a line without a colon."""
    found: dict[str, str] = {}
    for line in filter(None, (each.strip() for each in text.replace("\r\n", "\n").split("\n"))):
        name, colon, value = line.partition(":")
        if not colon or name.strip().lower() in {known.lower() for known in found}:
            raise ValueError(line)
        found[name.strip()] = value.strip()
    return found
