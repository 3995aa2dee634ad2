"""Every page works in a browser without scripts: forms are sent, links lead on, the address says it all."""

from __future__ import annotations

from datetime import date, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.window import Open, Site, fill_sign_in, last_week

pytestmark = pytest.mark.dated

PASSWORD = "correct horse battery"


@pytest.fixture
def page(open_as: Open) -> Page:
    """An administrator's page without scripts."""
    return open_as("admin", scripts=False).page


def query(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def test_a_page_asks_to_sign_in_and_then_opens_and_signing_out_ends_it(open_as: Open, site: Site) -> None:
    page = open_as(scripts=False).page
    page.goto("/tracing?unit=week")
    assert urlsplit(page.url).path == "/sign-in"
    fill_sign_in(page, "novakova", site.passwords["novakova"])
    assert page.url == f"{site.address}/tracing?unit=week"
    page.locator("#nav summary").click()
    page.get_by_role("button", name="Sign out").click()
    assert urlsplit(page.url).path == "/sign-in"
    page.goto("/")
    assert urlsplit(page.url).path == "/sign-in"


def test_date_user_and_unit_are_changed_by_the_form_and_by_links(page: Page) -> None:
    page.goto("/tracing?user=novakova")
    before = (date.fromisoformat(page.input_value("#date")) - timedelta(days=1)).isoformat()
    page.fill("#date", before)
    page.select_option("#user", "sato")
    page.locator("form.filters > button").last.click()
    assert (query(page)["date"], query(page)["user"]) == (before, "sato")
    assert page.input_value("#date") == before
    page.get_by_role("link", name="Week", exact=True).click()
    assert (query(page)["unit"], query(page)["user"]) == ("week", "sato")
    page.get_by_role("link", name="Day", exact=True).click()
    page.get_by_role("link", name="15 min").click()
    assert query(page)["minutes"] == "15"
    page.get_by_role("link", name="Previous day").click()
    assert query(page)["date"] < before


def test_the_list_is_narrowed_sorted_paged_and_its_rows_open(page: Page) -> None:
    page.goto(f"/tracing?{last_week()}")
    page.locator("#activities").get_by_role("link", name="Next").click()
    assert query(page)["page"] == "2"
    page.locator("#activities thead a").first.click()
    assert query(page)["sort"] == "-start"
    expect(page.locator("#activities [aria-sort=descending]")).to_have_count(1)
    page.select_option("select[name=state]", "closed")
    page.get_by_role("button", name="Filter").click()
    assert query(page)["state"] == "closed"
    page.wait_for_load_state()  # the texts are read without waiting
    assert set(page.locator("#activities tbody .bd:not(.warn)").all_inner_texts()) == {"Closed"}
    page.locator("#activities .chip").nth(1).click()
    assert query(page)["kind"] == "call"
    page.locator("#activities .name").first.click()
    assert urlsplit(page.url).path.startswith("/tracing/activities/")
    page.get_by_role("link", name="User tracing").last.click()
    assert urlsplit(page.url).path == "/tracing"


def test_a_list_of_settings_is_searched_and_sorted(page: Page) -> None:
    page.goto("/users")
    page.fill("main input[name=q]", "novak")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("tbody th a")).to_have_text(["Petra Nováková"])
    page.goto("/users")
    page.get_by_role("link", name="Username").click()
    page.wait_for_url("**sort=**")
    names = page.locator("tbody td:nth-child(2)").all_inner_texts()
    assert names == sorted(names)
    assert len(names) > 10


def test_an_access_is_made_edited_and_deleted(page: Page) -> None:
    page.goto("/accesses/new")
    page.fill("input[name=name]", "Night shift")
    page.locator("main form[method=post] button.pri").click()
    page.get_by_role("link", name="Modules").click()
    page.get_by_role("checkbox", name="Queue figures").check()
    page.get_by_role("button", name="Save").click()
    assert page.locator(".note.ok").inner_text() == "Saved. No users have this role yet."
    assert page.get_by_role("checkbox", name="Queue figures").is_checked()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete").click()
    page.wait_for_url("**/accesses")
    assert page.get_by_role("link", name="Night shift").count() == 0


def test_a_user_is_added_chooses_a_language_and_is_deactivated(page: Page, open_as: Open) -> None:
    page.goto("/users/new")
    page.fill("input[name=login]", "ruzena")
    page.fill("input[name=name]", "Růžena Tichá")
    page.fill("input[name=password]", PASSWORD)
    page.select_option("select[name=access]", label="Agent")
    page.get_by_role("button", name="Save").click()
    own = open_as(scripts=False).page
    own.goto("/sign-in")
    fill_sign_in(own, "ruzena", PASSWORD)
    for code, title in (("cs", "Trasování uživatelů"), ("ja", "ユーザー活動履歴"), ("en", "User tracing")):
        own.goto("/tracing")
        own.locator("#nav summary").click()
        own.locator(f"#nav a[hreflang={code}]").click()
        own.wait_for_url("**/tracing")
        assert own.locator("html").get_attribute("lang") == code
        assert own.title().startswith(title)
        assert own.locator("h1").inner_text() == "Růžena Tichá"
    page.goto("/users?q=ruzena")
    page.get_by_role("link", name="Růžena Tichá", exact=True).click()
    page.get_by_role("link", name="Deactivate").click()
    page.get_by_role("button", name="Deactivate").click()
    own.goto("/tracing")
    assert urlsplit(own.url).path == "/sign-in"


def test_a_refused_form_names_the_field_and_keeps_what_is_good(page: Page) -> None:
    page.goto("/users/new")
    page.fill("input[name=login]", "not one word")
    page.fill("input[name=name]", "Kept as typed")
    page.get_by_role("button", name="Save").click()
    assert page.locator("#f-login").get_attribute("aria-invalid") == "true"
    assert page.input_value("#f-name") == "Kept as typed"
    page.locator(".note.bad a").first.click()
    assert page.url.endswith("#f-login")


def test_a_big_file_is_made_and_fetched(page: Page) -> None:
    page.goto(f"/tracing?{last_week()}")
    page.get_by_role("link", name="PDF export").click()
    ready = page.get_by_role("link", name="Download")
    ready.wait_for(timeout=60_000)  # the page asks again by itself
    with page.expect_download() as waited:
        ready.click()
    assert waited.value.suggested_filename.endswith(".pdf")
