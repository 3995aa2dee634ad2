"""What a source says about itself: its running, its users, roles, settings and plugins. Pure."""

from __future__ import annotations

from dashboard.catalog.fields import NAME, ROLE
from dashboard.catalog.types import EventType, Field, Kind, maker
from dashboard.i18n.mark import N_

SETTING = Field("setting", Kind.TEXT, N_("Setting"))

_source = maker("sources", "system")

TYPES: tuple[EventType, ...] = (
    _source("source.restarted", N_("Source restarted")),
    _source("source.reloaded", N_("Source configuration reloaded")),
    _source("user.role_changed", N_("User's role changed in the source"), NAME, ROLE),
    _source("user.two_factor_changed", N_("User's two-factor sign-in changed in the source"), NAME),
    _source("role.permissions_changed", N_("Role's permissions changed in the source"), NAME, ROLE),
    _source("system.settings_changed", N_("Settings changed in the source"), SETTING),
    _source("system.plugin_changed", N_("Plugin changed in the source"), NAME),
)
