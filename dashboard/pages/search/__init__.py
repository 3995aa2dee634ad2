"""The search box of the header: people, queues, interactions and rules of the viewer's scope."""

from dashboard.pages.search.views import bp

__all__ = ["bp"]
