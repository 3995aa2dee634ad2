"""Deadlines: fired when the log says so, however late or often somebody looks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine

from dashboard.jobs import worker
from dashboard.models import Rule, RuleGroup, Run, Timer
from dashboard.rules import alarms, arming, store
from tests import make
from tests.rules import engine
from tests.rules.engine import NOON, event, notices, notify, rule
from tests.rules.time import DAY, HOUR, MINUTE, Site, fired, pending

pytestmark = pytest.mark.usefixtures("db")

IDLE = {"types": ["ticket.idle"], "after": {"seconds": HOUR}}


@pytest.fixture
def site() -> Iterator[Site]:
    with time_machine.travel(NOON / 1000, tick=False) as travel:
        yield Site(travel)


def test_an_idle_ticket_fires_once_and_says_how_long(site: Site) -> None:
    jana = make.user("jana")
    one = rule([notify(jana, title="{{ ticket.number }} for {{ data.idle_s }}")], **IDLE)
    site.comes("ticket.created", 0, data={"number": "7"}, user="jana")
    site.wake(HOUR - 1)
    assert fired() == []
    site.wake(HOUR)
    site.wake(5 * HOUR)
    assert fired() == [(one.id, "done", HOUR)]
    assert notices(jana) == ["7 for 1:00:00"]
    assert pending() == []


def test_activity_moves_the_deadline_without_touching_the_timer(site: Site) -> None:
    one = rule(**IDLE)
    site.comes("ticket.created", 0)
    row = Timer.get()
    site.comes("ticket.message_received", 40 * MINUTE)
    assert Timer.get() == row
    assert Timer.get().due_ms == row.due_ms
    site.wake(HOUR)
    assert fired() == []
    assert pending() == [("ticket.idle", "T-1", 100 * MINUTE)]
    site.wake(100 * MINUTE)
    assert fired() == [(one.id, "done", 100 * MINUTE)]


def test_twice_on_one_day_and_again_after_being_reopened(site: Site) -> None:
    one = rule(**IDLE)
    site.comes("ticket.created", 0)
    site.comes("ticket.message_sent", 2 * HOUR)
    site.comes("ticket.closed", 4 * HOUR)
    site.comes("ticket.reopened", 6 * HOUR)
    site.wake(8 * HOUR)
    assert fired() == [(one.id, "done", at * HOUR) for at in (1, 3, 7)]
