"""Counts: reached once, again only after they fell, whoever the work goes to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine

from dashboard.jobs import worker
from dashboard.models import RuleCount, Subject
from dashboard.rules import active_rules
from tests import make
from tests.rules import engine
from tests.rules.engine import NOON, notices, notify, rule, user_id
from tests.rules.time import Site, fired

pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("db")]

OPEN_TICKETS = {"types": ["ticket.count_reached"], "count": {"number": 3, "clear": 1, "by": "agent"}}


@pytest.fixture
def site() -> Iterator[Site]:
    with time_machine.travel(NOON / 1000, tick=False) as travel:
        yield Site(travel)


def opened(site: Site, *names: str, user: str = "jana", kind: str = "ticket.created") -> None:
    for name in names:
        site.comes(kind, 0, name, user=user)


def closed(site: Site, *names: str, user: str = "jana") -> None:
    for name in names:
        site.comes("ticket.closed", 0, name, user=user)


def test_a_count_fires_when_it_is_reached_and_says_how_many_and_whose(site: Site) -> None:
    boss = make.user("boss")
    one = rule([notify(boss, title="{{ data.count }} of {{ user.name }}")], **OPEN_TICKETS)
    opened(site, "A", "B")
    assert fired() == []
    opened(site, "C", "D")
    assert fired() == [(one.id, "done", 0)]
    assert len(notices(boss)) == 1


def test_it_fires_again_only_after_it_was_clear(site: Site) -> None:
    rule(**OPEN_TICKETS)
    opened(site, "A", "B", "C")
    closed(site, "A")
    opened(site, "D")
    assert len(fired()) == 1
    closed(site, "B", "C")
    opened(site, "E", "F")
    assert len(fired()) == 2


def test_work_that_goes_to_another_agent_counts_for_them_alone(site: Site) -> None:
    rule(**OPEN_TICKETS)
    opened(site, "A", "B", "C")
    for name in ("A", "B", "C"):
        site.comes("ticket.updated", 0, name, user="petr")
    assert len(fired()) == 2
    over = {row.key: row.over for row in RuleCount.select().where(RuleCount.kind == "level")}
    assert over == {f"agent:{user_id('jana')}": False, f"agent:{user_id('petr')}": True}


def test_a_queue_is_counted_by_its_own(site: Site) -> None:
    one = rule(types=["chat.count_reached"], count={"number": 2, "by": "queue"})
    for name, queue in (("A", "sales"), ("B", "help"), ("C", "sales")):
        site.comes("chat.queued", 0, name, queue=queue)
    assert fired() == [(one.id, "done", 0)]


def test_an_agents_capacity_is_chats_and_tickets_together(site: Site) -> None:
    one = rule(types=["agent.capacity_reached"], count={"number": 2})
    opened(site, "A")
    opened(site, "B", kind="chat.accepted")
    assert fired() == [(one.id, "done", 0)]


def test_events_in_one_batch_count_once_and_digesting_twice_changes_nothing(site: Site) -> None:
    one = rule(**OPEN_TICKETS)
    batch = [engine.event("ticket.created", n, interaction=f"T-{n}", user="jana") for n in range(9)]
    engine.send(*batch)
    engine.send(*batch)
    engine.digest()
    assert [run[:2] for run in fired()] == [(one.id, "done")]


def test_what_was_open_before_the_rule_counts(site: Site) -> None:
    opened(site, "A", "B")
    closed(site, "A")
    opened(site, "C")
    assert not Subject.select().exists()
    one = rule(**OPEN_TICKETS)
    worker.drain()
    assert Subject.select().where(Subject.ended_ms.is_null()).count() == 2
    opened(site, "D")
    assert fired() == [(one.id, "done", 0)]


def test_what_happened_while_all_rules_were_stopped_counts_afterwards(site: Site) -> None:
    one = rule(**OPEN_TICKETS)
    opened(site, "A", "B")
    active_rules.stop(True)
    worker.drain()
    closed(site, "A")
    active_rules.stop(False)
    worker.drain()
    opened(site, "C")
    assert fired() == []
    opened(site, "D")
    assert fired() == [(one.id, "done", 0)]
