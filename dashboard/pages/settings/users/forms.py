"""The form of a user."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from wtforms.form import BaseForm
from wtforms.validators import ValidationError

from dashboard.access import passwords, sign_in_settings
from dashboard.access.accounts import LOGIN
from dashboard.events import erased_logins
from dashboard.i18n.message import N_
from dashboard.models import User
from dashboard.notify import account_mail
from dashboard.settings import LOCALES
from dashboard.web.fields import Choice, ChoiceOfId, Field, Form, Ids, Password, TextLine, time_zone

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
NEW_PASSWORD = N_("New password")
REPLACES = N_(
    "At least 8 characters. Leave empty to keep the current password. A new password "
    "signs the user out everywhere."
)

INVITES = N_("At least 8 characters. Leave empty to invite the user by email to choose one.")


class AccessChoice(ChoiceOfId):
    """An access; whether the viewer may give it is checked when it is given."""

    def pre_validate(self, form: BaseForm) -> None:
        if self.data == 0:
            raise ValidationError(_(self.problem))


class UserForm(Form):
    login = TextLine(
        N_("Username"),
        120,
        fits=LOGIN.fullmatch,
        problem=N_("Enter a username of 1 to 120 characters without spaces."),
        attrs={"autocapitalize": "none", "spellcheck": "false"},
        hint=N_("Used to sign in and to match the user in events. It can't be changed later."),
    )
    name = TextLine(N_("Full name"), 200)
    title = TextLine(N_("Job title"), 120, needed=False)
    email = TextLine(
        N_("Email"),
        254,
        needed=False,
        input_type="email",
        fits=EMAIL.fullmatch,
        problem=N_("Enter an address such as name@example.org."),
    )
    phone = TextLine(N_("Phone"), 60, needed=False, input_type="tel")
    extension = TextLine(N_("Extension"), 40, needed=False)
    access = AccessChoice(
        N_("Role"),
        none=N_("No role: traced, but can't sign in"),
        problem=N_("Choose a role."),
    )
    password = Password(
        N_("Password"),
        input_type="password",
        attrs={"maxlength": 256, "autocomplete": "new-password"},
        hint=N_("At least 8 characters."),
    )
    teams = Ids(N_("Teams"), name="team")
    locale = Choice(
        N_("Language"),
        {"": N_("System default"), **LOCALES},
        default="",
        problem=N_("Choose a language."),
    )
    timezone = time_zone(N_("Time zone"), needed=False, hint=N_("Leave empty to use the system time zone."))
    row: User | None = None
    other_ways = False  # users may sign in without a password

    @property
    def invites(self) -> bool:
        """Whether who gets a role and no password is invited by mail to choose one."""
        return account_mail.works() and not self.other_ways

    def fit(self, row: User | None, accesses: Sequence[Sequence[Any]], own: bool) -> None:
        """Offer the accesses; a row keeps its login, and its access when it is the viewer's `own`."""
        self.row, self.other_ways = row, sign_in_settings.load().has_other_ways
        if self.invites:
            self.password.hint = _(INVITES)
        self.access.offer(accesses)
        if row is not None:
            del self.login
            if row.password_hash:
                self.password.label.text, self.password.hint = NEW_PASSWORD, _(REPLACES)
        if own:
            self.access.hint = _("You can't change your own role. Ask another administrator.")
            self.access.attrs["disabled"] = True

    def values(self) -> dict[str, Any]:
        return {name: value for name, value in super().values().items() if name != "password"}

    def columns(self) -> dict[str, Any]:
        """Return the values that are columns of a user which a form may change."""
        return {name: value for name, value in self.values().items() if name not in ("login", "teams")}

    def validate_login(self, field: Field) -> None:
        if erased_logins.users([field.data]):
            raise ValidationError(_(erased_logins.TAKEN))

    def validate_password(self, field: Field) -> None:
        login = self.row.login if self.row is not None else self.login.data
        if field.data and (problem := passwords.problem(field.data, login, self.name.data)):
            raise ValidationError(_(problem))
        known = self.row is not None and (self.row.access is not None or self.row.password_hash is not None)
        if self.access.data and not field.data and not known and not self.other_ways:
            if not self.invites:
                raise ValidationError(_("Enter a password, or choose “No role”."))
            if not self.email.data:
                raise ValidationError(_("Enter a password or an email address, or choose “No role”."))
