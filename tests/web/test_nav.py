"""The shell: sections and their pages as the viewer may open them, the account menu, theme and site name."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from flask import Flask, url_for
from flask.testing import FlaskClient

from dashboard.access import presets
from dashboard.access.permissions import PRESETS, Preset
from dashboard.access.permissions import Permission as P
from dashboard.models import Access
from dashboard.web.nav import SECTIONS, place_of
from tests import make

ACCOUNT = ["/account", "/my-data", "/inbox/profiles"]
SETTINGS = {
    "/users": "Users",
    "/teams": "Teams",
    "/accesses": "Roles",
    "/settings/sign-in": "Sign-in",
    "/settings/policy": "Monitoring policy",
    "/queues": "Queues",
    "/pauses": "Pause types",
    "/settings/calendars": "Calendars",
    "/settings/general": "General",
    "/settings/managers": "Asterisk managers",
    "/settings/retention": "Retention",
    "/settings/sources": "Sources",
    "/settings/keys": "API keys",
    "/settings/connectors": "Connectors",
    "/settings/sites": "Web sites",
    "/import": "Imports",
    "/settings/system-events": "System events",
    "/settings/channels": "Channels",
}
RULES = {"/rules": "Rules", "/runs": "Rule runs", "/settings/channels/deliveries": "Deliveries"}


def enter(client: FlaskClient, preset: str) -> None:
    presets.make()
    make.sign_in(client, make.user("viewer", name="Vera", access=Access.get(Access.name == preset)))


def links(page: str, mark: str) -> dict[str, str]:
    """Return address and label of each link in the nav element whose tag contains `mark`."""
    for tag, inside in re.findall(r"<nav([^>]*)>(.*?)</nav>", page, re.DOTALL):
        if mark in tag:
            found = re.findall(r'<a [^>]*?href="([^"]*)"[^>]*>(.*?)</a>', inside, re.DOTALL)
            return {url: re.sub("<[^>]*>", "", label).strip() for url, label in found}
    return {}


def current(page: str, mark: str) -> list[str]:
    for tag, inside in re.findall(r"<nav([^>]*)>(.*?)</nav>", page, re.DOTALL):
        if mark in tag:
            return re.findall(r'href="([^"]*)" aria-current="page"', inside)
    return []


def test_every_page_of_the_sections_exists(app: Flask) -> None:
    assert {page.endpoint for section in SECTIONS for page in section.pages} <= set(app.view_functions)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_section_leads_to_its_first_page_that_opens_and_is_absent_without_one(
    app: Flask, client: FlaskClient, preset: Preset
) -> None:
    enter(client, preset.name)
    page = client.get("/account").text
    wanted = []
    for section in SECTIONS:
        with app.test_request_context():
            urls = [url_for(each.endpoint) for each in section.pages]
        wanted += [url for url in urls if client.get(url).status_code == 200][:1]
    menu = [url for url in links(page, 'id="nav"') if url not in ACCOUNT and "/language/" not in url]
    assert menu == wanted
    assert list(links(page, 'class="foot"')) == wanted[:4]


def test_an_agent_has_only_sections_of_the_own_work(client: FlaskClient) -> None:
    enter(client, "Agent")
    sections = [label.partition("\n")[0] for label in links(client.get("/").text, 'class="foot"').values()]
    assert sections == ["Now", "People", "Records", "Rules"]


def test_a_section_with_several_pages_has_tabs_and_one_with_many_a_list(client: FlaskClient) -> None:
    make.sign_in(client, make.administrator())
    rules = client.get("/operations").text
    assert links(rules, 'aria-label="Rules"') == {**RULES, "/operations": "Operations"}
    assert current(rules, 'aria-label="Rules"') == ["/operations"]
    assert current(rules, 'id="nav"') == ["/rules"]
    users = client.get("/users").text
    assert links(users, 'id="list"') == SETTINGS
    assert (current(users, 'id="list"'), current(users, 'id="nav"')) == (["/users"], ["/settings/general"])


def test_a_section_of_which_one_page_may_be_opened_has_no_tabs(client: FlaskClient) -> None:
    make.sign_in(client, make.user("viewer", access=make.access([P.RULES_VIEW, P.TEAMS_VIEW])))
    assert "/rules" in links(client.get("/rules").text, 'id="nav"')
    assert links(client.get("/rules").text, 'aria-label="Rules"') == {}
    assert links(client.get("/teams").text, 'id="list"') == {}


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [
        ("/", "home.index"),
        ("/tracing/activities/5", "tracing.index"),
        ("/queues/5", "queues.index"),
        ("/rules/5/runs", "rules.index"),
        ("/runs/5", "ruleruns.subject"),
        ("/backtests/5", "rules.index"),
        ("/settings/channels/5", "channels.index"),
        ("/settings/channels/deliveries", "deliveries.index"),
        ("/inbox/profiles/5", "inbox.index"),
        ("/accounts", None),
        ("/usersx", None),
    ],
)
def test_a_path_belongs_to_the_page_with_the_longest_path(
    app: Flask, path: str, endpoint: str | None
) -> None:
    with app.app_context():
        place = place_of(path)
    assert (place and place.page.endpoint) == endpoint


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_everybody_reaches_the_own_account_from_every_page(client: FlaskClient, preset: Preset) -> None:
    enter(client, preset.name)
    menu = links(client.get("/").text, 'id="nav"')
    for url in ACCOUNT:
        assert url in menu
        assert client.get(url).status_code == 200


def test_a_theme_is_kept_in_the_browser_and_stands_in_the_first_answer(client: FlaskClient) -> None:
    make.sign_in(client, make.administrator(password="correct horse"))
    assert "data-theme" not in client.get("/").text
    answer = client.post("/theme", data={"theme": "dark", "next": "/users?q=a"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/users?q=a")
    assert '<html lang="en" data-theme="dark">' in client.get("/").text
    client.post("/sign-out")
    assert '<html lang="en" data-theme="dark">' in client.get("/sign-in").text
    make.sign_in(client, make.user("other", access=make.access()))
    client.post("/theme", data={"theme": ""})
    assert "data-theme" not in client.get("/").text


def test_an_unknown_theme_is_refused_and_one_of_the_cookie_ignored(client: FlaskClient) -> None:
    make.sign_in(client, make.administrator())
    assert client.post("/theme", data={"theme": 'x" onload="'}).status_code == 400
    client.set_cookie("stopa_theme", "x")
    assert "data-theme" not in client.get("/").text
    assert client.post("/theme", data={"theme": "light", "next": "//evil.example"}).headers["Location"] == "/"


def test_the_name_of_the_site_stands_in_head_and_title(app: Flask, client: FlaskClient) -> None:
    app.config["STOPA"] = replace(app.config["STOPA"], site_name="Brno & co")
    make.administrator(password="correct horse")
    page = client.get("/sign-in").text
    assert "<title>Sign in · Brno &amp; co</title>" in page
    assert page.count("Brno &amp; co") == 2
