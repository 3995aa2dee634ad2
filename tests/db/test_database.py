"""How connections behave on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import peewee
import pytest

from dashboard.db import database, dialect
from dashboard.db.locks import Lock
from dashboard.db.prepared import Prepared, slot
from dashboard.models import Source

pytestmark = pytest.mark.both_databases

COLUMNS = ("name", "is_file", "created_ts")


def add(*names: str) -> dialect.Added:
    with database.atomic():
        return dialect.insert_numbered("source", COLUMNS, [(name, False, 0) for name in names])


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("names", [["a"], ["a", "b", "c"]])
def test_insert_returns_the_id_range_of_added_rows(names: list[str]) -> None:
    add("first")
    added = add(*names)
    found = [row[0] for row in Source.select(Source.name).where(Source.id > added.after).tuples()]
    assert (added.rows, sorted(found)) == (len(names), names)
    assert Source.select(Source.id).order_by(Source.id.desc()).scalar() == added.to
    assert add(*names).rows == 0


def test_postgresql_plans_every_query_for_its_values(db: peewee.Database) -> None:
    if not dialect.is_sqlite():
        assert db.execute_sql("SHOW plan_cache_mode").fetchone() == ("force_custom_plan",)


def test_lock_admits_one_transaction_at_a_time(db: peewee.Database) -> None:
    inside: list[str] = []
    start = Barrier(3)

    def work(name: str) -> None:
        with database.connection_context():
            start.wait()
            with database.atomic():
                dialect.one_at_a_time(Lock.GRANT)
                inside.append(name)
                Source.create(name=name, created_ts=0)
                assert inside[-1] == name, "another transaction is in"

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(work, "abc"))
    assert sorted(inside) == ["a", "b", "c"]


NAMED = Prepared(
    lambda: (
        Source.select(Source.name)
        .where(Source.name.in_([slot("names")]) & (Source.created_ts == slot("at")))
        .order_by(Source.name)
    )
)
DROPPED = Prepared(lambda: Source.delete().where(Source.name.in_([slot("names")])))


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("names", [[], ["a"], ["a", "c"], ["a", "b", "c", "?", "%s", "it's"]])
def test_a_prepared_query_takes_lists_of_any_length(names: list[str]) -> None:
    add("a", "b", "c", "?", "%s", "it's")
    assert [name for (name,) in NAMED.rows(names=names, at=0)] == sorted(names)
    assert NAMED.rows(names=names, at=1) == []
    DROPPED.run(names=names)
    assert Source.select().count() == 6 - len(names)
