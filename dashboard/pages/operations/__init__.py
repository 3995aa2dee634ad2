"""The operations page: status of rules and pending work, and the emergency stop."""

from dashboard.pages.operations.views import bp

__all__ = ["bp"]
