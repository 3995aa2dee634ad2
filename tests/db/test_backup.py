"""A copy taken in use holds what was acknowledged, and comes back whole."""

from __future__ import annotations

from pathlib import Path

import peewee
import pytest

from dashboard.db import backup
from dashboard.models import Queue
from tests import make

pytestmark = pytest.mark.both_databases


@pytest.mark.own_database
def test_restore_returns_the_content_at_backup_time(db: peewee.Database, db_url: str, tmp_path: Path) -> None:
    make.queue("before")
    backup.save(db_url, tmp_path / "copy")
    make.queue("after")
    db.close()
    backup.restore(db_url, tmp_path / "copy")
    db.connect(reuse_if_open=True)
    assert [row.name for row in Queue.select()] == ["before"]


def test_backup_does_not_overwrite_files(db: peewee.Database, db_url: str, tmp_path: Path) -> None:
    (tmp_path / "copy").write_text("kept")
    with pytest.raises(backup.BackupError, match="already exists"):
        backup.save(db_url, tmp_path / "copy")
    assert (tmp_path / "copy").read_text() == "kept"


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + bytes(100)])
def test_damaged_backup_is_rejected_and_changes_nothing(
    db: peewee.Database, db_url: str, tmp_path: Path, content: bytes
) -> None:
    make.queue("kept")
    (tmp_path / "copy").write_bytes(content)
    with pytest.raises(backup.BackupError):
        backup.restore(db_url, tmp_path / "copy")
    assert [row.name for row in Queue.select()] == ["kept"]
