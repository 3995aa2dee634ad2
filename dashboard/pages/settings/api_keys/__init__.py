"""Keys of sources and clients."""

from dashboard.pages.settings.api_keys.views import bp

__all__ = ["bp"]
