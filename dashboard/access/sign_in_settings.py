"""What administrators chose about signing in: an OpenID Connect provider, how its claims become a role and
teams, and who may use a password."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import NamedTuple

from flask import current_app

from dashboard.db import sealed
from dashboard.i18n.message import N_
from dashboard.models import Setting, User

GIVEN = N_("Settings > Sign-in gives this to users. Remove it there first.")
NAME = "sign_in"  # of the setting: SignIn as JSON, the secret sealed


class Line(NamedTuple):
    """Whoever has `value` in `claim` gets the role `access` and is in `team`; ids, None: neither."""

    claim: str
    value: str
    access: int | None
    team: int | None


@dataclass(frozen=True)
class SignIn:
    """The choices. `access` is the id of the role of users whom no line gives one; None refuses them.

    `adds`: users who are not known are added. `links_logins`, `links_emails`: a user of the provider is the
    user here with the same user name or verified address. With `emergency_only` a password signs in the users
    with the ids `emergency` alone. `version` counts how often the choices were saved.
    """

    enabled: bool = False
    issuer: str = ""
    client_id: str = ""
    client_secret: str = ""
    scopes: str = "openid profile email"
    label: str = ""
    login_claim: str = "preferred_username"
    adds: bool = False
    links_logins: bool = False
    links_emails: bool = False
    access: int | None = None
    lines: tuple[Line, ...] = ()
    emergency_only: bool = False
    emergency: tuple[int, ...] = ()
    version: int = 0

    @property
    def has_other_ways(self) -> bool:
        """Whether users may sign in without a password."""
        return self.enabled or bool(current_app.config["STOPA"].auth_header)

    @property
    def limits_passwords(self) -> bool:
        """Whether passwords are for emergencies: another way to sign in must be there."""
        return self.emergency_only and self.has_other_ways

    @property
    def accesses(self) -> set[int | None]:
        """Ids of the roles that signing in gives."""
        return {self.access, *(line.access for line in self.lines)}

    @property
    def teams(self) -> set[int | None]:
        """Ids of the teams that signing in gives."""
        return {line.team for line in self.lines}

    def takes_password(self, user: User) -> bool:
        return not self.limits_passwords or user.id in self.emergency


def load() -> SignIn:
    """Return the choices in force; the secret is empty where it was sealed with another key."""
    value = Setting.select(Setting.value).where(Setting.name == NAME).scalar()
    if value is None:
        return SignIn()
    stored = json.loads(value)
    stored["client_secret"] = str(sealed.unseal(stored["client_secret"]))
    stored["lines"] = tuple(Line(*each) for each in stored["lines"])
    return SignIn(**{**stored, "emergency": tuple(stored["emergency"])})


def save(chosen: SignIn) -> None:
    """Store the choices in the caller's transaction, which must be the only one that does so."""
    values = asdict(replace(chosen, version=chosen.version + 1))
    Setting.put(NAME, json.dumps(values | {"client_secret": sealed.seal(chosen.client_secret)}))
