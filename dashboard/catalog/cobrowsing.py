"""Co-browsing sessions: who looks on, and what agent and customer do on the page. Pure.

Clicks, scrolling, selections and inputs are too many for rules until an administrator allows them.
"""

from __future__ import annotations

from dashboard.catalog.fields import FORM, NAME, TITLE, URL, VISITOR
from dashboard.catalog.types import EventType, Field, Kind, maker
from dashboard.i18n.mark import N_

BY = Field("by", Kind.CHOICE, N_("Done by"), ("agent", "customer"))
ELEMENT = Field("element", Kind.TEXT, N_("Page element"))

_session = maker("cobrowsing", "personal", "session")
_frequent = maker("cobrowsing", "personal", "session", in_rules=False)

TYPES: tuple[EventType, ...] = (
    _session("cobrowse.joined", N_("Co-browsing joined"), *VISITOR),
    _session("cobrowse.left", N_("Co-browsing left"), *VISITOR),
    _frequent("cobrowse.clicked", N_("Click"), BY, URL, ELEMENT),
    _frequent("cobrowse.scrolled", N_("Scroll"), BY, URL),
    _session("cobrowse.form_sent", N_("Form submitted"), BY, URL, FORM),
    _frequent("cobrowse.input_changed", N_("Input changed"), BY, URL, ELEMENT),
    _session("cobrowse.page_changed", N_("Page changed"), BY, URL, TITLE),
    _frequent("cobrowse.selected", N_("Text or elements selected"), BY, URL, ELEMENT),
    _session("cobrowse.custom", N_("Custom co-browsing event"), BY, URL, NAME),
)
