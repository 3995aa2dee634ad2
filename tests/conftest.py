"""Fixtures of all tests: an empty migrated database for each test, and the application on it.

An application takes 70 ms to make and its first page up to 170 ms more, so each test process makes one;
`app` gives it the database and the settings of the test. What a process remembers of rows is kept by
database object, and every test opens one of its own.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import peewee
import pytest
from flask import Flask
from flask.testing import FlaskClient
from playhouse.pool import PooledDatabase
from xdist.scheduler import LoadFileScheduling

from dashboard.db import database, migrate, open_database, sealed
from dashboard.settings import Settings
from tests import postgres

BOTH = ["sqlite", "postgresql"]
VIEW_ID = re.compile(r"\d+-(?:light|dark)-[a-z]+")
SECRET = "0" * 32

# A noisy machine must not fail a property for its speed; the same examples are tried every time.
hypothesis.settings.register_profile("stopa", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("stopa")


def pytest_addoption(parser: pytest.Parser) -> None:
    options = parser.getgroup("Stopa")
    options.addoption("--all", action="store_true", help="everything on both databases, pages in every view")
    options.addoption("--fast", action="store_true", help="on SQLite only, without the browser")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    fast = config.getoption("fast")
    return True if fast and collection_path == Path(__file__).parent / "browser" else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what uses a database on SQLite; on PostgreSQL what is marked so, and everything with --all."""
    given = {mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")}
    if "backend" in metafunc.fixturenames and "backend" not in given:
        both = metafunc.definition.get_closest_marker("both_databases") or metafunc.config.getoption("all")
        metafunc.parametrize("backend", BOTH if both else BOTH[:1], indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("fast"):
        slow = [item for item in items if _backend(item) == "postgresql"]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if _backend(item) != "postgresql"]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling:
    return ByFile(config, log)


class ByFile(LoadFileScheduling):
    """Gives each worker whole files, and of the pages in the browser all that are seen in one view."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        view = VIEW_ID.search(nodeid) if file.endswith("browser/test_pages.py") else None
        return f"{file} {view.group()}" if view else file


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
    postgres.administer(postgres_server, "CREATE DATABASE migrated")
    _migrated(f"{postgres_server}/migrated")
    return "migrated"


@pytest.fixture(scope="session")
def reused_database(postgres_server: str, postgres_template: str) -> postgres.Reused:
    """The PostgreSQL database that the tests of this process use one after the other."""
    return postgres.Reused(postgres_server, postgres_template, "reused")


@pytest.fixture(scope="session")
def process_app() -> Flask:
    """The application of this process; its database and settings are those of the test that uses it."""
    return _application(Settings(database="sqlite:///:memory:", secret_key=SECRET))


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> str:
    """Name of the database of this test; see pytest_generate_tests()."""
    name: str = request.param
    return name


@pytest.fixture
def empty_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a database without any table."""
    if backend == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
    else:
        yield from postgres.copied(request.getfixturevalue("postgres_server"), "template1", "empty")


@pytest.fixture
def db_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a migrated database without rows, for this test alone; give it to processes that a test starts.

    A test that changes tables or the database's own settings is marked `own_database`.
    """
    if backend == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "stopa.db")
        yield f"sqlite:///{tmp_path / 'stopa.db'}"
    elif request.node.get_closest_marker("own_database"):
        server = request.getfixturevalue("postgres_server")
        yield from postgres.copied(server, request.getfixturevalue("postgres_template"), "own")
    else:
        reused: postgres.Reused = request.getfixturevalue("reused_database")
        reused.empty()
        yield reused.url


@pytest.fixture
def db(db_url: str) -> Iterator[peewee.Database]:
    """The freshly migrated database, open and connected; every model points at it, and a worker in this
    process does all that the application has to do."""
    from dashboard import registry  # here: tests of pure modules start without Flask's packages

    registry.register_work()
    sealed.use_key(SECRET)
    opened = open_database(db_url)
    opened.connect()
    yield opened
    _close(opened)


@pytest.fixture
def settings(db_url: str) -> Settings:
    return Settings(database=db_url, secret_key=SECRET)


@pytest.fixture
def app(process_app: Flask, db: peewee.Database, settings: Settings) -> Iterator[Flask]:
    """The application on `db`. Forms need no token here; the tests of tokens turn them on again."""
    config = dict(process_app.config)
    process_app.config["STOPA"] = settings
    _use(process_app, db)
    yield process_app
    process_app.config.clear()
    process_app.config.update(config)


@pytest.fixture
def new_app(db: peewee.Database, settings: Settings) -> Flask:
    """An application of the test's own on `db`, to which it may add routes."""
    made = _application(settings)
    _use(made, db)
    return made


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def _backend(item: pytest.Item) -> str | None:
    spec = getattr(item, "callspec", None)
    return None if spec is None else spec.params.get("backend")


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


def _application(settings: Settings) -> Flask:
    from dashboard import create_app  # here: tests of pure modules start without Flask

    made = create_app(settings)
    made.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    return made


def _use(app: Flask, db: peewee.Database) -> None:
    """Make `db` the database of the models, and `app` with its settings what worker and deliveries use."""
    from dashboard.jobs import worker
    from dashboard.notify import deliver

    database.initialize(db)
    worker.init(app)
    deliver.init(app)
