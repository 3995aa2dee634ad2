"""What pages ask the database: none skips rows by OFFSET, and none counts growing tables without a bound."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import peewee
import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.access.permissions import Permission as P
from dashboard.db import database, migrate
from dashboard.events import record
from dashboard.ingest.schema import NewEvent, parse_json
from dashboard.jobs import worker
from dashboard.models import Team, TeamLead, TeamMember, User
from tests import make

pytestmark = pytest.mark.both_databases

# Tables that grow with the work; the others have a row for each user, queue or setting.
GROWING = re.compile(
    r'(?:FROM|JOIN) "(?:activity|audit_entry|cobrowse_session|cobrowse_step|event|interaction|interval'
    r'|invitation|mark|notification|run|step|timer|visit)"'
)
COUNT = re.compile(r"\bCOUNT\s*\(", re.IGNORECASE)
# Rows of one user or queue, of a stretch of time, open visits, the first so many, or of nobody: Peewee's
# empty IN.
BOUND = re.compile(
    r'"(?:user_id|queue_id|interaction_id|time_ms|start_ts|first_ms|made_ms|created_ms|occurred_ms)"'
    r" (?:=|>=|>|IN)"
    r"|\b[aeinsvx]\.(?:created_ms|first_ms|start(?:_ts|ed_ms)|time_ms|occurred_ms) >= \d|\bLIMIT\b|\(0 = 1\)"
    r'|"ended_ms" IS NULL'
)
QUERIES = (
    "",
    "?user=jana&unit=week&date=2026-01-05&tz=UTC",
    "?page=3&q=a&kind=call&after=5.0.1",
    "?sort=-name",
)
CALL = b"""[{"type": "call.accepted", "time": "2026-01-05T09:00:00Z", "user": "jana", "queue": "sales",
 "interaction": "1"}, {"type": "call.closed", "time": "2026-01-05T09:05:00Z", "user": "jana",
 "queue": "sales", "interaction": "1"}]"""


class Query(NamedTuple):
    sql: str
    params: tuple[Any, ...]


@contextmanager
def logged(db: peewee.Database) -> Iterator[list[Query]]:
    """Collect every query that runs inside the block."""
    log: list[Query] = []
    run = db.execute_sql

    def listen(sql: str, params: Sequence[Any] | None = None, **more: Any) -> Any:
        log.append(Query(sql, tuple(params or ())))
        return run(sql, params, **more)

    db.execute_sql = listen  # type: ignore[method-assign]
    try:
        yield log
    finally:
        del db.execute_sql


def addresses(app: Flask) -> list[str]:
    """Return every address that GET reads, with 1 for each number in it, plain and with filters."""
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    paths = [re.sub(r"<int:[^>]+>", "1", rule.rule) for rule in rules if not rule.rule.startswith("/static")]
    return sorted(path + query for path in paths if "<" not in path for query in QUERIES)


@pytest.fixture
def log(app: Flask, client: FlaskClient) -> list[Query]:
    """Every query of every page of a site with one folded call, as its administrator asks them."""
    taken = [one for one in parse_json(CALL) if isinstance(one, NewEvent)]
    record.append(record.source("test").id, taken)
    worker.drain(["digest"])
    make.sign_in(client, make.administrator())
    with logged(database.obj) as queries:
        for address in addresses(app):
            client.get(address).close()
    return queries


def unbounded(sql: str) -> bool:
    return bool(COUNT.search(sql) and GROWING.search(sql) and not BOUND.search(sql))


def skips(query: Query) -> bool:
    """Peewee's get() says OFFSET 0, which skips nothing; the number is the last one."""
    return "OFFSET" in query.sql.upper() and query.params[-1:] != (0,)


def test_a_page_reads_what_it_shows_in_few_statements(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The numbers hold from the second look on: the first one of 15 minutes writes its audit entry."""
    monkeypatch.setattr(migrate, "CHECK_S", 3600)  # else a look at the version now and then
    taken = [one for one in parse_json(CALL) if isinstance(one, NewEvent)]
    record.append(record.source("test").id, taken)
    worker.drain(["digest"])
    jana = User.get(User.login == "jana")
    jana.access = make.access([P.SELF])
    jana.save()
    lead = make.user("lead", access=make.access(P, ["led_teams", ("users", jana.id), ("queues", 1)]))
    team = Team.create(name="Sales")
    TeamLead.create(team=team, user=lead)
    TeamMember.create(team=team, user=jana)
    day, fragment = (
        "/tracing?user=jana&date=2026-01-05&tz=UTC",
        {"HX-Request": "true", "HX-Target": "activities"},
    )
    cases: list[tuple[User, str, dict[str, str], int]] = [
        (lead, "/nowhere", {}, 2),  # the frame of every page
        (lead, day, {}, 12),
        (lead, f"{day}&kind=call&state=closed", {}, 12),
        (lead, day, fragment, 9),
        (make.administrator(), day, {}, 12),
        (jana, day, {}, 10),
    ]
    counted = {}
    for user, address, headers, most in cases:
        client = app.test_client()
        make.sign_in(client, user)
        client.get(address, headers=headers)
        with logged(database.obj) as queries:
            client.get(address, headers=headers)
        counted[user.login, address, *headers] = (len(queries), most)
    assert {case: count for case, count in counted.items() if count[0] > count[1]} == {}


def test_no_page_uses_offset_or_counts_a_growing_table(log: list[Query]) -> None:
    assert any('FROM "activity"' in query.sql for query in log), "the log has seen the pages"
    assert [query for query in log if skips(query)] == []
    assert [query.sql for query in log if unbounded(query.sql)] == []


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ('SELECT COUNT(1) FROM "event"', True),
        ('SELECT COUNT(1) FROM "event" WHERE ("type" = ?)', True),
        ('SELECT COUNT(1) FROM (SELECT 1 FROM "event" LIMIT ?)', False),
        ('SELECT COUNT("id") FROM "activity" WHERE ("user_id" = ?)', False),
        ('SELECT COUNT(1) FROM "queue"', False),
        ('SELECT "id" FROM "event"', False),
    ],
)
def test_a_count_needs_an_index_range_or_a_limit(sql: str, expected: bool) -> None:
    assert unbounded(sql) is expected
