"""What rules saw and did, tries on stored events, and why a rule did not act."""

from dashboard.pages.ruleruns import trust, views
from dashboard.pages.ruleruns.blueprint import bp

__all__ = ["bp", "trust", "views"]
