"""A visit that somebody invites at this moment does not hold up the deadlines of others."""

from __future__ import annotations

import psycopg
import pytest

from dashboard import clock
from dashboard.models import Visit
from dashboard.visitors import deadlines
from tests.visitors.visits import site, visit


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
@pytest.mark.usefixtures("db")
def test_deadlines_leave_out_rows_that_are_held_and_take_them_later(db_url: str) -> None:
    portal, now_ms = site(), clock.now_ms()
    held, free = (visit(portal, active_ms=now_ms - 120_000, idle_ms=None, due_ms=now_ms) for _ in range(2))
    with psycopg.connect(db_url) as inviting:
        inviting.execute("SELECT id FROM visit WHERE id = %s FOR UPDATE", [held.id])
        assert deadlines.run_due() == 1
        idle = [row.id for row in Visit.select().where(Visit.idle_ms.is_null(False))]
        assert idle == [free.id]
    assert deadlines.run_due() == 1
    assert Visit.select().where(Visit.idle_ms.is_null()).count() == 0
