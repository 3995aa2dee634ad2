"""The data source of users: few rows, which are searched and sorted as a whole in the reader's language."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from flask_babel import gettext as _

from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.i18n.message import N_
from dashboard.models import Access
from dashboard.sources.declared import entities
from dashboard.sources.types import Entity, Field, Source, Type

STATES = {
    "active": N_("Active"),
    "known": N_("Known from events"),
    "deactivated": N_("Deactivated"),
}
STATE = (
    "CASE WHEN p.deactivated_ts IS NOT NULL THEN 'deactivated'"
    " WHEN p.access_id IS NULL THEN 'known' ELSE 'active' END"
)
TWO_FACTOR = 'EXISTS (SELECT 1 FROM "two_factor" x WHERE x.user_id = p.id AND x.confirmed_ts IS NOT NULL)'


def _accesses(scope: Scope, ids: Collection[Any] | None) -> Mapping[Any, str]:
    """Return the names of roles; those of the built-in ones are translated."""
    found = Access.select(Access.id, Access.name, Access.is_system).tuples()
    return {ident: str(_(name)) if preset else name for ident, name, preset in found}


_PERSON = {each.name: each for each in entities.user("user", "").fields}
USERS = Source(
    "users",
    '"user" p',
    (
        Entity(
            "user",
            N_("User"),
            N_("Users"),
            "p.id",
            (
                Field("id", N_("Number"), Type.ID, "p.id"),
                replace(_PERSON["name"], label=N_("Full name")),
                *(_PERSON[name] for name in ("login", "title", "email", "phone", "extension")),
                Field("access", N_("Role"), Type.ID, "p.access_id", texts=_accesses),
                _PERSON["team"],
                Field("state", N_("State"), Type.CHOICE, STATE, STATES),
                _PERSON["active"],
                Field("created", N_("Created"), Type.MOMENT, "p.created_ts"),
                Field("last", N_("Last signed in"), Type.MOMENT, "p.last_sign_in_ts"),
                Field("two_factor", N_("Two-factor sign-in"), Type.YES_NO, entities.yes(TWO_FACTOR)),
            ),
        ),
    ),
    moment="created",
    grain=N_("One row is one user."),
    permission=Permission.USERS_VIEW,
    users="p.id",
    searched=("name", "login"),
    small=True,
)
