"""The first visit to an empty site: the page for the first administrator, and how it leads on."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.rounds import VIEWS, seen, send
from tests.browser.window import DESK, Site, View, look, watched
from tests.test_start import SERVER, started

PASSWORD = "correct horse battery"
CODE = re.compile(r"One-time code to create the first administrator: (\S+)")


@pytest.fixture(scope="module")
def empty(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that nobody has signed in to yet."""
    path = tmp_path_factory.mktemp("empty") / "stopa.db"
    shutil.copy(sqlite_template, path)
    with started(SERVER, f"sqlite:///{path}") as running:
        yield Site(running, path)


@pytest.mark.parametrize("view", VIEWS, ids=str)
def test_the_page_is_clean_as_it_comes_and_with_errors(view: View, browser: Browser, empty: Site) -> None:
    context = look(browser, empty, view)
    tab = watched(context.new_page())
    status = tab.go("/")
    assert tab.page.url == f"{empty.address}/setup"
    fresh = seen(tab, status)
    refused = seen(tab, send(tab.page, {"code": "wrong", "login": "", "password": "short"}))
    for visit in (fresh, refused):
        assert (visit.violations, visit.problems, visit.wider, visit.lang) == ([], [], 0, view.locale)
    assert (fresh.status, refused.status) == (200, 422)
    context.close()


def test_the_code_makes_an_administrator_who_is_signed_in_to_the_checklist(
    browser: Browser, empty: Site
) -> None:
    found = CODE.search(empty.running.said)
    assert found is not None
    context = look(browser, empty, DESK)
    tab = watched(context.new_page())
    tab.go("/")
    typed = {"code": found[1], "login": "first", "name": "First One", "password": PASSWORD}
    send(tab.page, typed)
    assert tab.page.url == f"{empty.address}/"
    for path in ("/", "/tracing", "/users", "/figures", "/teams", "/queues", "/pauses"):
        visit = seen(tab, tab.go(path))
        assert (visit.status, visit.violations, visit.problems, visit.wider) == (200, [], [], 0), path
    context.close()
