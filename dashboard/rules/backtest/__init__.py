"""Backtests: rules replayed over the stored events, without executing any action."""
