"""Interactions: the list of customer contacts with search and filters."""

from dashboard.pages.interactions.views import LISTING, USER_EVENT_LIST, bp

__all__ = ["LISTING", "USER_EVENT_LIST", "bp"]
