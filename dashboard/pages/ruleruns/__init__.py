"""What rules saw and did, tries on stored events, and why a rule did not act."""

from dashboard.pages.ruleruns import backtest, views
from dashboard.pages.ruleruns.views import bp

__all__ = ["backtest", "bp", "views"]
