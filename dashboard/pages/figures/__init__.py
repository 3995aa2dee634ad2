"""Figures: what came, what became of it, how long it waited; by queue, user, channel or time."""

from dashboard.pages.figures.views import EXPORT, bp

__all__ = ["EXPORT", "bp"]
