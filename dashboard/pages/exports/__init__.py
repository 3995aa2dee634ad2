"""Files made in the background: progress and download."""

from dashboard.pages.exports.views import bp

__all__ = ["bp"]
