"""Users: who they are, what access they have, whether they may still sign in."""

from dashboard.pages.users.views import bp

__all__ = ["bp"]
