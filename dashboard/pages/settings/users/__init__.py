"""Users: who they are, what access they have, whether they may still sign in."""

from dashboard.pages.settings.users.listing import LISTING
from dashboard.pages.settings.users.views import bp

__all__ = ["LISTING", "bp"]
