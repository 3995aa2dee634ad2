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
def test_no_row_of_another_test_is_seen(db: peewee.Database, turn: int) -> None:
    assert make.user("jana").id == 1
    assert User.select().count() == 1


def test_the_database_is_of_this_version(db: peewee.Database) -> None:
    assert migrate.pending(db) == []


def test_another_process_sees_what_is_committed(db: peewee.Database, db_url: str) -> None:
    make.user("jana")
    program = "from dashboard.models import User; print(User.get().login)"
    start = f"from dashboard.db import open_database; open_database({db_url!r}); {program}"
    done = subprocess.run([sys.executable, "-c", start], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "jana\n"


def test_an_empty_database_has_no_tables(empty_url: str) -> None:
    opened = open_database(empty_url)
    with connected():
        assert opened.get_tables() == []
