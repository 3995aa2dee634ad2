"""Sign-in, sign-out, first administrator, one's own language, zone and password."""

from dashboard.pages.signin.views import bp

__all__ = ["bp"]
