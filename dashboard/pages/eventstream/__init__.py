"""The event stream: every line of the event log in the viewer's scope, and the page of one."""

from dashboard.pages.eventstream.views import LISTING, bp

__all__ = ["LISTING", "bp"]
