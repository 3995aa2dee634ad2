"""Runs of rules, tests and backtests on stored events, and why a rule did not run."""

from dashboard.pages.ruleruns import backtest, views
from dashboard.pages.ruleruns.views import LISTING, bp

__all__ = ["LISTING", "backtest", "bp", "views"]
