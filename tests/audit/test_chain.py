"""The chain of the audit log: what is changed below the product shows, and one chain whoever writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import peewee
import pytest
import time_machine

from dashboard.audit import chain, record, verify
from dashboard.audit.chain import Head
from dashboard.audit.verify import Fault, Kind
from dashboard.models import AuditCheckpoint, AuditEntry

pytestmark = pytest.mark.both_databases

REFUSED = "audit entries cannot be changed or deleted"
TABLES = ("audit_entry", "audit_checkpoint", "audit_redaction")
START_MS = 1_772_000_000_000
Attack = Callable[[peewee.Database], object]


@pytest.fixture(autouse=True)
def frozen() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START_MS / 1000, tick=False) as traveller:
        yield traveller


def write(count: int, first: int = 1) -> None:
    """Record entries, each a minute after the one before."""
    for number in range(first, first + count):
        with time_machine.travel(START_MS / 1000 + 60 * number, tick=False):
            record.record("user.updated", "u", ("user", number, f"Uživatel {number}"), {"name": ("a", "b")})


def without_triggers(db: peewee.Database) -> None:
    """Drop the triggers, as who attacks the database would."""
    if isinstance(db, peewee.SqliteDatabase):
        names = db.execute_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in names:
            db.execute_sql(f'DROP TRIGGER "{name}"')
    else:
        for table in TABLES:
            db.execute_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")


def run(*statements: str) -> Attack:
    def attack(db: peewee.Database) -> None:
        for statement in statements:
            db.execute_sql(statement)

    return attack


def copy(seq: str, shown: str = "5") -> str:
    """Return SQL that inserts a copy of an entry with another number."""
    names = ", ".join(("prev_hash", "hash", *chain.FIELDS))
    return (
        f"INSERT INTO audit_entry (seq, {names}) SELECT {seq}, {names} FROM audit_entry WHERE seq = {shown}"
    )


def rewrite(from_: int) -> Attack:
    """Change an entry and make a new chain of it and all that follow."""

    def attack(db: peewee.Database) -> None:
        db.execute_sql(f"UPDATE audit_entry SET actor_label = 'nobody' WHERE seq = {from_}")
        last = verify.entry(from_ - 1) or Head(0, "")
        for entry in AuditEntry.select().where(AuditEntry.seq >= from_).order_by(AuditEntry.seq).dicts():
            values = [chain._stored(entry[name]) for name in chain.FIELDS]
            new = Head(entry["seq"], chain.entry_hash(last.hash, entry["seq"], values))
            changed = AuditEntry.update(prev_hash=last.hash, hash=new.hash)
            changed.where(AuditEntry.seq == new.seq).execute()
            last = new

    return attack


ATTACKS: dict[str, tuple[Attack, Fault]] = {
    **{
        f"{column} changed": (
            run(f"UPDATE audit_entry SET {column} = {value} WHERE seq = 5"),
            Fault(5, Kind.CONTENT),
        )
        for column, value in {
            "occurred_ms": "occurred_ms + 1",
            "actor_id": "7",
            "actor_label": "'x'",
            "target_label": "'x'",
            "changes": "'{}'",
            "details": """'{"a": 1}'""",
            "outcome": "'denied'",
            "ip": "'192.0.2.1'",
            "hash": "prev_hash",
        }.items()
    },
    "text moved to the next field": (
        run("UPDATE audit_entry SET target_type = 'use', target_id = 'r5' WHERE seq = 5"),
        Fault(5, Kind.CONTENT),
    ),
    "deleted": (run("DELETE FROM audit_entry WHERE seq = 5"), Fault(5, Kind.GAP)),
    "deleted, and the others renumbered": (
        run(
            "DELETE FROM audit_entry WHERE seq = 5",
            "UPDATE audit_entry SET seq = -seq WHERE seq > 5",
            "UPDATE audit_entry SET seq = -seq - 1 WHERE seq < 0",
        ),
        Fault(5, Kind.LINK),
    ),
    "swapped": (
        run(
            "UPDATE audit_entry SET seq = 99 WHERE seq = 5",
            "UPDATE audit_entry SET seq = 5 WHERE seq = 6",
            "UPDATE audit_entry SET seq = 6 WHERE seq = 99",
        ),
        Fault(5, Kind.LINK),
    ),
    "inserted": (
        run(
            "UPDATE audit_entry SET seq = -seq WHERE seq > 5",
            "UPDATE audit_entry SET seq = -seq + 1 WHERE seq < 0",
            copy("6"),
        ),
        Fault(6, Kind.LINK),
    ),
    "inserted outside the chain": (run(copy("NULL")), Fault(0, Kind.OUTSIDE)),
    "the first deleted": (run("DELETE FROM audit_entry WHERE seq = 1"), Fault(1, Kind.GAP)),
    "the first deleted with a checkpoint that no entry knows": (
        run(
            "INSERT INTO audit_checkpoint (to_seq, last_hash, to_id, made_ms) "
            "SELECT 3, hash, 0, 0 FROM audit_entry WHERE seq = 3",
            "DELETE FROM audit_entry WHERE seq <= 3",
        ),
        Fault(3, Kind.GAP),
    ),
    "the tail cut": (run("DELETE FROM audit_entry WHERE seq > 7"), Fault(8, Kind.CUT)),
    "all deleted": (run("DELETE FROM audit_entry"), Fault(1, Kind.CUT)),
    "all written anew": (rewrite(5), Fault(9, Kind.REWRITTEN)),
}


@pytest.mark.own_database
@pytest.mark.parametrize("name", ATTACKS)
def test_what_is_changed_below_the_product_is_named(db: peewee.Database, name: str) -> None:
    attack, fault = ATTACKS[name]
    write(9)
    seal = chain.head()
    assert verify.walk([seal]) == (1, seal, 9, 0, 1, None, 0)
    without_triggers(db)
    attack(db)
    assert verify.walk([seal]).fault == fault
    if fault.kind in (Kind.CUT, Kind.REWRITTEN):  # which only the seal knows
        assert verify.walk().fault is None


@pytest.mark.own_database
def test_tail_that_was_cut_and_continued_shows_by_its_seal(db: peewee.Database) -> None:
    write(9)
    seal = chain.head()
    without_triggers(db)
    db.execute_sql("DELETE FROM audit_entry WHERE seq > 7")
    write(4, first=20)
    assert verify.walk().fault is None
    assert verify.walk([seal]).fault == Fault(9, Kind.REWRITTEN)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit_entry SET actor_label = 'x'",
        "DELETE FROM audit_entry WHERE seq = 2",
        "UPDATE audit_checkpoint SET to_seq = 9",
        "DELETE FROM audit_checkpoint",
        "TRUNCATE audit_entry",
        "TRUNCATE audit_checkpoint",
    ],
)
def test_database_refuses_changes(db: peewee.Database, sql: str) -> None:
    if sql.startswith("TRUNCATE") and isinstance(db, peewee.SqliteDatabase):
        pytest.skip("SQLite has no TRUNCATE")
    write(3)
    AuditCheckpoint.create(to_seq=1, last_hash="", to_id=0, made_ms=0)
    with pytest.raises(peewee.DatabaseError, match=REFUSED), db.atomic():
        db.execute_sql(sql)
    assert AuditEntry.select().count() == 3


def test_parts_of_the_chain_verify_alone(db: peewee.Database) -> None:
    write(9)
    progress: list[tuple[int, int]] = []
    whole = verify.walk(progress=lambda done, total: progress.append((done, total)))
    assert progress == []  # fewer than a piece
    part = verify.walk([whole.last], 4, 6)
    assert (part.first, part.last.seq, part.entries, part.seals, part.fault) == (4, 6, 3, 0, None)


def test_pieces_and_progress(db: peewee.Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "PIECE", 4)
    write(10)
    progress: list[tuple[int, int]] = []
    result = verify.walk(progress=lambda done, total: progress.append((done, total)))
    assert (result.entries, result.fault, progress) == (10, None, [(4, 10), (8, 10)])


def test_entry_of_a_change_that_is_rolled_back_leaves_no_gap(db: peewee.Database) -> None:
    write(2)
    with db.atomic() as transaction:
        write(3, first=3)
        transaction.rollback()
    write(2, first=3)
    assert [row.seq for row in AuditEntry.select().order_by(AuditEntry.id)] == [1, 2, 3, 4]
    assert verify.walk().fault is None


@pytest.mark.parametrize("text", ["\0", "\ud800", "a:5:b", "高橋", "'; DROP TABLE x; --", "🙂" * 200])
def test_any_text_is_hashed_as_it_is_stored(db: peewee.Database, text: str) -> None:
    record.record("test.done", "u", ("thing", 1, text), {"name": (None, text)}, {"note": text, "n": 1e300})
    assert verify.walk().fault is None
