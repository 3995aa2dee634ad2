"""Dashboards: tiles of reports on a page, and on a wall screen by a key."""

from dashboard.pages.dashboards import arranging
from dashboard.pages.dashboards.views import bp

__all__ = ["arranging", "bp"]
