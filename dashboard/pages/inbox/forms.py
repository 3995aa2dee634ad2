"""The form of a notification profile: values checked, errors by field, everything good kept."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from dashboard.i18n.message import N_
from dashboard.models import Profile
from dashboard.web import forms

LABELS = {
    "name": N_("Name"),
    "email": N_("E-mail"),
    "channel": N_("Channel"),
    "quiet_from": N_("Quiet from"),
    "quiet_to": N_("Quiet to"),
    "quiet_days": N_("Quiet days"),
    "fallback_id": N_("If I cannot be reached"),
}
_CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")


@dataclass
class Asked:
    name: str = ""
    email: bool = False
    channel: int | None = None
    quiet_from: str = ""
    quiet_to: str = ""
    quiet_days: tuple[int, ...] = ()
    fallback_id: int | None = None
    version: int = 0
    errors: dict[str, str] = field(default_factory=dict)

    def values(self) -> dict[str, Any]:
        """Return the columns; only for a form without errors."""
        return {name: getattr(self, name) for name in LABELS} | {"quiet_days": list(self.quiet_days)}


def of_row(row: Profile) -> Asked:
    return Asked(
        row.name,
        row.email,
        row.channel_id,
        row.quiet_from,
        row.quiet_to,
        tuple(row.quiet_days),
        row.fallback_id,
        row.version,
    )


def parse(
    form: MultiDict[str, str], channels: Collection[int], people: Collection[int], address: str
) -> Asked:
    """Read the form; `channels` and `people` are what it offered, `address` is where mail would go."""
    asked = Asked(
        forms.text(form, "name"),
        bool(form.get("email")),
        _chosen(form, "channel"),
        forms.text(form, "quiet_from"),
        forms.text(form, "quiet_to"),
        tuple(sorted(day for day in forms.ids(form.getlist("quiet_days")) if day <= 7)),
        _chosen(form, "fallback_id"),
        forms.version(form),
    )
    if problem := forms.line_problem(asked.name, 120):
        asked.errors["name"] = problem
    if asked.email and not address:
        asked.errors["email"] = _("Your account has no e-mail address.")
    if asked.channel not in (None, *channels):
        asked.errors["channel"] = _("Choose one of the list.")
    if asked.fallback_id not in (None, *people):
        asked.errors["fallback_id"] = _("Choose one of the list.")
    _check_hours(asked)
    if len(asked.quiet_days) == 7:
        asked.errors["quiet_days"] = _("Leave at least one day.")
    return asked


def _check_hours(asked: Asked) -> None:
    for name in ("quiet_from", "quiet_to"):
        value = getattr(asked, name)
        if value and not _CLOCK.fullmatch(value):
            asked.errors[name] = _("Give a time as 20:00.")
    if bool(asked.quiet_from) != bool(asked.quiet_to):
        asked.errors.setdefault(
            "quiet_to" if asked.quiet_from else "quiet_from", _("Give both times or none.")
        )
    elif asked.quiet_from and asked.quiet_from == asked.quiet_to:
        asked.errors.setdefault("quiet_to", _("The end must not be the beginning; for whole days tick them."))


def _chosen(form: MultiDict[str, str], name: str) -> int | None:
    """Return the id chosen, None for nothing; nonsense is 0, which no list offers."""
    value = forms.text(form, name)
    return (forms.whole(value, 1, forms.ID_MAX) or 0) if value else None
