"""The queues that contacts wait in."""

from dashboard.pages.settings.queues.views import bp

__all__ = ["bp"]
