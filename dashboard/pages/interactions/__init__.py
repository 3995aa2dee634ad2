"""Interactions: the list of customer contacts with search and filters."""

from dashboard.pages.interactions.views import bp

__all__ = ["bp"]
