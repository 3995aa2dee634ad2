"""The form of a web site: whose pages are heard, what is kept of them, and where invitations lead."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from typing import Any

from flask_babel import gettext as _
from peewee import fn
from wtforms.validators import ValidationError

from dashboard.access import keys
from dashboard.i18n.message import N_
from dashboard.models import Queue, Site
from dashboard.notify import addresses
from dashboard.notify.addresses import ADDRESS_MAX, AddressError
from dashboard.visitors import invitations, sites
from dashboard.web import forms
from dashboard.web.fields import Check, Choice, ChoiceOfId, Duration, Field, Form, TextLine, WholeNumber

ORIGINS_MAX, ELEMENTS_MAX = 20, 50
ELEMENT_MAX = 60  # characters
MOST_DAYS = 3650
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class Lines(Field):
    """Different texts, one per line, each as `read` returns it; `read` raises ValueError with the problem."""

    element = "textarea"

    def __init__(self, label: str, most: int, read: Callable[[str], str], **options: Any) -> None:
        super().__init__(label, attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"}, **options)
        self.most, self.read = most, read

    @property
    def value(self) -> str:
        return self.raw_data[0] if self.raw_data else "\n".join(self.data)

    def process_data(self, value: Any) -> None:
        self.data = list(value or ())

    def process_formdata(self, valuelist: list[Any]) -> None:
        lines = [line.strip() for line in "".join(valuelist[:1]).splitlines()]
        self.data = list(dict.fromkeys(self.read(line) for line in lines if line))
        if len(self.data) > self.most:
            raise ValueError(_("Enter at most %(most)d lines.", most=self.most))


def origin(text: str) -> str:
    """Return the origin of a site as browsers write it. Raises ValueError for anything else."""
    try:
        found = addresses.parse(text)
    except AddressError as error:
        raise ValueError(f"{text[:100]}: {_(error.args[0])}") from None
    scheme, _slashes, rest = found.url.partition("://")
    host, _slash, path = rest.partition("/")
    if path:
        raise ValueError(_("%(text)s: leave out what follows the host.", text=text[:100]))
    return f"{scheme}://{host}"


def element(text: str) -> str:
    problem = forms.line_problem(text, ELEMENT_MAX)
    if problem is None and re.search(r"[\s,]", text):
        problem = _("Names have no spaces and no commas.")
    if problem is not None:
        raise ValueError(f"{text[:100]}: {problem}")
    return text


def _check_address(text: str) -> None:
    try:
        addresses.parse(text)
    except AddressError as error:
        raise ValidationError(_(error.args[0])) from None


class SiteForm(Form):
    name = TextLine(N_("Name"), 60, hint=N_("Events are stored under this source name."))
    enabled = Check(N_("Record visits"), hint=N_("While it is off, nothing of this web site is stored."))
    origins = Lines(
        N_("Addresses"),
        ORIGINS_MAX,
        origin,
        required=True,
        hint=N_(
            "Addresses of the pages that load the script, one per line, such as https://www.example.com. "
            "Reports from other addresses are refused."
        ),
    )
    elements = Lines(
        N_("Fields with values"),
        ELEMENTS_MAX,
        element,
        hint=N_(
            "Names or ids of form fields and parts of pages, one per line. Of all others, only the name and "
            "the length of what was typed are kept. Passwords and card numbers never are."
        ),
    )
    queue_id = ChoiceOfId(
        N_("Queue"),
        none=N_("No queue"),
        problem=N_("Choose a queue from the list."),
        hint=N_("The queue of its chats. Users with this queue in their scope also see its visitors."),
    )
    idle_s = Duration(
        N_("Idle after"),
        sites.LEAST_IDLE_S,
        sites.MOST_IDLE_S,
        default=120,
        hint=N_("Without any activity for this long, a visitor counts as idle, and rules can invite them."),
    )
    chat = Choice(N_("An accepted invitation opens"), invitations.CHATS, problem=N_("Choose what opens."))
    chat_url = TextLine(
        N_("Chat address"),
        ADDRESS_MAX,
        needed=False,
        attrs={"spellcheck": "false"},
        hint=N_("With the placeholders {visit}, {language}, {page} and {contact} where they are wanted."),
    )
    privacy_url = TextLine(
        N_("Privacy notice"),
        ADDRESS_MAX,
        needed=False,
        attrs={"spellcheck": "false"},
        hint=N_("Address of the page to which the invitation links."),
    )
    keep_days = WholeNumber(N_("Keep visits for (days)"), 1, MOST_DAYS, default=30)
    new_secret = Check(N_("Generate a new secret (shown once)"))
    row: Site | None = None
    plain = ""  # a new secret, for the one page that shows it

    def fit(self, row: Site | None) -> None:
        """Keep the fields of a new site, or of this one, and offer the queues."""
        self.row = row
        del self["new_secret" if row is None else "name"]
        kept = Queue.deactivated_ts.is_null() | (Queue.id == (row.queue_id if row else None))
        queues = Queue.select(Queue.id, Queue.label).where(kept).order_by(fn.LOWER(Queue.label))
        self.queue_id.offer(queues.tuples())

    def values(self) -> dict[str, Any]:
        """Return the columns that change; only for a form without errors."""
        found = {name: self[name].data for name in self.names if name not in ("name", "new_secret")}
        if self.row is None or not self.row.secret or self["new_secret"].data:
            self.plain = self.plain or secrets.token_urlsafe(32)
            found["secret"] = self.plain
        return found

    def validate_name(self, field: Field) -> None:
        if keys.is_reserved(field.data):
            raise ValidationError(_(keys.RESERVED))

    def validate_origins(self, field: Field) -> None:
        if not field.data and not field.errors:
            raise ValidationError(_("Enter at least one address."))

    def validate_chat_url(self, field: Field) -> None:
        if not field.data:
            if self.chat.data == "url":
                raise ValidationError(_("Enter the address of the chat."))
            return
        unknown = [name for name in _PLACEHOLDER.findall(field.data) if name not in invitations.PLACEHOLDERS]
        if unknown:
            raise ValidationError(_("There is no placeholder {%(name)s}.", name=unknown[0]))
        _check_address(_PLACEHOLDER.sub("x", field.data))

    def validate_privacy_url(self, field: Field) -> None:
        if field.data:
            _check_address(field.data)
