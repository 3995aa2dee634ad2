"""The tests' ground: two databases, each test on a freshly migrated one, and the application on it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import peewee
import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from playhouse.pool import PooledDatabase

from dashboard.db import database, migrate, open_database
from dashboard.settings import Settings
from tests import postgres

BACKENDS = ["sqlite", "postgresql"]
SECRET = "0" * 32

# A noisy machine must not fail a property for its speed; the same examples are tried every time.
hypothesis.settings.register_profile("stopa", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("stopa")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a real server, started when the first test asks for it."""
    with postgres.server() as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database file to copy."""
    path = tmp_path_factory.mktemp("template") / "stopa.db"
    _migrated(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> str:
    """Name of a migrated database to copy."""
    _administer(postgres_server, "CREATE DATABASE migrated")
    _migrated(f"{postgres_server}/migrated")
    return "migrated"


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """sqlite, then postgresql: whatever uses it, directly or not, runs on both."""
    name: str = request.param
    return name


@pytest.fixture
def empty_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a database without any table."""
    if backend == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
    else:
        yield from _copy(request.getfixturevalue("postgres_server"), "template1", "empty")


@pytest.fixture
def db_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a freshly migrated database, for this test alone; give it to processes that a test starts."""
    if backend == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "stopa.db")
        yield f"sqlite:///{tmp_path / 'stopa.db'}"
    else:
        server = request.getfixturevalue("postgres_server")
        yield from _copy(server, request.getfixturevalue("postgres_template"), "test")


@pytest.fixture
def db(db_url: str) -> Iterator[peewee.Database]:
    """The freshly migrated database, open and connected; every model points at it, and a worker in this
    process does all that the application has to do."""
    from dashboard import registry  # here: tests of pure modules start without Flask's packages

    registry.register_work()
    opened = open_database(db_url)
    opened.connect()
    yield opened
    _close(opened)


@pytest.fixture
def settings(db_url: str) -> Settings:
    return Settings(database=db_url, secret_key=SECRET)


@pytest.fixture
def app(db: peewee.Database, settings: Settings) -> Iterator[Flask]:
    """The application on `db`. Forms need no token here; the tests of tokens turn them on again."""
    from dashboard import create_app  # here: tests of pure modules start without Flask's rooms

    made = create_app(settings)
    made.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    opened = database.obj
    opened.connect(reuse_if_open=True)
    yield made
    if opened is not db:
        _close(opened)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def _migrated(url: str) -> None:
    opened = open_database(url)
    opened.connect()
    migrate.run(opened)
    _close(opened)


def _close(opened: peewee.Database) -> None:
    if not opened.is_closed():
        opened.close()
    if isinstance(opened, PooledDatabase):
        opened.close_all()


def _copy(server: str, template: str, name: str) -> Iterator[str]:
    _administer(server, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")  # twice as fast
    try:
        yield f"{server}/{name}"
    finally:
        _administer(server, f"DROP DATABASE {name} WITH (FORCE)")


def _administer(server: str, sql: str) -> None:
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(sql)
