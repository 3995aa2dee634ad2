"""User tracing: a user's day or week."""

from dashboard.pages.tracing.views import bp

__all__ = ["bp"]
