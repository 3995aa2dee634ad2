"""Signing in and out, first set-up, and the account of the viewer."""

from dashboard.pages.signin import new_password, oidc, proxy, second_factor  # routes of the same blueprint
from dashboard.pages.signin.views import bp

__all__ = ["bp", "new_password", "oidc", "proxy", "second_factor"]
