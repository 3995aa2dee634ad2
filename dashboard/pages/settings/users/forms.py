"""The form of a user: values checked, errors by field, everything good kept."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from dashboard import clock
from dashboard.access import passwords
from dashboard.i18n import LOCALES
from dashboard.i18n.mark import N_
from dashboard.models import User
from dashboard.web import forms

LOGIN = re.compile(r"[^\s\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,120}")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
LABELS = {
    "login": N_("User name"),
    "name": N_("Full name"),
    "email": N_("E-mail"),
    "extension": N_("Extension"),
    "access": N_("Access"),
    "teams": N_("Teams"),
    "locale": N_("Language"),
    "timezone": N_("Time zone"),
}


@dataclass
class Asked:
    login: str = ""
    name: str = ""
    email: str = ""
    extension: str = ""
    access: int | None = None
    teams: frozenset[int] = frozenset()
    locale: str = ""
    timezone: str = ""
    password: str = ""
    version: int = 0
    errors: dict[str, str] = field(default_factory=dict)

    def columns(self) -> dict[str, Any]:
        """Return the columns that a form may set; login, password and teams are set on their own."""
        return {
            "name": self.name,
            "email": self.email,
            "extension": self.extension,
            "access": self.access,
            "locale": self.locale,
            "timezone": self.timezone,
        }


def parse(form: MultiDict[str, str], row: User | None = None) -> Asked:
    """Read the form of a new user, or of `row`, whose login stays as it is."""
    asked = Asked(
        login=row.login if row else forms.text(form, "login"),
        name=forms.text(form, "name"),
        email=forms.text(form, "email"),
        extension=forms.text(form, "extension"),
        access=forms.whole(form.get("access", ""), 1, forms.ID_MAX),
        teams=forms.ids(form.getlist("team")),
        locale=form.get("locale", ""),
        timezone=forms.text(form, "timezone"),
        password=form.get("password", ""),
        version=forms.version(form),
    )
    _check_texts(asked)
    if form.get("access") and asked.access is None:
        asked.errors["access"] = _("Choose one of the accesses.")
    if asked.password and (problem := passwords.problem(asked.password, asked.login)):
        asked.errors["password"] = _(problem)
    new_access = row is None or (row.access is None and row.password_hash is None)
    if asked.access and not asked.password and new_access:
        asked.errors["password"] = _("Give a password, or choose no access.")
    return asked


def of_row(row: User, teams: frozenset[int]) -> Asked:
    access = row.access.id if row.access else None
    return Asked(
        row.login,
        row.name,
        row.email,
        row.extension,
        access,
        teams,
        row.locale,
        row.timezone,
        version=row.version,
    )


def _check_texts(asked: Asked) -> None:
    if not LOGIN.fullmatch(asked.login):
        asked.errors["login"] = _("Give a user name of 1 to 120 characters without spaces.")
    if problem := forms.line_problem(asked.name, 200):
        asked.errors["name"] = problem
    if asked.email and (
        len(asked.email) > 254 or not EMAIL.fullmatch(asked.email) or forms.line_problem(asked.email, 254)
    ):
        asked.errors["email"] = _("Write the address as name@example.org.")
    if problem := forms.line_problem(asked.extension, 40, needed=False):
        asked.errors["extension"] = problem
    if asked.locale and asked.locale not in LOCALES:
        asked.errors["locale"] = _("Choose one of the languages.")
    if asked.timezone:
        try:
            clock.zone(asked.timezone)
        except ValueError:
            asked.errors["timezone"] = _("Choose a time zone of the list, such as Europe/Prague.")
