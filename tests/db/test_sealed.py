"""Secrets in the database cannot be read without the secret key."""

from __future__ import annotations

import json
from pathlib import Path

import peewee
import pytest
from playhouse.migrations import Runner

from dashboard.db import migrate, open_database, sealed
from dashboard.models import Channel
from tests.conftest import SECRET

pytestmark = pytest.mark.both_databases

TEXTS = ["", "a!", "whsec_ěščř", "x" * 5000, sealed.PREFIX]


@pytest.mark.parametrize("text", TEXTS)
def test_sealed_text_is_opened_by_the_same_key_only(text: str) -> None:
    sealed.use_key(SECRET)
    closed = sealed.seal(text)
    assert sealed.unseal(closed) == text
    assert not text or (closed != sealed.seal(text) and text not in closed.removeprefix(sealed.PREFIX))
    sealed.use_key("another key")
    assert (sealed.unseal(closed) is sealed.LOST) == bool(text)
    sealed.use_key(SECRET)


@pytest.mark.parametrize("changed", ["plain text", sealed.PREFIX, sealed.PREFIX + "AAAA"])
def test_text_that_was_not_sealed_is_lost(changed: str) -> None:
    sealed.use_key(SECRET)
    assert sealed.unseal(changed) is sealed.LOST
    closed = sealed.seal("secret")
    letter = "B" if closed[-5] == "A" else "A"
    assert sealed.unseal(closed[:-5] + letter + closed[-4:]) is sealed.LOST


SECRETS = {"address": "https://example.com/topsecret", "secret": "whsec_abc", "headers": {"X-Key": "h1dden"}}


def stored(db: peewee.Database) -> str:
    """Return the channels as the database holds them."""
    return json.dumps([list(map(str, row)) for row in db.execute_sql("select * from channel").fetchall()])


def test_secrets_of_channels_are_sealed_in_the_database(db: peewee.Database) -> None:
    Channel.create(name="Desk", kind="webhook", created_ts=0, **SECRETS)
    assert not any(word in stored(db) for word in ("topsecret", "whsec_abc", "h1dden", "X-Key"))
    row = Channel.get()
    assert {name: getattr(row, name) for name in SECRETS} == SECRETS
    assert not row.lost
    sealed.use_key("another key")
    assert Channel.get().lost


def test_secrets_of_an_older_version_are_sealed_by_the_migration(empty_url: str) -> None:
    sealed.use_key(SECRET)
    db = open_database(empty_url)
    with db.connection_context():
        Runner(db, str(migrate.DIRECTORY)).up("0016_zone_names")
        mark = db.param
        db.execute_sql(
            "insert into channel (name, kind, address, secret, headers, ordered, active, disabled_reason,"
            f" failures, created_ts, version) values ('Desk', 'webhook', {mark}, {mark}, {mark}, {mark},"
            f" {mark}, '', 0, 0, 1)",
            (SECRETS["address"], SECRETS["secret"], json.dumps(SECRETS["headers"]), False, True),
        )
        migrate.run(db)
        assert "topsecret" not in stored(db)
        row = Channel.get()
        assert {name: getattr(row, name) for name in SECRETS} == SECRETS
    if isinstance(db, peewee.SqliteDatabase):
        assert b"topsecret" not in Path(str(db.database)).read_bytes()
    else:
        db.close_all()
