"""What managers ask, played from Home without scripts: each answer in a few clicks and inputs."""

from __future__ import annotations

import csv
import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.window import ZONE, Open, Site


@dataclass
class Walk:
    """A visit that starts at Home and counts what the visitor clicks, fills in and chooses."""

    page: Page
    site: Site
    clicks: int = 0
    inputs: int = 0

    def click(self, target: Locator) -> None:
        self.clicks += 1
        target.click()
        self.page.wait_for_load_state()

    def section(self, name: str) -> None:
        self.click(self.page.locator("#nav").get_by_role("link", name=name, exact=True))

    def link(self, name: str | re.Pattern[str], within: str = "main") -> None:
        self.click(self.page.locator(within).get_by_role("link", name=name).first)

    def button(self, name: str) -> None:
        self.click(self.page.locator("main").get_by_role("button", name=name, exact=True).first)

    def choose(self, label: str, option: str) -> None:
        self.inputs += 1
        found = self.page.locator("main label").filter(has_text=label).locator("select")
        found.first.select_option(label=option)

    def fill(self, label: str, text: str) -> None:
        self.inputs += 1
        self.page.get_by_label(label, exact=True).first.fill(text)

    def saved(self, name: str) -> Path:
        """Click a link to a file and return the file."""
        with self.page.expect_download() as found:
            self.clicks += 1
            self.page.locator("main").get_by_role("link", name=name).first.click()
        return Path(found.value.path())


def last_week() -> tuple[int, int]:
    """Return the first second of last week and of this week."""
    now = datetime.now(ZoneInfo(ZONE))
    monday = datetime(now.year, now.month, now.day, tzinfo=ZoneInfo(ZONE)) - timedelta(days=now.weekday())
    return int((monday - timedelta(days=7)).timestamp()), int(monday.timestamp())


def who_is_on_a_pause_too_long(walk: Walk) -> None:
    alarm = walk.page.locator("#attention li").filter(has_text="Pause over its limit").first
    expect(alarm).to_contain_text(re.compile(r"\d:\d\d:\d\d of \d:\d\d:\d\d"))


def what_one_person_did_yesterday_by_the_hour(walk: Walk) -> None:
    walk.link("Petra Nováková", "#team")
    walk.link("Previous day")
    walk.link("Minutes")
    yesterday = datetime.now(ZoneInfo(ZONE)).date() - timedelta(days=1)
    assert f"date={yesterday}" in walk.page.url
    expect(walk.page.get_by_role("region", name="Overview Petra Nováková")).to_be_visible()


def how_many_calls_were_abandoned_last_week(walk: Walk) -> None:
    walk.section("Figures")
    walk.link("Previous period")
    number = walk.site.ident(
        "SELECT count(*) FROM interaction WHERE outcome = 'abandoned' AND queued_ts >= ? AND queued_ts < ?",
        *last_week(),
    )
    expect(walk.page.locator("main").get_by_role("link", name=str(number), exact=True).first).to_be_visible()


def last_month_for_payroll_in_one_file(walk: Walk) -> None:
    walk.section("People")
    walk.link("Attendance")
    walk.choose("Period", "Last 30 days")  # the demonstration has no whole month before
    walk.button("Show")
    rows = list(csv.DictReader(walk.saved("CSV export").read_text("utf-8-sig").splitlines()))
    people = {row["User"] for row in rows}
    assert len(people) >= 11
    assert len(rows) > 5 * len(people)  # a row a person and day


def why_a_call_was_not_answered(walk: Walk) -> None:
    walk.section("Figures")
    walk.link(re.compile(r"^\d+$"), "table td:nth-child(5)")
    walk.link(re.compile("."), "tbody tr:first-child")
    expect(walk.page.locator(".say")).to_contain_text("gave up")


def who_spoke_with_a_number(walk: Walk) -> None:
    spoken = "FROM contact c JOIN activity a ON a.contact_id = c.id JOIN user u ON u.id = a.user_id"
    closed = "a.closed_ts IS NOT NULL AND c.phone <> ''"
    (number,) = walk.site.find(f"SELECT c.phone {spoken} WHERE {closed} ORDER BY a.start_ts DESC LIMIT 1")[0]
    with unmasked(walk.site):
        walk.fill("Search everything", number)
        walk.page.keyboard.press("Enter")
        walk.page.wait_for_load_state()
        walk.click(walk.page.locator("main .feed a.name").first)
    # Meanwhile others of the demonstration may speak with the same number.
    names = [name for (name,) in walk.site.find(f"SELECT u.name {spoken} WHERE c.phone = '{number}'")]
    expect(walk.page.locator("main")).to_contain_text(re.compile("|".join(names)))


@contextmanager
def unmasked(site: Site) -> Iterator[None]:
    """Give administrators the right to contact details, which the demonstration's roles lack."""
    stored: str = site.find("SELECT permissions FROM access WHERE name = 'Administrator'")[0][0]
    _permit(site, json.dumps([*json.loads(stored), "pii.unmask"]))
    try:
        yield
    finally:
        _permit(site, stored)


def _permit(site: Site, permissions: str) -> None:
    with closing(sqlite3.connect(site.database, timeout=20)) as connection, connection:
        connection.execute("UPDATE access SET permissions = ? WHERE name = 'Administrator'", (permissions,))


def how_the_team_compares_yesterday(walk: Walk) -> None:
    walk.section("People")
    walk.link("Team day")
    walk.link(re.compile("^Previous day"))
    for heading in ("Handled", "Occupancy", "Pauses"):
        expect(walk.page.get_by_role("columnheader", name=heading)).to_be_visible()


def change_my_password(walk: Walk) -> None:
    walk.click(walk.page.locator("#nav summary"))
    walk.link("My account", "#nav")
    expect(walk.page.get_by_label("New password", exact=True)).to_be_visible()


TASKS: dict[Callable[[Walk], None], tuple[int, int]] = {  # clicks and inputs at most
    who_is_on_a_pause_too_long: (0, 0),
    what_one_person_did_yesterday_by_the_hour: (3, 0),
    how_many_calls_were_abandoned_last_week: (2, 0),
    last_month_for_payroll_in_one_file: (4, 1),
    why_a_call_was_not_answered: (3, 0),
    who_spoke_with_a_number: (1, 1),
    how_the_team_compares_yesterday: (3, 0),
    change_my_password: (2, 0),
}


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.__name__)
def test_a_question_takes_few_clicks(task: Callable[[Walk], None], open_as: Open, site: Site) -> None:
    page = open_as("admin", scripts=False).page
    page.goto("/")
    walk = Walk(page, site)
    task(walk)
    clicks, inputs = TASKS[task]
    assert (walk.clicks <= clicks, walk.inputs <= inputs) == (True, True), (walk.clicks, walk.inputs)
