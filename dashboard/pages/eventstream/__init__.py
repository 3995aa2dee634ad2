"""The event stream: every line of the event log in the viewer's scope, and the page of one."""

from dashboard.pages.eventstream.views import EXPORT, bp

__all__ = ["EXPORT", "bp"]
