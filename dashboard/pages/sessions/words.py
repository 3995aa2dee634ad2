"""What the page of a co-browsing session and its files say of a step."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from flask_babel import gettext as _
from flask_babel import ngettext

from dashboard.access.masking import DOTS
from dashboard.i18n import formats
from dashboard.pages.sessions import queries
from dashboard.pages.sessions.queries import Found, Step
from dashboard.pages.sessions.timeline import Stay
from dashboard.sources.declared.cobrowsing import ACTORS, KINDS

ROOM = 4  # percent of a band that holds a name; each percent has room for a letter
LEAST = 6  # letters of a name that is cut
BADGES = {"form": "ok", "custom": "info", "joined": "info", "left": "info"}


class Line(NamedTuple):
    """A step in words: `value` is what was typed, masked or not, "" for none."""

    step: Step
    clock: str
    by: str
    who: str
    kind: str
    badge: str
    what: str
    page: str
    value: str


def name(found: Found) -> str:
    """Return the heading of a session: its visitor, or what its source calls it."""
    is_visit = found.row.visit_id is not None
    return found.name if is_visit else str(_("Session %(number)s", number=found.name))


def kind(name: str) -> str:
    return str(_(KINDS[name]))


def actor(name: str) -> str:
    return str(_(ACTORS[name]))


def lines(found: Found, steps: Sequence[Step], shown: Mapping[int, str], zone: str) -> list[Line]:
    """Return steps in words; `shown` are the values that are not masked, by event."""
    said = queries.data([one.event_id for one in steps])
    names = {agent.id: agent.name for agent in found.agents}
    return [_line(one, said.get(one.event_id, {}), names, shown, zone) for one in steps]


def _line(
    one: Step, said: Mapping[str, Any], names: Mapping[int, str], shown: Mapping[int, str], zone: str
) -> Line:
    who = "" if one.user_id is None else names.get(one.user_id) or str(_("Another user"))
    value = shown.get(one.event_id, DOTS) if one.length else ""
    what = _what(one, said, who)
    at = formats.clock(one.time_ms // 1000, zone)
    badge = BADGES.get(one.kind, "")
    return Line(one, at, actor(one.by), who, kind(one.kind), badge, what, page(one.page, said), value)


def _what(one: Step, said: Mapping[str, Any], who: str) -> str:
    """Return what a step acted on, and how: an element, a place on the page, how much was typed."""
    parts = [one.element]
    position = said.get("position")
    if one.kind == "page":
        parts = [page(one.page, said)]
    elif one.kind in ("joined", "left"):
        parts = [who]
    elif one.kind == "scroll" and isinstance(position, int | float) and 0 <= position <= 100:
        parts.append(_("to %(share)s of the page", share=formats.percent(position / 100)))
    if one.kind in ("input", "selection") and one.length is not None:
        parts.append(ngettext("%(num)d character", "%(num)d characters", one.length))
    return ", ".join(part for part in parts if part)


def page(address: str, said: Mapping[str, Any]) -> str:
    """Return the title that an event gives of its page, else the path of its address."""
    title = said.get("title")
    if isinstance(title, str) and title.strip():
        return title.strip()[:200]
    try:
        return urlsplit(address).path.strip("/") or urlsplit(address).netloc or address
    except ValueError:
        return address


def sentence(line: Line) -> str:
    """Return a step in one line, as the readout of its mark says it."""
    parts = (line.clock, line.by, line.who if line.what != line.who else "", line.kind, line.what)
    return " · ".join(part for part in parts if part)


def titles(stays: Sequence[Stay]) -> dict[int, str]:
    """Return the names of the pages whose bands have room for one, by the event that opened each."""
    wide = {each.event_id: each for each in stays if each.width > ROOM}
    said = queries.data(wide)
    return {
        ident: _cut(page(each.page, said.get(ident, {})), int(each.width) - 1) for ident, each in wide.items()
    }


def _cut(text: str, room: int) -> str:
    """Return the beginning of a text that has `room` for so many Latin letters, "" where that is too little;
    other letters are twice as wide."""
    widths = accumulate(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)
    fits = sum(1 for each in widths if each <= room)
    return text if fits == len(text) else f"{text[: fits - 1]}…" if room >= LEAST else ""


def agents(found: Found) -> str:
    """Return the names of the agents; the others are there, too."""
    others = [str(_("Another user"))] * (len(found.users) - len(found.agents))
    return formats.listed([agent.name for agent in found.agents] + others[:1])


def period(found: Found, zone: str) -> str:
    """Return from when to when a session lasted."""
    first, last = found.row.first_ms // 1000, found.row.last_ms // 1000
    return f"{formats.stamp(first, zone)} – {formats.day_clock(last, zone, first)}"


def cut() -> str:
    return str(_("Only the first %(number)s actions are shown.", number=formats.number(queries.MOST)))


def details(line: Line) -> list[tuple[str, str]]:
    """Return label and text of everything that a step says."""
    length = line.step.length
    return [
        (_("User"), line.who),
        (_("Page element"), line.step.element),
        (_("Page"), line.page),
        (_("Page address"), line.step.page),
        (_("Number of characters"), "" if length is None else formats.number(length)),
        (_("Value"), line.value),
    ]


def actions(number: int) -> str:
    return str(ngettext("%(num)d action", "%(num)d actions", number))


def more(number: int) -> str:
    return str(ngettext("%(num)d more", "%(num)d more", number))
