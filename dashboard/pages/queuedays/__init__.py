"""Statistics of a queue for a day, hour by hour: page, files and API."""

from dashboard.pages.queuedays.views import bp

__all__ = ["bp"]
