"""Corrections of signed-in time and pauses of a user's day, for payroll."""

from dashboard.pages.corrections.views import bp

__all__ = ["bp"]
