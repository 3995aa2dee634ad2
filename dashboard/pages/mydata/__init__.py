"""What is recorded about the viewer: who looked at it and when, and the monitoring policy."""

from dashboard.pages.mydata.views import LISTING, bp

__all__ = ["LISTING", "bp"]
