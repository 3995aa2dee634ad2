"""Who writes audit entries at once, and many of them: one chain, in the order of the changes."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable
from itertools import pairwise

import peewee
import pytest

from dashboard.audit import chain, record, verify
from dashboard.db import open_database
from dashboard.models import AuditEntry, User
from tests import make
from tests.test_sql_log import logged

pytestmark = pytest.mark.both_databases

WRITERS, PROCESSES, EACH = 20, 4, 10  # a process takes seconds to start


def _write_many(url: str, number: int) -> None:
    opened = open_database(url)
    with opened.connection_context():
        for each in range(EACH):
            with opened.atomic():
                record.record("user.updated", "u", ("user", number, f"{number}.{each}"))
    os._exit(0)


def test_20_writers_at_once_make_one_chain(db: peewee.Database, db_url: str) -> None:
    """Most of them threads of this process, some processes of their own."""
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            with db.connection_context():
                for each in range(EACH):
                    with db.atomic():
                        record.record("user.updated", "u", ("user", number, f"{number}.{each}"))
        except BaseException as error:
            errors.append(error)

    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=_write_many, args=(db_url, number)) for number in range(PROCESSES)]
    threads = [threading.Thread(target=work, args=(number,)) for number in range(PROCESSES, WRITERS)]
    for each in (*processes, *threads):
        each.start()
    for each in (*processes, *threads):
        each.join(120)
    assert (errors, [process.exitcode for process in processes]) == ([], [0] * PROCESSES)
    found = list(
        AuditEntry.select(AuditEntry.seq, AuditEntry.prev_hash, AuditEntry.hash).order_by(AuditEntry.seq)
    )
    assert [row.seq for row in found] == list(range(1, WRITERS * EACH + 1))
    assert all(after.prev_hash == before.hash for before, after in pairwise(found))
    assert verify.walk() == (1, chain.head(), WRITERS * EACH, 0, 0, None, 0)


def test_several_changes_add_their_entries_at_the_end_of_their_transaction(db: peewee.Database) -> None:
    with record.changing():
        for number in (1, 2):
            with record.changing():
                record.record("rule.switched", "u", ("rule", number, ""))
            assert AuditEntry.select().count() == 0
    assert [row.target_id for row in AuditEntry.select().order_by(AuditEntry.seq)] == ["1", "2"]

    def refused() -> None:
        with record.changing():
            record.record("rule.switched", "u", ("rule", 3, ""))
            raise ValueError("refused")

    with pytest.raises(ValueError, match="refused"):
        refused()
    record.record("rule.switched", "u", ("rule", 4, ""))
    assert [row.target_id for row in AuditEntry.select().order_by(AuditEntry.seq)] == ["1", "2", "4"]
    assert verify.walk().fault is None


def test_several_changes_and_one_of_the_same_row_do_not_wait_for_each_other(db: peewee.Database) -> None:
    if isinstance(db, peewee.SqliteDatabase):
        pytest.skip("SQLite has one writer")
    user = make.user("jana")
    recorded, changed, errors = threading.Event(), threading.Event(), list[BaseException]()

    def rename(name: str) -> None:
        User.update(name=name).where(User.id == user.id).execute()

    def several() -> None:
        with record.changing():
            record.record("user.updated", "u", ("user", 1, "first"))
            recorded.set()
            assert changed.wait(20)
            rename("Several")
            record.record("user.updated", "u", ("user", 2, "second"))

    def one() -> None:
        assert recorded.wait(20)
        with db.atomic():
            rename("One")
            changed.set()
            record.record("user.updated", "u", ("user", 3, "one"))

    def work(act: Callable[[], None]) -> None:
        try:
            with db.connection_context():
                act()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(act,)) for act in (several, one)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert errors == []
    assert [row.target_label for row in AuditEntry.select().order_by(AuditEntry.seq)] == [
        "one",
        "first",
        "second",
    ]
    assert User.get_by_id(user.id).name == "Several"


def test_entries_of_one_transaction_take_the_lock_once_and_are_in_order(db: peewee.Database) -> None:
    with logged(db) as log, record.changing():
        for number in range(1, 6):
            record.record("user.updated", "u", ("user", number, ""))
    statements = [query.sql for query in log if "audit_entry" in query.sql]
    assert [sql.split()[0].upper() for sql in statements].count("SELECT") <= 3
    assert len([query for query in log if query.sql == chain.HEAD]) == 1
    rows = list(AuditEntry.select().order_by(AuditEntry.seq).dicts())
    assert [row["seq"] for row in rows] == [1, 2, 3, 4, 5]
    assert [row["target_id"] for row in rows] == ["1", "2", "3", "4", "5"]
    assert all(after["prev_hash"] == before["hash"] for before, after in pairwise(rows))
    assert verify.walk().fault is None
