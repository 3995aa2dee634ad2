"""Visitors of the site: who is there, what they view, their visits and sessions. Pure.

The page views and searches of a busy site are many, hence off until wanted.
"""

from __future__ import annotations

from dashboard.catalog.fields import FORM, MESSAGE, NAME, QUERY, REASON, STARTS, TAGS, TITLE, URL, VISITOR
from dashboard.catalog.types import EventType, Field, Kind, Origin, maker
from dashboard.i18n.message import N_

RESULTS = Field("results", Kind.NUMBER, N_("Results found"))
PLACE = (
    Field("city", Kind.TEXT, N_("City")),
    Field("latitude", Kind.DECIMAL, N_("Latitude")),
    Field("longitude", Kind.DECIMAL, N_("Longitude")),
)
TRIGGERS = Field("triggers", Kind.LIST, N_("Triggering event types"))

_active = maker("visitors", "personal", origin=Origin.EXTERNAL)
_idle = maker("visitors", "personal", "session", origin=Origin.TIMER)
_seen = maker("visitors", "system", origin=Origin.EXTERNAL, on=False)
_visit = maker("visitors", "system", origin=Origin.EXTERNAL)
_quiet = maker("visitors", "system", origin=Origin.TIMER)
_session = maker("visitors", "system", "session", origin=Origin.EXTERNAL)
_silent = maker("visitors", "system", "session", origin=Origin.TIMER)

TYPES: tuple[EventType, ...] = (
    _active("visitor.active", N_("Visitor online"), *VISITOR, MESSAGE),
    _idle("visitor.idle", N_("Visitor idle"), *VISITOR),
    _seen("visitor.removed", N_("Online visitor removed"), *VISITOR),
    _seen("visitor.purged", N_("Online visitor purged"), *VISITOR),
    _seen("visitor.page_viewed", N_("Page viewed"), *VISITOR, TITLE),
    _seen("visitor.screen_viewed", N_("Screen viewed"), *VISITOR, TITLE),
    _seen("visitor.page_printed", N_("Page printed"), *VISITOR, TITLE),
    _seen("visitor.searched", N_("Visitor searched"), *VISITOR, QUERY),
    _seen("visitor.search_results_viewed", N_("Search results viewed"), *VISITOR, QUERY, RESULTS),
    _seen("visitor.located", N_("Visitor located"), *VISITOR, *PLACE),
    _visit("visit.started", N_("Visit started"), *VISITOR, TRIGGERS),
    _quiet("visit.ended", N_("Visit ended"), *VISITOR, TRIGGERS),
    _session("session.opened", N_("Session opened"), *VISITOR),
    _session("session.closed", N_("Session closed"), *VISITOR, REASON),
    _silent("session.inactive", N_("Session inactive"), *VISITOR),
)


BY = Field("by", Kind.CHOICE, N_("Done by"), ("agent", "customer"))
ELEMENT = Field("element", Kind.TEXT, N_("Page element"))
POSITION = Field("position", Kind.NUMBER, N_("Position on the page (%)"))
LENGTH = Field("length", Kind.NUMBER, N_("Number of characters"))
TYPED = frozenset({"value", "text"})  # fields of co-browsing events that hold what a customer typed or marked

_cobrowsing = maker("cobrowsing", "personal", "session")

COBROWSING_TYPES: tuple[EventType, ...] = (
    _cobrowsing("cobrowse.joined", N_("Co-browsing joined"), *VISITOR),
    _cobrowsing("cobrowse.left", N_("Co-browsing left"), *VISITOR),
    _cobrowsing("cobrowse.clicked", N_("Click"), BY, URL, ELEMENT),
    _cobrowsing("cobrowse.scrolled", N_("Scroll"), BY, URL, ELEMENT, POSITION),
    _cobrowsing("cobrowse.form_sent", N_("Form submitted"), BY, URL, FORM),
    _cobrowsing("cobrowse.input_changed", N_("Input changed"), BY, URL, ELEMENT, LENGTH),
    _cobrowsing("cobrowse.page_changed", N_("Page changed"), BY, URL, TITLE),
    _cobrowsing("cobrowse.selected", N_("Text or elements selected"), BY, URL, ELEMENT, LENGTH),
    _cobrowsing("cobrowse.custom", N_("Custom co-browsing event"), BY, URL, NAME),
)
# Event type → kind of step of a co-browsing session; visitors' own page views are page changes too.
STEPS = {
    "cobrowse.clicked": "click",
    "cobrowse.scrolled": "scroll",
    "cobrowse.form_sent": "form",
    "cobrowse.input_changed": "input",
    "cobrowse.page_changed": "page",
    "visitor.page_viewed": "page",
    "cobrowse.selected": "selection",
    "cobrowse.custom": "custom",
    "cobrowse.joined": "joined",
    "cobrowse.left": "left",
}


def typed(type_: str) -> frozenset[str]:
    """Return the fields of an event's data that hold what a customer typed or marked."""
    return TYPED if type_.startswith("cobrowse.") else frozenset()


CHANGE = Field("change", Kind.TEXT, N_("Change"))
AGENTS = Field("agents", Kind.LIST, N_("Agents"))

_meeting = maker("meetings", "personal")

MEETING_TYPES: tuple[EventType, ...] = (
    _meeting("meeting.changed", N_("Meeting changed"), TITLE, STARTS, URL, CHANGE),
    _meeting("meeting.joined", N_("Meeting joined"), TITLE, STARTS, URL),
    _meeting(
        "meeting.recording_started", N_("Conference recording started"), TITLE, STARTS, URL, AGENTS, TAGS
    ),
)
