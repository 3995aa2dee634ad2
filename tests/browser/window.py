"""How the tests look at a site: as whom, in what light, and what the browser complains of meanwhile."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response

from tests.test_start import Started

SIGN_IN = re.compile(r"^Sign in as (\S+) with the password (\S+) ", re.MULTILINE)
TAGS = {"en": "en-GB", "cs": "cs-CZ", "ja": "ja-JP"}
WAIT_MS = 20_000  # a busy machine; every wait ends as soon as what it waits for is there
HEIGHT = 900


class View(NamedTuple):
    """How somebody looks at the pages."""

    width: int = 1440
    scheme: str = "light"
    locale: str = "en"

    def __str__(self) -> str:
        return f"{self.width}-{self.scheme}-{self.locale}"


ZONE = "Europe/Prague"  # of the site
DESK = View()
PHONE = View(width=390)


@dataclass
class Site:
    """A running server, its database, passwords by login, and the tokens of those who have signed in."""

    running: Started
    database: Path
    passwords: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return self.running.address

    @property
    def url(self) -> str:
        return f"sqlite:///{self.database}"

    def find(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Return what the database holds, by a connection of our own."""
        connection = sqlite3.connect(self.database)
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()

    def can_write(self) -> bool:
        """Say whether nobody holds the database's write lock."""
        connection = sqlite3.connect(self.database, timeout=0.2, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        except sqlite3.OperationalError:
            return False
        finally:
            connection.close()
        return True

    def ident(self, sql: str, *values: object) -> int:
        return int(self.find(sql, *values)[0][0])


class Tab(NamedTuple):
    """A page in a context of its own, and what the browser has complained of so far."""

    page: Page
    problems: list[str]

    def go(self, path: str) -> int:
        """Open `path` and return the status of the answer."""
        answer = self.page.goto(path)
        assert answer is not None
        return answer.status


Open = Callable[..., Tab]


def last_week() -> str:
    """Return the query of novakova's last week, whose list has several pages whatever day it is."""
    day = datetime.now(ZoneInfo(ZONE)).date() - timedelta(days=7)
    return f"user=novakova&unit=week&date={day}&rows=1"


def fullest_day(site: Site) -> date:
    """Return the date on which novakova has most activities; on some days she does not work."""
    day = site.find(
        "SELECT date(a.start_ts, 'unixepoch') FROM activity a JOIN user u ON u.id = a.user_id "
        "WHERE u.login = 'novakova' GROUP BY 1 ORDER BY COUNT(*) DESC LIMIT 1"
    )[0][0]
    return date.fromisoformat(day)


def look(browser: Browser, site: Site, view: View, scripts: bool = True) -> BrowserContext:
    """Return a context that sees the site as `view` says, with nobody signed in."""
    context = browser.new_context(
        base_url=site.address,
        viewport={"width": view.width, "height": HEIGHT},
        color_scheme="dark" if view.scheme == "dark" else "light",
        locale=TAGS[view.locale],
        java_script_enabled=scripts,
        reduced_motion="reduce",
    )
    context.set_default_timeout(WAIT_MS)
    return context


def signed_in(browser: Browser, site: Site, login: str) -> list[Any]:
    """Return the cookies of a session of `login`, from one sign-in by the form."""
    if login not in site.tokens:
        context = look(browser, site, DESK)
        page = context.new_page()
        page.goto("/sign-in")
        fill_sign_in(page, login, site.passwords[login])
        site.tokens[login] = [one for one in context.cookies() if one["name"] == "stopa"]
        context.close()
        assert site.tokens[login], f"{login} could not sign in"
    return site.tokens[login]


def fill_sign_in(page: Page, login: str, password: str) -> None:
    page.fill("input[name=login]", login)
    page.fill("input[name=password]", password)
    page.locator("main form button").click()
    page.wait_for_load_state()


def watched(page: Page) -> Tab:
    """Return the tab of `page`, whose problems are those of scripts, of the policy and of missing parts.

    The status of the page itself and of a fragment is for the test to look at.
    """
    problems: list[str] = []

    def said(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            problems.append(f"{page.url}: {message.text}")

    def answered(answer: Response) -> None:
        asked = answer.request
        if answer.status >= 400 and not asked.is_navigation_request() and "hx-request" not in asked.headers:
            problems.append(f"{page.url}: {answer.url} answers {answer.status}")

    page.on("console", said)
    page.on("pageerror", lambda error: problems.append(f"{page.url}: {error}"))
    page.on("response", answered)
    return Tab(page, problems)
