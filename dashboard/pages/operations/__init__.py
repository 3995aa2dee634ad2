"""Operations: are rules running, is anything waiting, and the switch that stops them all."""

from dashboard.pages.operations.views import bp

__all__ = ["bp"]
