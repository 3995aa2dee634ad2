"""The editor of a rule: when, if, then, limits; drafts and versions."""

from dashboard.pages.ruleeditor import versions, views, visitors_recipe
from dashboard.pages.ruleeditor.views import bp

__all__ = ["bp", "versions", "views", "visitors_recipe"]
