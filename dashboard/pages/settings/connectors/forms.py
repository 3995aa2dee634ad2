"""The form of a connector: its secret, its API and its mapping."""

from __future__ import annotations

import re
import secrets
from typing import Any

from flask_babel import gettext as _
from wtforms.validators import ValidationError

from dashboard.access import keys
from dashboard.i18n.message import N_
from dashboard.ingest.connectors import mapped
from dashboard.ingest.connectors.mapped import MappingError
from dashboard.ingest.connectors.reading import MAPPED
from dashboard.models import Connector
from dashboard.notify import channel_check, help_desk
from dashboard.notify.addresses import AddressError
from dashboard.web.fields import Check, Choice, Field, Form, TextLine, WriteOnly

KINDS = {
    "zammad": "Zammad",
    "chatwoot": "Chatwoot",
    "events": N_("Stopa's events or CloudEvents"),
    "mapped": N_("Other webhook"),
}
MAPPING = ["fields", "types", "sample"]  # fields of the form of a mapped connector alone
MAX_LINES = 20_000  # characters of each
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SECRET = re.compile(r"[!-~]{16,200}")
_TOKEN = re.compile(r"[!-~]{1,200}")
# Examples of the addresses of APIs by which rules change things.
APIS = {
    "zammad": "https://zammad.example.com",
    "chatwoot": "https://chatwoot.example.com/app/accounts/1",
    "events": "https://example.com/changes",
    "mapped": "https://example.com/changes",
}


class Lines(Field):
    """Lines of text."""

    element = "textarea"

    def __init__(self, label: str, **options: Any) -> None:
        attrs = {"rows": 8, "spellcheck": "false", "maxlength": MAX_LINES}
        super().__init__(label, attrs=attrs, **options)

    def process_data(self, value: Any) -> None:
        self.data = value or ""

    def pre_validate(self, form: Any) -> None:
        if len(self.data) > MAX_LINES:
            raise ValidationError(_("Enter at most %(most)d characters.", most=MAX_LINES))


def channel_kind(row: Connector) -> str:
    """Return the kind of the channel by which rules change things at a connector's system."""
    return row.kind if row.kind in help_desk.KINDS else "webhook"


class ConnectorForm(Form):
    """A connector's kind and source stay; its secret is write-only."""

    kind = Choice(N_("Type"), KINDS, problem=N_("Choose a type."))
    name = TextLine(
        N_("Source"),
        60,
        fits=_NAME.fullmatch,
        problem=N_("Enter up to 60 letters, digits, dots, hyphens and underscores."),
        hint=N_("Stands in the address. Events are stored under this source name."),
    )
    secret = WriteOnly(
        N_("Secret"),
        input_type="password",
        attrs={"maxlength": 200, "autocomplete": "new-password"},
        hint=N_(
            "Leave empty to generate one; it is shown once. If Chatwoot shows a secret of its own, enter "
            "that: its requests are then signed with it."
        ),
    )
    new_secret = Check(N_("Generate a new secret (shown once)"))
    api_address = WriteOnly(
        N_("API address"), attrs={"maxlength": 2000, "autocomplete": "off", "spellcheck": "false"}
    )
    api_token = WriteOnly(
        N_("API token"),
        input_type="password",
        attrs={"maxlength": 200, "autocomplete": "new-password"},
        hint=N_(
            "Of a user who can change items. Rules can then set status, priority and assignee, and add notes."
        ),
    )
    fields = Lines(
        N_("Fields"),
        hint=N_(
            "One per line: a field of the event, =, and where in the payload it stands. Fields: id, type, "
            "time, user, queue, interaction, session, contact.name, contact.phone, contact.email, and data "
            "with a dot and a name. A text in quotation marks is the same in every event."
        ),
    )
    types = Lines(
        N_("Event types"),
        hint=N_("One per line: a type as the payload writes it, =, and the event type it stands for."),
    )
    sample = Lines(
        N_("Sample"),
        hint=N_(
            "Paste a payload, or several as a JSON list, to choose from its paths and to test the mapping. "
            "It isn't saved."
        ),
    )
    row: Connector | None = None
    preview = ""  # the event of the sample, or why it is none
    plain = ""  # a new secret, for the one page that shows it

    def fit(self, row: Connector | None, may_call: bool) -> None:
        """Keep the fields of a new connector, or of this one; those of its API for who may edit channels."""
        self.row = row
        gone = ["new_secret"] if row is None else ["kind", "name"]
        if row is None or not may_call:
            gone += ["api_address", "api_token"]
        elif row.channel is not None and not row.channel.lost:
            self.api_address.hint = self.api_token.hint = _("Saved and hidden. Leave empty to keep it.")
        else:
            self.api_address.hint = _("Such as %(example)s", example=APIS[row.kind])
            if row.kind not in help_desk.KINDS:
                self.api_token.hint = _("Signs what rules send there, by Standard Webhooks.")
        if row is None or row.kind != MAPPED:
            gone += MAPPING
        for name in gone:
            del self[name]
        if row is not None and row.secret:
            self.secret.hint = _("Saved and hidden. Leave empty to keep it.")

    def values(self) -> dict[str, Any]:
        """Return the columns that change; only for a form without errors."""
        makes = self.row is None or not self.row.secret or self["new_secret"].data
        self.plain = self.plain or self.secret.data or (secrets.token_urlsafe(32) if makes else "")
        found: dict[str, Any] = {"secret": self.plain} if self.plain else {}
        if "fields" in self:
            found["mapping"] = self.mapping
        return found

    @property
    def api(self) -> dict[str, str]:
        """The columns of the API's channel that change."""
        sent = {name: self[f"api_{name}"].data for name in ("address", "token") if f"api_{name}" in self}
        return {{"token": "secret"}.get(name, name): value for name, value in sent.items() if value}

    @property
    def mapping(self) -> dict[str, str]:
        return {name: self[name].data for name in MAPPING[:2]}

    def validate(self, extra_validators: Any = None) -> bool:
        good = super().validate(extra_validators)
        if "fields" in self:
            for name in MAPPING[:2]:
                try:
                    mapped.read(**{"fields": "", "types": "", name: self[name].data})
                except MappingError as error:
                    self.reject(name, error.why.render(_))
                    good = False
        return good

    def validate_api_address(self, field: Field) -> None:
        """Check the text of the address; the worker looks its host up."""
        known = self.row is not None and self.row.channel is not None and not self.row.channel.lost
        if not known and bool(field.data) != bool(self.api_token.data):
            raise ValidationError(_("Enter both the address and the token."))
        try:
            if field.data and self.row is not None:
                channel_check.check_text(channel_kind(self.row), field.data)
        except AddressError as error:
            raise ValidationError(_(error.args[0])) from None

    def validate_api_token(self, field: Field) -> None:
        if field.data and not _TOKEN.fullmatch(field.data):
            raise ValidationError(_("Enter at most %(most)d characters without spaces.", most=200))

    def validate_name(self, field: Field) -> None:
        if keys.is_reserved(field.data):
            raise ValidationError(_(keys.RESERVED))

    def validate_secret(self, field: Field) -> None:
        if field.data and not _SECRET.fullmatch(field.data):
            raise ValidationError(
                _(
                    "Enter %(least)d to %(most)d characters without spaces, or leave empty.",
                    least=16,
                    most=200,
                )
            )
