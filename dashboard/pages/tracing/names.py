"""What kinds, results, events and periods are called, on the page and in files alike."""

from __future__ import annotations

import html
from collections.abc import Callable
from datetime import date
from functools import lru_cache, partial

from flask import current_app
from flask_babel import gettext as _
from markupsafe import Markup

from dashboard import catalog
from dashboard.i18n.formats import (
    clock,
    clock_short,
    date_long,
    date_short,
    duration,
    language,
    month_label,
    stamp,
    week_label,
)
from dashboard.i18n.message import N_
from dashboard.pages.tracing.forms import TraceQuery
from dashboard.pages.tracing.plot import Bar, Plot
from dashboard.pages.tracing.queries import Step
from dashboard.tracing.bounds import EndReason
from dashboard.tracing.types import NOT_TAKEN, Kind, State

STATUS = ("ready", "idle", "pause")  # bars of the status lane
CHIPS = (
    ("", N_("All")),
    ("call", N_("Calls")),
    ("email", N_("Emails")),
    ("chat", N_("Chats")),
    ("ticket", N_("Tickets")),
    ("pause", N_("Pauses")),
)
STATES = {
    NOT_TAKEN: N_("Not taken"),
    State.RINGING: N_("Ringing"),
    State.OPEN: N_("Open"),
    State.POSTPONED: N_("Postponed"),
    State.CLOSED: N_("Closed"),
    State.TRANSFERRED: N_("Transferred"),
    State.MISSED: N_("Missed"),
    State.REJECTED: N_("Rejected"),
    State.ANSWERED_ELSEWHERE: N_("Answered elsewhere"),
    State.EDITED: N_("Edited"),
}

NO_END = {
    EndReason.SIGNED_OUT: N_("No end recorded (signed out at %(time)s)"),
    EndReason.NEXT_CALL: N_("No end recorded (next call at %(time)s)"),
    EndReason.SOURCE_RESTARTED: N_("No end recorded (source restarted at %(time)s)"),
    EndReason.TAKEN_OVER: N_("No end recorded (taken over at %(time)s)"),
    EndReason.NO_SIGN_OUT: N_("No end recorded (no sign-out, last active at %(time)s)"),
    EndReason.NO_END: N_("No end recorded (over by %(time)s)"),
    EndReason.END_OF_FILE: N_("No end recorded (file ends at %(time)s)"),
    EndReason.IDLE: N_("No end recorded (no activity until %(time)s)"),
}


def no_end(reason: str, time: str) -> str:
    """Return what is said of an end that never came: why it is bounded, and by what time."""
    known = next((text for each, text in NO_END.items() if each == reason), None)
    return _(known, time=time) if known is not None else ""


def event(name: str) -> str:
    known = catalog.find(name)
    return _(known.label) if known is not None and known.label else name


def step(one: Step) -> str:
    """Return what an event is called; one that a user made by hand with the button's name."""
    called = event(one.type)
    button = one.data.get("button") if one.type.endswith(".manual") else None
    return _("%(event)s: %(button)s", event=called, button=button) if button else called


def row(type_: str, channel_: str, direction: str, paid: bool) -> str:
    """Return what an activity or pause is called, through the page's own macros, so that files agree."""
    say = speaker()
    return _plain(say("pause_name", paid) if type_ == "pause" else say("work_name", channel_, direction))


def channel(name: str) -> str:
    return _plain(speaker()("channel_name", name))


def speaker() -> Callable[..., Markup]:
    """Return say(macro, *values): what a macro of tracing/_words.html prints, in the reader's language.

    A page says the same few hundreds of times; a macro costs 10 us, what is remembered 1.
    """
    return partial(_said, language())


@lru_cache(1024)
def _said(_language: str, macro: str, *values: str | bool) -> Markup:
    words = current_app.jinja_env.get_template("tracing/_words.html").module
    said: Markup = getattr(words, macro)(*values)
    return said


def bars(plot: Plot, zone: str) -> Callable[[Bar], Markup]:
    """Return what writes a bar's text, ready for HTML.

    09:12:37–09:33:04 · WhatsApp · 0:20:27 · +420 ••• ••• 043 · WhatsApp. With the date where the day
    is left, "now" while it goes on.
    """
    say = speaker()

    def text(bar: Bar) -> Markup:
        item = bar.item
        if item.kind == Kind.UNPROVED:
            parts = [_times(bar, plot, zone), *_called(bar, say), no_end(item.reason, stamp(bar.end, zone))]
            return Markup(" · ").join(parts)
        parts = [_times(bar, plot, zone), *_called(bar, say), duration(bar.seconds)]
        if bar.count == 1 and not item.hidden:
            parts += [each for each in (item.contact, item.queue) if each]
        if bar.open and bar.css not in STATUS:
            parts.append(_("still open"))
        if item.inferred:
            parts.append(_("partly inferred"))
        return Markup(" · ").join(parts)  # escapes each that is no Markup

    return text


def _times(bar: Bar, plot: Plot, zone: str) -> str:
    if plot.view == "week" and bar.css not in STATUS:
        first = "00:00" if bar.before else clock_short(bar.start, zone)
        last = "24:00" if bar.after else clock_short(bar.end, zone)
    else:
        outside = bar.start < plot.start or bar.end > plot.end
        write = stamp if outside or (plot.view == "week" and (bar.before or bar.after)) else clock
        first, last = write(bar.start, zone), write(bar.end, zone)
    return _("%(start)s–now", start=first) if bar.open else f"{first}–{last}"


def _called(bar: Bar, say: Callable[..., Markup]) -> list[str]:
    item = bar.item
    if bar.css == "ready":
        return [_("Ready")]
    if bar.css == "idle":
        return [_("Signed in, not ready")]
    if bar.css == "pause":
        return [say("pause_name", item.paid), *([item.label] if item.label else [])]
    if item.hidden:
        return [_("Other work (hidden)")]
    if bar.count > 1:
        return [say("count_text", bar.css, bar.count)]
    name = say("work_name", item.channel, item.direction)
    return [_("%(activity)s, not answered", activity=_plain(name)) if bar.ringing else name]


def _plain(printed: str) -> str:
    return html.unescape(str(printed)).strip()


def head(asked: TraceQuery) -> str:
    """Return the period in words for the head of a file."""
    return _period(asked, date_long)


def period(asked: TraceQuery) -> str:
    return _period(asked, date_short)


def _period(asked: TraceQuery, write: Callable[[date], str]) -> str:
    if asked.unit == "day":
        return f"{write(asked.date)} {asked.hours}".strip()
    return month_label(asked.date) if asked.unit == "month" else week_label(asked.date)
