"""The form of a queue: values checked, errors by field, everything good kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask_babel import gettext as _

from dashboard.i18n.mark import N_
from dashboard.models import Queue
from dashboard.web import forms

SLA_MAX_S = 86_400
CHANNELS = {
    "call": N_("Call"),
    "email": N_("E-mail"),
    "webchat": N_("Web chat"),
    "sms": "SMS",
    "messenger": "Messenger",
    "whatsapp": "WhatsApp",
    "viber": "Viber",
    "line": "LINE",
    "instagram": "Instagram",
    "ticket": N_("Ticket"),
}
LABELS = {
    "name": N_("Name in events"),
    "label": N_("Label"),
    "channel": N_("Channel"),
    "sla_seconds": N_("Service level, seconds"),
}


@dataclass
class Asked:
    name: str
    label: str
    channel: str
    sla: str
    version: int
    errors: dict[str, str] = field(default_factory=dict)

    def values(self) -> dict[str, str | int]:
        """Return the columns; only for a form without errors."""
        return {
            "name": self.name,
            "label": self.label,
            "channel": self.channel,
            "sla_seconds": int(self.sla),
        }


def parse(form: Mapping[str, str], row: Queue | None = None) -> Asked:
    """Read the form; a channel that only events know stays allowed for the queue that has it."""
    asked = Asked(
        name=forms.text(form, "name"),
        label=forms.text(form, "label"),
        channel=forms.text(form, "channel"),
        sla=forms.text(form, "sla_seconds"),
        version=forms.version(form),
    )
    asked.label = asked.label or asked.name
    for name, most in (("name", 120), ("label", 200)):
        if problem := forms.line_problem(getattr(asked, name), most):
            asked.errors[name] = problem
    if asked.channel not in CHANNELS and (row is None or asked.channel != row.channel):
        asked.errors["channel"] = _("Choose one of the channels.")
    if forms.whole(asked.sla, 0, SLA_MAX_S) is None:
        asked.errors["sla_seconds"] = forms.whole_problem(0, SLA_MAX_S)
    return asked


def of_row(row: Queue) -> Asked:
    return Asked(row.name, row.label, row.channel, str(row.sla_seconds), row.version)


def empty() -> Asked:
    return Asked("", "", "call", "20", 0)
