"""Web sites whose visitors are recorded."""

from dashboard.pages.settings.sites.views import bp

__all__ = ["bp"]
