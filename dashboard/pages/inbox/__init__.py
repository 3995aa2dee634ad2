"""The viewer's notifications, and how the viewer wants to be told."""

from dashboard.pages.inbox import profiles
from dashboard.pages.inbox.views import bp

__all__ = ["bp", "profiles"]
