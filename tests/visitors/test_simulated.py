"""The short form of `python -m tests.kills.visitors`, where transactions run side by side."""

from __future__ import annotations

import peewee
import pytest

from tests.kills import visitors


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_visits_outlive_kills_without_loss_or_double(db: peewee.Database, db_url: str) -> None:
    assert list(visitors.simulate(db_url, visits=30, seconds=6, kills=2, seed=3, report_s=0.5)) == []
