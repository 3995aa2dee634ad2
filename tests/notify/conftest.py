"""Short times for calls, and a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine

from dashboard.notify import safe_http

NOW = 1_772_438_400  # 2026-03-02 08:00 UTC


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The door in place, closed to all private addresses, with times a test can wait for."""
    monkeypatch.setattr(safe_http, "CONNECT_S", 0.5)
    monkeypatch.setattr(safe_http, "TOTAL_S", 0.6)
    safe_http.install([])
    yield
    safe_http.install([])


@pytest.fixture
def clock() -> Iterator[time_machine.Coordinates]:
    with time_machine.travel(NOW, tick=False) as moved:
        yield moved
