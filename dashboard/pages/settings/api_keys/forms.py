"""The form of a new key: values checked, errors by field, everything good kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask_babel import gettext as _

from dashboard.i18n.mark import N_
from dashboard.web import forms

ALLOW = {"ingest": N_("Send events"), "read": N_("Read events, traces and queue figures")}


@dataclass
class Asked:
    name: str = ""
    source: str = ""
    allow: str = "ingest"
    known_only: bool = False
    errors: dict[str, str] = field(default_factory=dict)


def parse(form: Mapping[str, str]) -> Asked:
    """Read the form; a key that only reads needs no source and gets one named after it."""
    asked = Asked(
        forms.text(form, "name"),
        forms.text(form, "source"),
        form.get("allow", ""),
        bool(form.get("known_only")),
    )
    if asked.allow == "read" and not asked.source:
        asked.source = asked.name
    for name in ("name", "source"):
        if problem := forms.line_problem(getattr(asked, name), 120):
            asked.errors[name] = problem
    if asked.allow not in ALLOW:
        asked.errors["allow"] = _("Choose what the key is for.")
    return asked
