"""Connectors that take the webhooks of other systems."""

from dashboard.pages.settings.connectors.views import bp

__all__ = ["bp"]
