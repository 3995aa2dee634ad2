"""The home page: today's numbers of the team, or of the viewer."""

from dashboard.pages.home.views import bp

__all__ = ["bp"]
