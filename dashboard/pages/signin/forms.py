"""Forms of setup and account, with errors by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as having

from flask_babel import gettext as _

from dashboard import clock
from dashboard.access import passwords
from dashboard.access.accounts import LOGIN
from dashboard.settings import LOCALES


@dataclass
class Setup:
    code: str
    login: str
    name: str
    password: str
    errors: dict[str, str] = having(default_factory=dict)


def parse_setup(form: Mapping[str, str]) -> Setup:
    code, login, name = (form.get(field, "").strip() for field in ("code", "login", "name"))
    asked = Setup(code, login, name, form.get("password", ""))
    if not LOGIN.fullmatch(asked.login):
        asked.errors["login"] = _("Enter a username of 1 to 120 characters without spaces.")
    if not 0 < len(asked.name) <= 200 or not asked.name.isprintable():
        asked.errors["name"] = _("Enter a name of 1 to 200 characters.")
    if problem := passwords.problem(asked.password, asked.login, asked.name):
        asked.errors["password"] = _(problem)
    return asked


@dataclass
class Account:
    locale: str
    timezone: str
    errors: dict[str, str] = having(default_factory=dict)


def parse_account(form: Mapping[str, str]) -> Account:
    asked = Account(form.get("locale", ""), form.get("timezone", "").strip())
    if asked.locale and asked.locale not in LOCALES:
        asked.errors["locale"] = _("Choose a language.")
    if asked.timezone:
        try:
            clock.zone(asked.timezone)
        except ValueError:
            asked.errors["timezone"] = _("Choose a time zone from the list, such as Europe/Prague.")
    return asked
