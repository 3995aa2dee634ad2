"""The audit log: who did what in Stopa, with its proof."""

from dashboard.pages.audit.views import LISTINGS, bp

__all__ = ["LISTINGS", "bp"]
