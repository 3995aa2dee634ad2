"""API keys: the list, a new key, its use, its end."""

from dashboard.pages.settings.api_keys.views import bp

__all__ = ["bp"]
