"""What rules sent, or could not send."""

from dashboard.pages.settings.deliveries.views import bp

__all__ = ["bp"]
