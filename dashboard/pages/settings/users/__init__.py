"""Users: who they are, what access they have, whether they may still sign in."""

from dashboard.pages.settings.users import acts  # routes of the same blueprint
from dashboard.pages.settings.users.listing import LISTING
from dashboard.pages.settings.users.views import bp

__all__ = ["LISTING", "acts", "bp"]
