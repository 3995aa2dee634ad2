"""What is recorded about the viewer: who looked at it, all of it as a file, the monitoring policy."""

from dashboard.pages.mydata.own import EXPORT, MAKER
from dashboard.pages.mydata.views import LISTING, bp

__all__ = ["EXPORT", "LISTING", "MAKER", "bp"]
