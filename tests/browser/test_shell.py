"""The shell in a browser: theme and search without scripts, the bar of phones, the list of settings."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.window import DESK, PHONE, Open

LIGHT, DARK = "rgb(245, 246, 244)", "rgb(17, 21, 19)"


@pytest.mark.parametrize(("scheme", "choice"), [("light", "Dark"), ("dark", "Light")])
def test_a_chosen_theme_wins_over_the_system_until_it_is_left_to_it(
    scheme: str, choice: str, open_as: Open
) -> None:
    page = open_as("admin", DESK._replace(scheme=scheme), scripts=False).page
    page.goto("/users?q=nov")
    choose_theme(page, choice)
    assert page.url.endswith("/users?q=nov")
    expect(page.locator("html")).to_have_attribute("data-theme", choice.lower())
    background(page, LIGHT if choice == "Light" else DARK)
    choose_theme(page, "System")
    background(page, LIGHT if scheme == "light" else DARK)


def choose_theme(page: Page, name: str) -> None:
    page.locator("#nav summary").click()
    page.get_by_role("button", name=name, exact=True).click()
    page.wait_for_load_state()


def background(page: Page, colour: str) -> None:
    expect(page.locator("body")).to_have_css("background-color", colour)


def test_the_search_of_the_header_works_without_scripts(open_as: Open) -> None:
    page = open_as("admin", scripts=False).page
    page.goto("/queues")
    page.get_by_label("Search everything").fill("novak")
    page.get_by_role("button", name="Search", exact=True).click()
    page.wait_for_url("**/search?q=novak")
    assert page.get_by_label("Search everything").input_value() == "novak"
    page.get_by_role("link", name="Petra Nováková").click()
    page.wait_for_url("**/tracing?user=novakova")


def test_a_phone_has_a_bar_of_four_sections_and_a_menu_with_all(open_as: Open) -> None:
    page = open_as("admin", PHONE, scripts=False).page
    page.goto("/users")
    bar = page.locator(".foot")
    assert bar.get_by_role("link").count() == 4
    expect(page.locator("#nav")).to_be_hidden()
    bar.get_by_role("button", name="Menu").click()
    expect(page.locator("#nav a[aria-current=page]")).to_have_text("Settings")
    page.locator("#nav summary").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("view", [DESK, PHONE], ids=str)
def test_the_list_of_settings_stands_at_the_left_and_opens_on_a_phone(view: object, open_as: Open) -> None:
    page = open_as("admin", view, scripts=False).page
    page.goto("/teams")
    if view is PHONE:
        expect(page.locator("#list")).to_be_hidden()
        page.get_by_role("button", name="Settings").click()
    expect(page.locator("#list a[aria-current=page]")).to_have_text("Teams")
    page.locator("#list").get_by_role("link", name="Pause types").click()
    assert urlsplit(page.url).path == "/pauses"


def test_arrow_keys_lead_from_step_to_step_of_a_session(open_as: Open) -> None:
    page = open_as("admin").page
    page.goto("/sessions?period=last_30_days&sort=-steps")
    page.locator("#result tbody a").first.click()
    step = page.locator("#step")
    expect(step).to_contain_text("Step 1 of")
    for key, number in (("ArrowRight", 2), ("ArrowRight", 3), ("ArrowLeft", 2)):
        page.keyboard.press(key)
        expect(step).to_contain_text(f"Step {number} of")
        assert urlsplit(page.url).query == f"step={number}"
    page.locator("tr.on a").focus()
    page.keyboard.press("ArrowRight")
    expect(step).to_contain_text("Step 3 of")


def test_a_desk_has_neither_bar_nor_buttons_of_a_phone(open_as: Open) -> None:
    page = open_as("admin").page
    page.goto("/users")
    for part in (".foot", ".listb", ".bar .bell"):
        expect(page.locator(part)).to_be_hidden()
