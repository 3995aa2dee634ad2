"""Accesses: what each allows, about whom, and who has it."""

from dashboard.pages.accesses.views import bp

__all__ = ["bp"]
