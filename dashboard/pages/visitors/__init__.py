"""Visitors of web sites: who is there now, past visits, invitations to a chat, and the story of a visit."""

from dashboard.pages.visitors.views import LISTINGS, bp

__all__ = ["LISTINGS", "bp"]
