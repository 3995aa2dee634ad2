"""The read API and the health check."""

from dashboard.pages.api.views import bp

__all__ = ["bp"]
