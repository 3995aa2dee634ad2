"""The form of a pause type: values checked, errors by field, everything good kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dashboard.i18n.mark import N_
from dashboard.models import PauseType
from dashboard.web import forms

MINUTES_MAX = 1440
LABELS = {
    "name": N_("Name in events"),
    "label": N_("Label"),
    "paid": N_("Paid pause"),
    "max_seconds": N_("Maximum duration, seconds"),
}


@dataclass
class Asked:
    name: str
    label: str
    paid: bool
    minutes: str
    version: int
    errors: dict[str, str] = field(default_factory=dict)

    def values(self) -> dict[str, Any]:
        """Return the columns; only for a form without errors."""
        seconds = int(self.minutes) * 60 if self.minutes else None
        return {"name": self.name, "label": self.label, "paid": self.paid, "max_seconds": seconds}


def parse(form: Mapping[str, str]) -> Asked:
    asked = Asked(
        name=forms.text(form, "name"),
        label=forms.text(form, "label"),
        paid=bool(form.get("paid")),
        minutes=forms.text(form, "minutes"),
        version=forms.version(form),
    )
    asked.label = asked.label or asked.name
    for name, most in (("name", 120), ("label", 200)):
        if problem := forms.line_problem(getattr(asked, name), most):
            asked.errors[name] = problem
    if asked.minutes and forms.whole(asked.minutes, 1, MINUTES_MAX) is None:
        asked.errors["minutes"] = forms.whole_problem(1, MINUTES_MAX)
    return asked


def of_row(row: PauseType) -> Asked:
    minutes = "" if row.max_seconds is None else str(-(-row.max_seconds // 60))
    return Asked(row.name, row.label, row.paid, minutes, row.version)


def empty() -> Asked:
    return Asked("", "", False, "", 0)
