"""Schedules: reports that are sent by mail."""

from dashboard.pages.schedules.views import bp

__all__ = ["bp"]
