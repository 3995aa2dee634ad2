"""Team day and Compare: people on one axis with their figures, those who need a look first."""

from dashboard.pages.teamday.export import COMPARE, TEAM
from dashboard.pages.teamday.views import bp

__all__ = ["COMPARE", "TEAM", "bp"]
