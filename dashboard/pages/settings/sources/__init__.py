"""Sources: where events come from, and whether they still come."""

from dashboard.pages.settings.sources.views import bp

__all__ = ["bp"]
