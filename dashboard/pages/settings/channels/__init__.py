"""Webhooks and chats that rules write to."""

from dashboard.pages.settings.channels.views import bp

__all__ = ["bp"]
