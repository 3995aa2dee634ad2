"""Which events are recorded, and which of them rules may use."""

from dashboard.pages.systemevents.views import bp

__all__ = ["bp"]
