"""Lists of own, system and user rules, and the commands on whole rules."""

from dashboard.pages.rules import bulk, groups, import_export, oversight, views
from dashboard.pages.rules.views import bp

__all__ = ["bp", "bulk", "groups", "import_export", "oversight", "views"]
