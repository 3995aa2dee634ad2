"""How long the statements of one query may take: in a page shortly, in a job that nobody waits for long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

JOB_S = 300.0
_allowed_s: ContextVar[float | None] = ContextVar("allowed_s", default=None)


@contextmanager
def patient() -> Iterator[None]:
    """Let queries inside take JOB_S."""
    token = _allowed_s.set(JOB_S)
    try:
        yield
    finally:
        _allowed_s.reset(token)


def allowed_s(of_page: float) -> float:
    """Return the seconds that a query may take here; `of_page` outside of `patient`."""
    return _allowed_s.get() or of_page
