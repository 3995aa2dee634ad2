"""Teams: who works in them and who leads them."""

from dashboard.pages.settings.teams.views import bp

__all__ = ["bp"]
