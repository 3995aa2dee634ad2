"""The form of a team: values checked, errors by field, everything good kept."""

from __future__ import annotations

from dataclasses import dataclass, field

from werkzeug.datastructures import MultiDict

from dashboard.i18n.mark import N_
from dashboard.web import forms

LABELS = {"name": N_("Name"), "members": N_("Members"), "leads": N_("Leads")}


@dataclass
class Asked:
    name: str
    members: frozenset[int]
    leads: frozenset[int]
    version: int
    errors: dict[str, str] = field(default_factory=dict)


def parse(form: MultiDict[str, str]) -> Asked:
    asked = Asked(
        name=forms.text(form, "name"),
        members=forms.ids(form.getlist("member")),
        leads=forms.ids(form.getlist("lead")),
        version=forms.version(form),
    )
    if problem := forms.line_problem(asked.name, 120):
        asked.errors["name"] = problem
    return asked


def empty() -> Asked:
    return Asked("", frozenset(), frozenset(), 0)
