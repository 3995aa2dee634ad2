"""Webhooks and chats that rules write to."""

from dashboard.pages.channels.views import bp

__all__ = ["bp"]
