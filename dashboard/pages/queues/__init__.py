"""The queues that contacts wait in."""

from dashboard.pages.queues.views import bp

__all__ = ["bp"]
