"""A wall screen in the browser: large enough, without scrolling, accessible, and old when nothing answers."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.rounds import AXE
from tests.browser.window import DESK, Open, Site, look

LEAST_PX = 32
# Texts that are smaller than LEAST_PX, or lie below the screen.
BAD = """(least) => [...document.querySelectorAll(".wall *")].filter((part) => {
  if (![...part.childNodes].some((one) => one.nodeType === 3 && one.data.trim())) return false;
  let size = parseFloat(getComputedStyle(part).fontSize);
  for (let one = part; one; one = one.parentElement) size *= parseFloat(getComputedStyle(one).zoom) || 1;
  return size < least || part.getBoundingClientRect().bottom > innerHeight;
}).map((part) => part.textContent.trim())"""


@pytest.fixture
def wall(open_as: Open, site: Site, browser: Browser) -> Page:
    """The wall screen of the demonstration's dashboard, opened by a key in a browser without a session."""
    ident = site.ident("SELECT MIN(id) FROM dashboard")
    page = open_as("admin").page
    page.goto(f"/dashboards/{ident}/edit")
    page.get_by_role("button", name="Make a key").click()
    address = page.input_value("#f-address")
    path = re.sub(r"^https?://[^/]+", "", address)
    context = look(browser, site, DESK)
    screen = context.new_page()
    screen.set_viewport_size({"width": 1920, "height": 1080})
    answer = screen.goto(path)
    assert answer is not None
    assert answer.status == 200
    return screen


def test_everything_is_large_enough_and_on_the_screen(wall: Page) -> None:
    assert wall.evaluate(BAD, LEAST_PX) == []
    assert wall.evaluate("[document.documentElement.scrollHeight, document.documentElement.scrollWidth]") == [
        1080,
        1920,
    ]
    sizes = wall.locator(".fig:not(.long)").evaluate_all(
        "all => all.map((one) => parseFloat(getComputedStyle(one).fontSize))"
    )
    assert sizes
    assert min(sizes) >= 136


def test_it_is_accessible(wall: Page) -> None:
    found = Axe().run(wall, options=AXE).response["violations"]
    assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found] == []


def test_it_says_when_the_server_cannot_be_reached_and_when_it_is_back(wall: Page) -> None:
    refresh = "() => void htmx.ajax('GET', location.href, {target: '#wall'}).catch(() => 0)"
    expect(wall.locator("#offline")).to_be_hidden()
    wall.context.set_offline(True)
    wall.evaluate(refresh)
    expect(wall.locator("#offline")).to_be_visible()
    assert wall.locator("#wall").count() == 1
    wall.context.set_offline(False)
    wall.evaluate(refresh)
    expect(wall.locator("#offline")).to_be_hidden()


def test_an_old_screen_says_so_without_scripts(wall: Page) -> None:
    """The notice becomes visible when three refreshes have brought nothing."""
    old = wall.locator(".old")
    expect(old).to_be_hidden()
    wall.evaluate("document.getAnimations().forEach((one) => { one.currentTime = 182000; })")
    expect(old).to_be_visible()
