"""Sign-in, sign-out, setup of the first administrator, and the account page."""

from dashboard.pages.signin import new_password, second_factor  # routes of the same blueprint
from dashboard.pages.signin.views import bp

__all__ = ["bp", "new_password", "second_factor"]
