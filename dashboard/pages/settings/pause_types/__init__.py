"""The types of pauses: paid or not, and how long they may be."""

from dashboard.pages.settings.pause_types.views import bp

__all__ = ["bp"]
