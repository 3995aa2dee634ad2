"""Reports: ready-made, saved and shared queries, their results and files, and the builder of new ones."""

from dashboard.pages.reports import editor
from dashboard.pages.reports.views import EXPORT, bp

__all__ = ["EXPORT", "bp", "editor"]
