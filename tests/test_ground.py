"""Each test has its own migrated database, on both kinds of server."""

from __future__ import annotations

import subprocess
import sys

import peewee
import pytest

from dashboard.db import connected, migrate, open_database
from dashboard.models import User
from dashboard.settings import ROOT
from tests import make

pytestmark = pytest.mark.both_databases


@pytest.mark.parametrize("turn", [1, 2])
def test_rows_of_other_tests_are_not_visible(db: peewee.Database, turn: int) -> None:
    assert make.user("jana").id == 1
    assert User.select().count() == 1


def test_database_is_migrated(db: peewee.Database) -> None:
    assert migrate.pending(db) == []


def test_committed_rows_are_visible_to_other_processes(db: peewee.Database, db_url: str) -> None:
    make.user("jana")
    program = "from dashboard.models import User; print(User.get().login)"
    start = f"from dashboard.db import open_database; open_database({db_url!r}); {program}"
    done = subprocess.run([sys.executable, "-c", start], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "jana\n"


def test_an_empty_database_has_no_tables(empty_url: str) -> None:
    opened = open_database(empty_url)
    with connected():
        assert opened.get_tables() == []
