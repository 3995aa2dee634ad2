"""The nightly verification, its seals, and `flask audit verify`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import peewee
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskCliRunner

from dashboard.audit import chain, nightly, record, retention, seals
from dashboard.audit.chain import Head
from dashboard.audit.seals import SealError
from dashboard.jobs import worker
from dashboard.models import AuditEntry, Event, Job
from tests.audit.test_chain import START_MS, write
from tests.pages import trail

pytestmark = pytest.mark.both_databases


@pytest.fixture(autouse=True)
def evening() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(trail.at("2026-03-02 20:00"), tick=False) as traveller:
        yield traveller


@pytest.fixture
def folder(app: Flask, tmp_path: Path) -> Path:
    """The folder of seals of the application."""
    made = tmp_path / "seals"
    made.mkdir()
    app.config["STOPA"] = replace(app.config["STOPA"], audit_seals=made, timezone="Europe/Prague")
    return made


def verify_now(app: Flask) -> nightly.Proof:
    with app.app_context():
        nightly.queue.enqueue(nightly.KIND, {}, key=nightly.KIND)
        worker.drain([nightly.KIND])
    found = nightly.proof()
    assert found is not None
    return found


def test_hash_of_an_entry_never_changes() -> None:
    values = (1772000000000, "user", 7, "jana", "user.updated", "u", "success", "user", "7", "Jana Malá")
    rest = ('{"name": ["a", "b"]}', "{}", "192.0.2.1", "Probe/1", "0123456789abcdef", "web")
    assert chain.entry_hash("", 1, (*values, *rest)) == HASH


HASH = "eb3326d155e3a027e5233be365ab4f232d6617bca943755c6d1df0a28aa90ad3"


def test_each_night_the_log_is_verified_and_sealed(
    app: Flask, folder: Path, evening: time_machine.Traveller
) -> None:
    write(3)
    with app.app_context():
        nightly.NIGHT.plan(0)
        mine = Job.select().where(Job.kind == nightly.KIND)
        assert not mine.exists()  # it waits for its first night
        for time, jobs in (("2026-03-03 02:59", 0), ("2026-03-03 03:00", 1), ("2026-03-03 23:00", 1)):
            evening.move_to(trail.at(time))
            nightly.NIGHT.plan(0)
            assert mine.count() == jobs, time
        head = chain.head()
        worker.drain([nightly.KIND])
    entry = AuditEntry.get(AuditEntry.action == "audit.verified")
    assert (entry.seq, entry.interface, entry.actor_type) == (4, "job", "system")
    assert entry.details == {"entries": 3, "entry": 3, "hash": head.hash}
    event = Event.get(Event.type == "audit.verified")
    assert json.loads(event.data) == {"entry": 3, "hash": head.hash}
    (file,) = folder.iterdir()
    assert file.name == "stopa-audit-000000000003.json"
    assert json.loads(file.read_text()) == {**head._asdict(), "time": "2026-03-03T22:00:00+00:00"}
    proof = nightly.proof()
    assert proof is not None
    assert (proof.seq, proof.is_good) == (3, True)


@pytest.mark.own_database
def test_what_does_not_verify_is_an_event_and_no_seal(app: Flask, folder: Path, db: peewee.Database) -> None:
    write(3)
    db.execute_sql(
        "DROP TRIGGER audit_entry_update" + ("" if "sqlite" in str(db).lower() else " ON audit_entry")
    )
    db.execute_sql("UPDATE audit_entry SET actor_label = 'x' WHERE seq = 2")
    proof = verify_now(app)
    assert (proof.bad, proof.kind, proof.is_good) == (2, "content", False)
    event = Event.get(Event.type == "audit.broken")
    assert json.loads(event.data) == {"entry": 2, "fault": "content"}
    assert AuditEntry.get(AuditEntry.action == "audit.broken").outcome == "failure"
    assert list(folder.iterdir()) == []


def test_seals_are_compared_every_night(app: Flask, folder: Path) -> None:
    write(3)
    seals.write(folder, Head(7, "a" * 64))
    proof = verify_now(app)
    assert (proof.bad, proof.kind) == (4, "cut")


@pytest.mark.parametrize("damage", ["missing", "unreadable"])
def test_night_without_a_seal_is_said(app: Flask, folder: Path, damage: str) -> None:
    write(3)
    if damage == "missing":
        folder.rmdir()
    else:
        (folder / "stopa-audit-000000000001.json").write_text("{")
    proof = verify_now(app)
    assert (proof.bad, proof.is_good) == (None, False)
    assert str(folder) in proof.seal_error
    assert AuditEntry.get(AuditEntry.action == "audit.verified").details["seal"] == proof.seal_error


def test_same_seal_is_written_once_and_none_is_replaced(tmp_path: Path) -> None:
    head = Head(3, "a" * 64)
    assert seals.write(tmp_path, head) == seals.write(tmp_path, head)
    with pytest.raises(SealError, match="seals another log"):
        seals.write(tmp_path, Head(3, "b" * 64))
    assert seals.read(tmp_path) == [head]


@pytest.fixture
def cli(app: Flask) -> FlaskCliRunner:
    return app.test_cli_runner()


def test_verify_says_what_it_verified(cli: FlaskCliRunner, folder: Path) -> None:
    write(3)
    head = chain.head()
    seals.write(folder, head)
    done = cli.invoke(args=["audit", "verify"])
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "Verified entries 1 to 3, seals that match: 1.",
        f"Seal: 3:{head.hash}",
    ]
    part = cli.invoke(args=["audit", "verify", "--from", "2", "--to", "2"])
    assert "Verified entries 2 to 2" in part.stdout
    assert AuditEntry.select().count() == 3  # it only reads


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--seal", f"3:{'a' * 64}"], 1, "Entry 3: rewritten:"),
        (["--seal", f"9:{'a' * 64}"], 1, "Entry 4: cut:"),
        (["--seal", "9"], 2, "is not NUMBER:HASH"),
        (["--from", "4"], 1, "There is no entry 4; the newest is 3."),
        (["--from", "0"], 2, "0 is not in the range"),
    ],
)
def test_verify_exits_with_1_and_names_the_entry(
    cli: FlaskCliRunner, arguments: list[str], status: int, words: str
) -> None:
    write(3)
    done = cli.invoke(args=["audit", "verify", *arguments])
    assert (done.exit_code, words in done.output) == (status, True), done.output


def test_empty_log_verifies(cli: FlaskCliRunner) -> None:
    assert "The chain has no entries." in cli.invoke(args=["audit", "verify"]).stdout


def test_purge_deletes_what_is_older(cli: FlaskCliRunner) -> None:
    write(3)
    day = "2026-03-02"
    refused = cli.invoke(args=["audit", "purge", "--before", day])
    assert refused.exit_code == 1
    done = cli.invoke(args=["audit", "purge", "--before", day, "--yes"])
    assert (done.exit_code, done.stdout) == (0, "Entries deleted: 3.\n")
    assert [row.action for row in AuditEntry.select()] == ["audit.purged"]
    assert sum(retention.purge(START_MS)) == 0
    record.record("test.done", "c")
    assert cli.invoke(args=["audit", "verify"]).exit_code == 0
