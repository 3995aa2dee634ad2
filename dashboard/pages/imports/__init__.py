"""Import of a file in three steps: the file, what is understood of it, the result."""

from dashboard.pages.imports.views import bp

__all__ = ["bp"]
