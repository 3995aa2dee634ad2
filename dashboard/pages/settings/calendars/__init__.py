"""Calendars of working time: opening hours, holidays, closures and extra openings."""

from dashboard.pages.settings.calendars.views import bp

__all__ = ["bp"]
