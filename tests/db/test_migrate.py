"""Migrations lead to the tables of the models, once, from however many machines."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby

import peewee
import pytest
from playhouse.migrations import Runner

from dashboard import models
from dashboard.db import migrate, open_database

pytestmark = pytest.mark.both_databases

ALL = sorted(path.stem for path in migrate.DIRECTORY.glob("[0-9]*.py"))
BEFORE_SHARED_NUMBERS = "0011_run_firing"
Shape = dict[str, tuple[set[tuple[str, str, bool]], set[tuple[tuple[str, ...], bool]]]]


@contextmanager
def opened(url: str) -> Iterator[peewee.Database]:
    db = open_database(url)
    db.connect()
    yield db
    db.close()
    if not isinstance(db, peewee.SqliteDatabase):
        db.close_all()


def shape(db: peewee.Database) -> Shape:
    """Return table → columns (name, type, may be null) and indexes (columns, unique)."""
    return {
        table: (
            {(column.name, column.data_type, column.null) for column in db.get_columns(table)},
            {(tuple(index.columns), index.unique) for index in db.get_indexes(table)},
        )
        for table in db.get_tables()
        if not table.startswith("schema_")
    }


def test_migrations_create_the_tables_of_the_models(empty_url: str, db_url: str) -> None:
    with opened(empty_url) as db:
        db.create_tables(models.ALL)
        wanted = shape(db)
    with opened(db_url) as db:
        assert shape(db) == wanted
        assert len(wanted) == len(models.ALL)


@pytest.mark.parametrize("reverse", [False, True])
def test_migrations_of_one_number_give_the_same_tables_in_either_order(
    empty_url: str, db_url: str, reverse: bool
) -> None:
    """Databases that followed the development got those of one number in the order in which they came."""
    with opened(db_url) as db:
        wanted = shape(db)
    with opened(empty_url) as db:
        runner = Runner(db, str(migrate.DIRECTORY))
        runner.up(BEFORE_SHARED_NUMBERS)
        rest = [migration for migration in runner.migrations() if migration.name > BEFORE_SHARED_NUMBERS]
        for _number, group in groupby(rest, key=lambda migration: migration.idx):
            for migration in sorted(group, reverse=reverse):
                migration.load().up(runner.migrator, db)
        assert shape(db) == wanted


def test_second_run_applies_nothing(empty_url: str) -> None:
    with opened(empty_url) as db:
        assert [migrate.run(db), migrate.run(db)] == [ALL, []]
        assert migrate.pending(db) == []


def test_concurrent_runners_apply_each_migration_once(empty_url: str) -> None:
    applied: list[str] = []
    failed: list[BaseException] = []
    with opened(empty_url) as db:

        def run() -> None:
            try:
                with db.connection_context():
                    applied.extend(migrate.run(db))
            except BaseException as error:
                failed.append(error)

        threads = [threading.Thread(target=run) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert failed == []
    assert applied == ALL


STATES = [
    (("insert into schema_migration (name, applied) values ('0999_later', '2030-01-01')"), "0999_later"),
    ("delete from schema_migration where name = '0002_rules'", "0002_rules"),
    ("delete from schema_migration", "is empty"),
    ("drop table schema_migration", "is empty"),
]


@pytest.mark.own_database
@pytest.mark.parametrize(("sql", "words"), STATES)
def test_database_of_another_version_is_rejected(db: peewee.Database, sql: str, words: str) -> None:
    migrate.check(db)
    db.execute_sql(sql)
    migrate.check(db, every_s=60)
    with pytest.raises(migrate.VersionError, match=words):
        migrate.check(db)


def test_migrations_of_a_newer_version_are_not_run_over(db: peewee.Database) -> None:
    db.execute_sql(STATES[0][0])
    with pytest.raises(migrate.NewerError, match="0999_later"):
        migrate.run(db)
