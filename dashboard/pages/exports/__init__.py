"""Background exports: progress and download."""

from dashboard.pages.exports.views import bp

__all__ = ["bp"]
