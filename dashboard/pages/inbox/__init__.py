"""The viewer's notifications, and the viewer's notification profiles."""

from dashboard.pages.inbox import profiles
from dashboard.pages.inbox.views import bp

__all__ = ["bp", "profiles"]
