"""Which events are recorded, and which of them rules may use."""

from dashboard.pages.settings.event_types.views import bp

__all__ = ["bp"]
