"""Accesses: what each allows, about whom, and who has it."""

from dashboard.pages.settings.accesses.views import bp

__all__ = ["bp"]
