"""Sign-in, sign-out, setup of the first administrator, and the account page."""

from dashboard.pages.signin import second_factor  # its routes are of the same blueprint
from dashboard.pages.signin.views import bp

__all__ = ["bp", "second_factor"]
