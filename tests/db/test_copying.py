"""A copy into another database holds every row, whichever of the two kinds each of them is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from flask import Flask

from dashboard.audit import record as audit
from dashboard.cli.database import tables
from dashboard.db import copying, database, open_database
from dashboard.events import record
from dashboard.ingest.schema import NewEvent
from dashboard.models import ALL, Event, ExportFile, ExportPart, Setting, Source, User
from tests import make, postgres
from tests.pages.rulerows import rule

pytestmark = pytest.mark.both_databases
EVENTS = [
    NewEvent("1", "call.queued", 1, "eva", "Support", "c1", {"name": "Šárka 佐藤", "phone": "+420 603"}),
    NewEvent("2", "call.accepted", 2, "eva", "Support", "c1", None, None, '{"b":1.50,"a":"\\u00e9\\n"}'),
]


@pytest.fixture
def other_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty database of the other kind."""
    if backend == "postgresql":
        yield f"sqlite:///{tmp_path / 'other.db'}"
    else:
        yield from postgres.copied(request.getfixturevalue("postgres_server"), "template1", "other")


def fill() -> None:
    source = Source.create(name="pbx", created_ts=1)
    record.append(source.id, EVENTS)
    user = make.administrator()
    Setting.put("x", "ž")
    audit.record("user.created", "c", audit.user_target(user), {"login": ("", "admin")})
    definition: Any = {"whole": 1e16, "small": 0.1, "texts": ["é", None, True], "z": {}}
    rule("r", definition=definition)
    file = ExportFile.create(
        id="f", user_id=user.id, maker="m", format="pdf", locale="en", name="n", created_ts=1, expires_ts=2
    )
    ExportPart.create(file=file, n=0, data=bytes(range(256)))


def contents() -> dict[str, list[Any]]:
    return {m._meta.table_name: sorted(m.select().tuples(), key=lambda row: repr(row[:2])) for m in ALL}


def test_a_copy_holds_every_row_and_goes_on_from_there(
    app: Flask, db_url: str, other_url: str, tmp_path: Path
) -> None:
    fill()
    before, original = contents(), database.obj
    reported: list[int] = []
    digests = copying.copy(db_url, other_url, tables(), reported.append)
    assert {name: digest.rows for name, digest in digests.items()} == {n: len(r) for n, r in before.items()}
    assert sum(reported) == copying.size(db_url, tables())
    assert database.obj is original
    other = open_database(other_url)
    with other.connection_context():
        assert contents() == before
        assert app.test_cli_runner().invoke(args=["audit", "verify"]).exit_code == 0
        record.append(
            Source.get(Source.name == "pbx").id, [*EVENTS, msgspec.structs.replace(EVENTS[0], id="3")]
        )
        assert Event.select().count() == len(before["event"]) + 1
        make.user("next")
    third = f"sqlite:///{tmp_path / 'third.db'}"
    copied = copying.copy(other_url, third, tables())
    assert copied["rule"] == digests["rule"]


def test_a_target_with_tables_is_refused(app: Flask, db_url: str) -> None:
    done = app.test_cli_runner().invoke(args=["copy", "--to", db_url, "--force"])
    assert done.exit_code == 1
    assert done.stderr.endswith("Error: The target has tables. Name an empty database.\n")


def test_a_copy_that_fails_leaves_no_rows(app: Flask, db_url: str, other_url: str) -> None:
    fill()
    wrong = [
        each._replace(columns=(*each.columns, "none")) if each.name == "rule" else each for each in tables()
    ]
    with pytest.raises(copying.CopyError, match="none"):
        copying.copy(db_url, other_url, wrong)
    other = open_database(other_url)
    with other.connection_context():
        assert not Event.select().exists()
        assert not User.select().exists()
