"""Co-browsing: the list of sessions and of what was done in them, and the page of one session."""

from dashboard.pages.sessions.files import EXPORT
from dashboard.pages.sessions.views import LISTINGS, bp

__all__ = ["EXPORT", "LISTINGS", "bp"]
