"""Rules: the lists of one's own, the site's and other users', and all that is done to whole rules."""

from dashboard.pages.rules import bulk, groups, import_export, oversight, views
from dashboard.pages.rules.views import bp

__all__ = ["bp", "bulk", "groups", "import_export", "oversight", "views"]
