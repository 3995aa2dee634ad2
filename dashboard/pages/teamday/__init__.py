"""Team day: everybody's day on one axis, those who need a look first."""

from dashboard.pages.teamday.views import bp

__all__ = ["bp"]
