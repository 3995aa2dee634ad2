"""Runs of rules, tests and backtests on stored events, and why a rule did not run."""

from dashboard.pages.ruleruns import backtest, views
from dashboard.pages.ruleruns.views import bp

__all__ = ["backtest", "bp", "views"]
