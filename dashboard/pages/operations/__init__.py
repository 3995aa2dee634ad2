"""The operations page, the emergency stop, and what monitoring reads."""

from dashboard.pages.operations.metrics import bp as monitoring
from dashboard.pages.operations.metrics import init
from dashboard.pages.operations.views import bp

__all__ = ["bp", "init", "monitoring"]
