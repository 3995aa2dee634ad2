"""Home: the team's day, or one's own."""

from dashboard.pages.home.views import bp

__all__ = ["bp"]
