"""What kinds, results, events and periods are called, on the page and in files alike."""

from __future__ import annotations

import html
from typing import Any

from flask import current_app
from flask_babel import gettext as _

from dashboard import catalog
from dashboard.i18n.formats import date_long, date_short, week_label
from dashboard.i18n.mark import N_
from dashboard.pages.tracing.forms import Asked
from dashboard.tracing.types import State

CHIPS = (
    ("", N_("All")), ("call", N_("Calls")), ("email", N_("E-mails")), ("chat", N_("Chats")),
    ("ticket", N_("Tickets")), ("pause", N_("Pauses")),
)  # fmt: skip
STATES = {
    State.RINGING: N_("Ringing"), State.OPEN: N_("Open"), State.POSTPONED: N_("Postponed"),
    State.CLOSED: N_("Closed"), State.TRANSFERRED: N_("Transferred"), State.MISSED: N_("Missed"),
    State.REJECTED: N_("Rejected"), State.EDITED: N_("Edited"),
}  # fmt: skip


def event(name: str) -> str:
    known = catalog.find(name)
    return _(known.label) if known is not None and known.label else name


def row(type_: str, channel_: str, direction: str, paid: bool) -> str:
    """Return what an activity or pause is called, through the page's own macros, so that files agree."""
    words = _words()
    name = words.pause_name(paid) if type_ == "pause" else words.work_name(channel_, direction)
    return _plain(name)


def channel(name: str) -> str:
    return _plain(_words().channel_name(name))


def _plain(printed: str) -> str:
    return html.unescape(str(printed)).strip()


def _words() -> Any:
    return current_app.jinja_env.get_template("tracing/_words.html").module


def head(asked: Asked) -> str:
    """Return the period in words for the head of a file."""
    return week_label(asked.date) if asked.unit == "week" else date_long(asked.date)


def period(asked: Asked) -> str:
    return week_label(asked.date) if asked.unit == "week" else date_short(asked.date)
