"""With scripts a page changes in place: what changes, what stays, what the address and the title say."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
from datetime import UTC, date, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from dashboard.settings import ROOT
from tests.browser.window import Open, Site, Tab, fullest_day, last_week
from tests.test_start import environment, until

TRACE = "/tracing?user=novakova"
# What of the page was there before: a whole page that was fetched anew has lost the mark.
MARK = "() => { document.querySelector('h1').dataset.old = '1'; }"


@pytest.fixture
def tab(open_as: Open) -> Tab:
    return open_as("admin")


def marked(page: Page) -> bool:
    return page.locator("h1").get_attribute("data-old") == "1"


def day_before(page: Page) -> str:
    return (date.fromisoformat(page.input_value("#date")) - timedelta(days=1)).isoformat()


def test_another_date_fills_the_result_and_everything_that_speaks_of_the_date(tab: Tab, site: Site) -> None:
    tab.go(f"{TRACE}&date={fullest_day(site) + timedelta(days=1)}")
    page, title = tab.page, tab.page.title()
    page.evaluate(MARK)
    earlier = day_before(page)
    page.focus("#date")
    page.fill("#date", earlier)
    page.wait_for_url(f"**date={earlier}*")
    expect(page.locator("#live")).to_contain_text("activities")
    assert marked(page)
    assert page.evaluate("document.activeElement.id") == "date"
    assert page.title() != title
    two_before = (date.fromisoformat(earlier) - timedelta(days=1)).isoformat()
    for link in ("#step-back", "#views a"):
        address = page.locator(link).first.get_attribute("href") or ""
        assert (two_before if link == "#step-back" else earlier) in address
    exports = [one.get_attribute("href") or "" for one in page.locator("#activities .ph .btn").all()[:3]]
    assert len(exports) == 3
    assert all(f"date={earlier}" in address for address in exports)


def test_another_user_fills_the_result_and_keeps_the_focus(tab: Tab) -> None:
    tab.go(TRACE)
    page = tab.page
    page.evaluate(MARK)
    page.focus("#user")
    page.select_option("#user", "lead")
    page.wait_for_url("**user=lead*")
    expect(page.locator("#result h2").first).to_contain_text("Tomáš Dvořák")
    assert marked(page)
    assert page.evaluate("document.activeElement.id") == "user"
    assert "Tomáš Dvořák" in page.title()


def test_going_back_brings_the_whole_page_of_before(tab: Tab) -> None:
    tab.go(TRACE)
    page = tab.page
    today, earlier = page.input_value("#date"), day_before(page)
    page.fill("#date", earlier)
    page.wait_for_url(f"**date={earlier}*")
    expect(page.locator("#live")).to_contain_text("activities")
    page.go_back()
    expect(page.locator("#date")).to_have_value(today)
    assert [page.locator(part).count() for part in ("h1", "#nav", "#result", "#activities")] == [1, 1, 1, 1]


@pytest.mark.parametrize("part", [".chip >> nth=1", ".pg a[rel=next]", "thead a >> nth=0"])
def test_a_link_of_the_list_fills_the_list_alone(part: str, tab: Tab) -> None:
    tab.go(f"/tracing?{last_week()}")
    page = tab.page
    page.evaluate("() => { document.querySelector('#ov').dataset.old = '1'; }")
    before = page.url
    with page.expect_response(lambda answer: answer.request.headers.get("hx-target") == "activities"):
        page.locator(f"#activities {part}").click()
    page.wait_for_url(lambda url: url != before)
    expect(page.locator("#activities .tw")).to_be_focused()
    assert page.locator("#ov").get_attribute("data-old") == "1"
    assert page.locator("#activities").count() == 1


def test_a_list_of_settings_is_narrowed_while_the_field_keeps_the_focus(tab: Tab) -> None:
    tab.go("/users")
    page = tab.page
    page.evaluate(MARK)
    page.focus("main input[name=q]")
    page.keyboard.type("novak")
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.wait_for_url("**q=novak*")
    assert marked(page)
    assert page.evaluate("document.activeElement.name") == "q"


def test_who_was_signed_out_meanwhile_is_asked_to_sign_in_and_comes_back(tab: Tab, site: Site) -> None:
    tab.go(TRACE)
    page = tab.page
    earlier = day_before(page)
    page.context.clear_cookies()
    page.fill("#date", earlier)
    page.wait_for_url(re.compile("/sign-in"))
    page.fill("[name=login]", "admin")
    page.fill("[name=password]", site.passwords["admin"])
    page.locator("main form button").click()
    page.wait_for_url(re.compile("/tracing"))
    assert page.input_value("#date") == earlier


def test_without_the_server_a_note_says_so_and_the_form_keeps_its_values(tab: Tab) -> None:
    tab.go(TRACE)
    page = tab.page
    earlier = day_before(page)
    expect(page.locator("#offline")).to_be_hidden()
    page.context.set_offline(True)
    page.fill("#date", earlier)
    expect(page.locator("#offline")).to_be_visible()
    assert page.input_value("#date") == earlier
    assert page.locator("#result[aria-busy=true]").count() == 0
    assert all(re.search("htmx:(sendError|afterRequest)", problem) for problem in tab.problems)
    tab.problems.clear()
    page.context.set_offline(False)
    page.select_option("#user", "lead")
    page.wait_for_url(f"**date={earlier}*")
    expect(page.locator("#offline")).to_be_hidden()


def test_home_changes_its_blocks_by_itself(tab: Tab, site: Site) -> None:
    page = tab.page
    page.clock.install()
    tab.go("/")
    page.evaluate(MARK)
    before = page.locator("#updated").inner_text()
    report(site, "admin")
    until(
        lambda: site.find("SELECT 1 FROM interval v JOIN user u ON u.id = v.user_id WHERE u.login = 'admin'")
    )
    with page.expect_response(lambda answer: answer.request.headers.get("hx-target") == "team"):
        page.clock.fast_forward(31_000)
    expect(page.locator("#u-admin")).to_be_visible()
    expect(page.locator("#updated")).not_to_have_text(before)
    assert marked(page)
    assert page.locator("#team").count() == 1


def report(site: Site, login: str) -> None:
    """Send an event as a telephone exchange would, with a key of its own."""
    flask = [sys.executable, "-m", "flask", "key", "add", "exchange", "--source", "exchange"]
    made = subprocess.run(
        flask, cwd=ROOT, env=environment(site.url), capture_output=True, text=True, check=True
    )
    key = made.stdout.split()[-1]
    just_now = datetime.now(UTC) - timedelta(seconds=5)  # Home's day ends with the second of the request
    event = {"type": "agent.signed_in", "time": just_now.isoformat(), "user": login}
    asked = urllib.request.Request(
        f"{site.address}/api/v1/events",
        json.dumps(event).encode(),
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(asked, timeout=30) as answer:
        assert json.load(answer)["accepted"] == 1


def test_dates_are_chosen_in_place_and_leave_with_a_named_period(tab: Tab) -> None:
    """The fields of dates belong to the page in each period, so that no other page is needed for them."""
    page = tab.page
    tab.go("/interactions?period=last_30_days")
    first = page.locator("#filters [name=from]")
    expect(first).to_be_hidden()
    page.select_option("#filters [name=period]", "")
    expect(first).to_be_visible()
    first.fill("2001-01-01")
    page.locator("#filters [name=to]").fill("2001-01-02")
    expect(page.locator("#result")).to_contain_text("1 Jan 2001 – 2 Jan 2001")
    page.select_option("#filters [name=period]", "last_7_days")
    expect(first).to_be_hidden()
    expect(page.locator("#result")).not_to_contain_text("2001")
