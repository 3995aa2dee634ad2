"""The form of a channel.

Address, secret and the values of headers are write-only: an empty field keeps what is stored.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any, NamedTuple

from flask_babel import gettext as _
from wtforms.validators import ValidationError

from dashboard.i18n.message import N_
from dashboard.models import Channel
from dashboard.notify import addresses, channel_check, webhook
from dashboard.notify.addresses import AddressError
from dashboard.web.fields import Check, Choice, Field, Form, TextLine, WriteOnly

# The kinds of channels; those of help desks are made on the page of their connector.
KINDS = {"webhook": N_("Webhook"), "chat": N_("Chat"), "zammad": "Zammad", "chatwoot": "Chatwoot"}


class Service(NamedTuple):
    """What a new channel writes to: its name, the kind that is stored, what an address looks like."""

    label: str
    kind: str
    example: str


# The examples are shown below the field of the address.
_SLACK = "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX"
_TEAMS = "https://example.logic.azure.com/workflows/id/triggers/manual/paths/invoke?sig=signature"
_GOOGLE = "https://chat.googleapis.com/v1/spaces/space/messages?key=key&token=token"
SERVICES = {
    "webhook": Service(N_("Webhook"), "webhook", "https://example.com/stopa"),
    "slack": Service("Slack", "chat", _SLACK),
    "teams": Service("Microsoft Teams", "chat", _TEAMS),
    "gchat": Service("Google Chat", "chat", _GOOGLE),
    "discord": Service("Discord", "chat", "https://discord.com/api/webhooks/0000000000/token"),
    "mattermost": Service("Mattermost", "chat", "mmosts://chat.example.com/token"),
    "rocket": Service("Rocket.Chat", "chat", "rockets://user:password@chat.example.com/#channel"),
    "matrix": Service("Matrix", "chat", "matrixs://user:password@matrix.example.com/#room"),
    "telegram": Service("Telegram", "chat", "tgram://123456789:bot-token/chat"),
    "zulip": Service("Zulip", "chat", "zulip://bot@organization/00000000000000000000000000000000/stream"),
    "ntfy": Service("ntfy", "chat", "ntfys://ntfy.example.com/topic"),
    "chat": Service(N_("Other chat"), "chat", "gotifys://gotify.example.com/token"),
}
SECRET_MIN, SECRET_MAX = 24, 200
HEADERS_MAX = 10_000  # characters of the field
_SECRET = re.compile(r"[!-~]+")
_KEPT = N_("Saved and hidden. Leave empty to keep it.")


class ChannelForm(Form):
    name = TextLine(N_("Name"), 120)
    kind = Choice(
        N_("Type"), {name: each.label for name, each in SERVICES.items()}, problem=N_("Choose a type.")
    )
    address = WriteOnly(
        N_("Address"),
        required=True,
        attrs={"maxlength": 2000, "autocomplete": "off", "spellcheck": "false"},
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

    @property
    def body(self) -> list[Any]:
        """The fields to fill in: the kind has been chosen before."""
        return [each for each in super().body if each.name != "kind"]

    @property
    def service(self) -> Service:
        """What a new channel writes to."""
        return SERVICES.get(self.kind.data, SERVICES["webhook"])

    def fit(self, row: Channel | None) -> None:
        """Keep the fields that a new channel of the chosen kind has, or this one, whose kind stays."""
        self.row = row
        gone = set() if row is None else {"kind"}
        if self.of_kind != "webhook":
            gone |= {"secret", "headers"}
        if row is None or row.lost or self.of_kind != "webhook":
            gone |= {"new_secret", "drop_headers"}
        if row is None:
            self.address.hint = _("Such as %(example)s", example=self.service.example)
        elif not row.lost:
            self.address.required, self.address.hint = False, _(_KEPT)
            if row.kind == "webhook":
                self._fit_webhook(row, gone)
        for name in gone:
            del self[name]

    def _fit_webhook(self, row: Channel, gone: set[str]) -> None:
        self.secret.hint = _(_KEPT)
        if row.headers:
            names = ", ".join(row.headers)
            self.headers.hint = _(
                "Saved: %(names)s. Values are hidden. Leave empty to keep them.", names=names
            )
        else:
            gone.add("drop_headers")

    @property
    def of_kind(self) -> str:
        return str(self.row.kind if self.row is not None else self.service.kind)

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
            found["kind"] = self.of_kind
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
        else:
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
