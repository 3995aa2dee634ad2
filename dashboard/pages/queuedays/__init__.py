"""A queue's day, hour by hour: the page, the files and the interface for clients."""

from dashboard.pages.queuedays.views import bp

__all__ = ["bp"]
