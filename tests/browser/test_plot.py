"""The timeline by keyboard, on a phone, and on paper."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from tests.browser.window import DESK, PHONE, Open, Site, Tab, fullest_day

TRACE = "/tracing?user=novakova"
# The picker inside a date field has the browser's own ring, which no script can read.
SHOWN = """() => {
  const one = document.activeElement, style = getComputedStyle(one), bar = one.querySelector?.(".s");
  return one.type === "date" || style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2
      || bar && parseFloat(getComputedStyle(bar).strokeWidth) >= 2;
}"""


@pytest.fixture
def tab(open_as: Open) -> Tab:
    return open_as("admin")


def tab_to(page: Page, part: str, most: int = 80) -> list[str]:
    """Press Tab until `part` has the focus; return the stops on the way that nobody could see."""
    unseen = []
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        if not page.evaluate(SHOWN):
            unseen.append(str(page.evaluate("document.activeElement.outerHTML"))[:200])
        if page.evaluate("part => document.activeElement.matches(part)", part):
            return unseen
    raise AssertionError(f"{part} is not reached by Tab; unseen: {unseen}")


def test_tab_reaches_a_bar_which_says_what_it_is_and_enter_opens_it(tab: Tab) -> None:
    tab.go(TRACE)
    page = tab.page
    assert tab_to(page, "a.bar-a.call") == []
    bar = page.locator("a.bar-a.call:focus")
    expect(bar.locator(".tip")).to_have_css("opacity", "1")
    label = (bar.locator(".tip").text_content() or "").strip()
    expect(bar).to_have_accessible_name(label)
    page.keyboard.press("Enter")
    page.wait_for_url("**/tracing/activities/**")
    assert label[:8] in page.locator("main").inner_text()


def test_the_timeline_can_be_skipped(tab: Tab, site: Site) -> None:
    """On the user's fullest day: a plot with few bars needs no skipping."""
    tab.go(f"{TRACE}&date={fullest_day(site)}")
    tab_to(tab.page, "a.skip[href='#st']")
    expect(tab.page.locator("a.skip[href='#st']")).to_be_in_viewport()
    tab.page.keyboard.press("Enter")
    assert tab.page.url.endswith("#st")


LAST = """() => {
  const stops = [...document.querySelectorAll("main :is(a[href],button,input,select)")];
  stops.at(-1).className += " last";
}"""


@pytest.mark.parametrize("path", ["/users/new", "/accesses", "/account", "/sign-in"])
def test_every_stop_of_the_keyboard_can_be_seen(path: str, open_as: Open) -> None:
    tab = open_as("" if path == "/sign-in" else "admin")
    tab.go(path)
    tab.page.evaluate(LAST)
    assert tab_to(tab.page, ".last") == []


@pytest.mark.parametrize("query", ["", "&hours=24", "&minutes=60"])
def test_on_a_phone_the_plot_opens_at_now(query: str, open_as: Open) -> None:
    tab = open_as("admin", PHONE)
    tab.go(TRACE + query)
    now = tab.page.locator(".tl .now line").bounding_box()
    assert now is not None
    assert 0 <= now["x"] <= PHONE.width


def test_on_a_phone_the_form_folds_and_opens(open_as: Open) -> None:
    tab = open_as("admin", PHONE)
    tab.go(TRACE)
    page = tab.page
    expect(page.locator("#user")).to_be_hidden()
    overview = page.locator("#ov").bounding_box()
    assert overview is not None
    assert overview["y"] < 300
    page.get_by_role("button", name="Petra Nováková").click()
    expect(page.locator("#user")).to_be_in_viewport(ratio=1)
    page.get_by_role("button", name="Menu").click()
    expect(page.get_by_role("link", name="Settings")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("locale", ["en", "cs", "ja"])
def test_on_a_desk_the_filters_stand_in_one_row(locale: str, open_as: Open) -> None:
    tab = open_as("admin", DESK._replace(locale=locale))
    tab.go(TRACE)
    boxes = [one.bounding_box() for one in tab.page.locator("form.filters .btn:visible").all()]
    bottoms = {round(box["y"] + box["height"]) for box in boxes if box}
    assert len(bottoms) == 1


@pytest.mark.parametrize("unit", ["day", "week"])
def test_on_paper_a_day_is_two_upright_pages_and_a_week_begins_with_its_plot(
    unit: str, tab: Tab, site: Site
) -> None:
    tab.go(f"{TRACE}&unit={unit}&date={fullest_day(site)}")
    paper = PdfReader(BytesIO(tab.page.pdf(prefer_css_page_size=True)))
    pages = [page.extract_text() for page in paper.pages]
    assert "Petra Nováková" in pages[0]
    assert "Overview" in pages[0]
    if unit == "day":
        assert len(pages) == 2
        assert "Occupancy" in pages[0]
        assert ["Handling time" in page for page in pages] == [True, True], "the list repeats its heading"
        assert [re.findall(r"^Total", page, re.M) for page in pages] == [[], ["Total"]]
    else:
        assert ["By day" in page for page in pages] == [False, True]
    assert "Sign out" not in "".join(pages)
    boxes = [page.mediabox for page in paper.pages]
    assert [box.height > box.width for box in boxes] == [unit == "day"] * len(boxes)
