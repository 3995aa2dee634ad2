"""Teams: who works in them and who leads them."""

from dashboard.pages.teams.views import bp

__all__ = ["bp"]
