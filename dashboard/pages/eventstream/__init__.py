"""The event stream: every line of the event log in the viewer's scope, and the page of one."""

from dashboard.pages.eventstream.views import LISTINGS, bp

__all__ = ["LISTINGS", "bp"]
