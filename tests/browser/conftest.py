"""A real server with the demonstration's people, and a real browser that looks at it.

Whatever the browser complains of fails the test in which it happened: errors of scripts, refusals by the
content policy, parts of a page that do not load.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from dashboard.settings import ROOT
from tests.browser.portal import Portal, Visitor, portal
from tests.browser.rounds import VIEWS, Rounds, Visit, pages
from tests.browser.window import DESK, SIGN_IN, ZONE, Open, Site, Tab, View, look, signed_in, watched
from tests.test_start import SERVER, environment, started, until

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FLASK = [sys.executable, "-m", "flask", "--app", "wsgi"]
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
VISITOR_AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
)
KEPT = ["--disable-back-forward-cache"]  # what Playwright switches off
# Pages that show the present day or week.
DATED = {
    "home",
    "home of an agent",
    "home of a team lead",
    "day",
    "week",
    "own day of an agent",
    "queue figures",
}
# The fixtures of visits and the views in which they are made.
VISITS = {"visit": VIEWS, "translated_visit": VIEWS[1:], "japanese_visit": VIEWS[2:]}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Look at each page in one view, the views by turns; with --all at each page in every view."""
    for fixture, views in VISITS.items():
        if fixture in metafunc.fixturenames:
            every = metafunc.config.getoption("all")
            cases = [
                pytest.param(
                    (name, view), id=f"{name}-{view}", marks=[pytest.mark.dated] if name in DATED else []
                )
                for view in views
                for name in pages(view, every)
            ]
            metafunc.parametrize(fixture, cases, indirect=True)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The demonstration up to this minute, which does not go on, served by a process of its own."""
    path = tmp_path_factory.mktemp("site") / "demo.db"
    url = f"sqlite:///{path}"
    said = subprocess.run(
        [*FLASK, "demo"],
        check=True,
        cwd=ROOT,
        env=environment(url, STOPA_TIMEZONE=ZONE),
        capture_output=True,
        text=True,
    ).stdout
    with started(SERVER, url, STOPA_TIMEZONE=ZONE) as running:
        until(running.workers)
        yield Site(running, path, dict(SIGN_IN.findall(said)))
        workers = running.workers()
        running.process.kill()
        for worker in workers:  # which would end its job first
            os.kill(worker, signal.SIGKILL)


@pytest.fixture(scope="package")
def rounds(browser: Browser, site: Site, pytestconfig: pytest.Config) -> Iterator[Rounds]:
    made = Rounds(browser, site, pytestconfig.getoption("all"))
    yield made
    made.close()


@pytest.fixture
def visit(request: pytest.FixtureRequest, rounds: Rounds) -> Visit:
    """What a page was like; a test that uses it runs for every page."""
    return rounds.visit(*request.param)


@pytest.fixture
def translated_visit(request: pytest.FixtureRequest, rounds: Rounds) -> Visit:
    """The same in another language than English."""
    return rounds.visit(*request.param)


@pytest.fixture
def japanese_visit(request: pytest.FixtureRequest, rounds: Rounds) -> Visit:
    return rounds.visit(*request.param)


@pytest.fixture
def open_as(browser: Browser, site: Site) -> Iterator[Open]:
    """Open tabs: `open_as("admin", View(390, "dark", "cs"))`; without a login nobody is signed in."""
    contexts: list[BrowserContext] = []
    tabs: list[Tab] = []

    def opened(login: str = "", view: View = DESK, scripts: bool = True) -> Tab:
        context = look(browser, site, view, scripts)
        contexts.append(context)
        if login:
            context.add_cookies(signed_in(browser, site, login))
        tabs.append(watched(context.new_page()))
        return tabs[-1]

    yield opened
    for context in contexts:
        context.close()
    assert [problem for tab in tabs for problem in tab.problems] == []


@pytest.fixture(scope="package")
def served(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    database = shutil.copy(sqlite_template, tmp_path_factory.mktemp("portal") / "stopa.db")
    with portal(str(database)) as found:
        yield found


@pytest.fixture(scope="package")
def portal_browser(browser: Browser) -> Iterator[Browser]:
    """A browser that keeps the pages which one goes back to."""
    kind = browser.browser_type
    named = [*ARGUMENTS, f"--user-agent={VISITOR_AGENT}"]  # also of what pages send while they are left
    found = kind.launch(executable_path=CHROMIUM, args=named, ignore_default_args=KEPT)
    yield found
    found.close()


@pytest.fixture
def visitor(portal_browser: Browser, served: Portal) -> Iterator[Any]:
    """Return a function that makes a visitor."""
    made: list[Visitor] = []

    def come(script: str = "", **look: Any) -> Visitor:
        made.append(Visitor(portal_browser, served, script, **look))
        return made[-1]

    yield come
    for each in made:
        each.context.close()
    assert [text for each in made for texts in each.problems for text in texts] == []
