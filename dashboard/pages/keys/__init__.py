"""Keys of sources and clients."""

from dashboard.pages.keys.views import bp

__all__ = ["bp"]
