"""The mark of a text that is translated when it is shown, not where it stands. Pure."""

from __future__ import annotations


def N_(text: str) -> str:  # noqa: N802 - the name that extractors of translations look for
    """Return `text` unchanged; the extractor puts it into the catalogue of translations."""
    return text
