"""Names that would be markup are shown as they were typed: nothing of them runs or is asked for."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from dashboard import create_app
from dashboard.clock import now_s
from dashboard.db import database
from dashboard.models import PauseType, Team, TeamMember
from dashboard.settings import ROOT, Settings
from tests import make
from tests.browser.window import DESK, PHONE, Site, fill_sign_in, look, watched
from tests.conftest import SECRET
from tests.pages import trail
from tests.test_start import SERVER, started

PASSWORD = "correct horse battery"
OURS = [
    "<b hx-get=/x hx-trigger=load>bold</b>",
    '"><img src=/x onerror=alert(1)>',
    "</script><script>alert(2)</script>",
    "{{ 7*7 }}${7*7}<%= 7*7 %>",
    "javascript:alert(3)//' onfocus=alert(4) autofocus='",
    "\u202edetrever\u202c \u200bzero\u200b width",
    "&lt;i&gt; &amp;amp; &#39;",
    "Zakaznickapodporapremiovychproduktuprostrednjavychodnievropuanebotaky",
    "Nováková-Přibyslavská z Hradce Králové nad Labem, Orlicí a všemi ostatními řekami střední Evropy",
]
USER_LONG = f"u{len(OURS) - 1}"
NAUGHTY = ROOT.parent / "shared" / "data" / "naughty_strings" / "blns.json"
LONGEST = 110  # a team's name takes 120 letters


def strings() -> list[str]:
    """Return ours and, where they are at hand, every fortieth of the published ones that could run."""
    found = json.loads(NAUGHTY.read_text()) if NAUGHTY.exists() else []
    markup = [one for one in found if re.search("[<>]|script|alert", one) and len(one) < LONGEST]
    return OURS + [one for one in markup if one.isprintable()][::40]


@pytest.fixture(scope="module")
def hostile(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site where every name, title and label is one of the strings."""
    path = tmp_path_factory.mktemp("hostile") / "stopa.db"
    shutil.copy(sqlite_template, path)
    app = create_app(Settings(database=f"sqlite:///{path}", secret_key=SECRET))
    with app.app_context():
        database.connect(reuse_if_open=True)
        make.administrator(password=PASSWORD)
        for number, text in enumerate(strings()):
            populate(number, text)
        database.close()
    with started(SERVER, f"sqlite:///{path}") as running:
        yield Site(running, path)


def populate(number: int, text: str) -> None:
    login, start = f"u{number}", now_s() - 3600
    user = make.user(login, name=text)
    make.queue(f"q{number}", label=text)
    PauseType.create(name=f"p{number}", label=text, paid=True)
    TeamMember.create(team=Team.create(name=text), user=user)
    named = {"queue": f"q{number}", "contact": {"name": text, "phone": "", "email": ""}}
    trail.store(
        trail.stay(start, None, login),
        trail.work("call", f"c{number}", start, start + 60, login, **named),
        trail.event("ticket.updated", start + 90, login, interaction=f"t{number}", title=text),
        trail.pause(f"p{number}", start + 120, start + 180, login, paid=True),
    )


@pytest.fixture(scope="module")
def page(browser: Browser, hostile: Site) -> Iterator[Page]:
    """A page that has met every place of the strings; it fails for a dialog, a request to /x, a problem."""
    context = look(browser, hostile, DESK)
    tab = watched(context.new_page())
    bad: list[str] = []
    tab.page.on("dialog", lambda dialog: bad.append(f"{tab.page.url} says {dialog.message}"))
    tab.page.on("request", lambda asked: bad.append(asked.url) if asked.url.endswith("/x") else None)
    tab.go("/sign-in")
    fill_sign_in(tab.page, "admin", PASSWORD)
    yield tab.page
    assert bad + tab.problems == []
    context.close()


LISTS = ["/", "/users", "/queues", "/teams", "/pauses", "/teams/1", "/users/new", "/figures"]


@pytest.mark.parametrize("path", LISTS)
def test_lists_show_every_string_as_typed(path: str, page: Page) -> None:
    shown = settled(page, path)
    assert [text for text in strings() if squeezed(text) not in shown] == []


@pytest.mark.parametrize("number", range(len(strings())))
def test_pages_of_one_user_show_the_string_as_typed(number: int, page: Page, hostile: Site) -> None:
    text = squeezed(strings()[number])
    user = hostile.ident("SELECT id FROM user WHERE login = ?", f"u{number}")
    for path in (
        f"/tracing?user=u{number}",
        f"/tracing?user=u{number}&minutes=15",
        f"/users/{user}",
        f"/users/{user}/deactivate",
        f"/figures?by=hour&queue=q{number}",
    ):
        assert text in settled(page, path), path
        assert text in squeezed(page.title()) or "figures" in path or "deactivate" in path, path
    for ident, _channel in hostile.find("SELECT id, channel FROM activity WHERE user_id = ?", user):
        assert text in settled(page, f"/tracing/activities/{ident}")


# How much wider than its room the page is, or one of its cards, buttons and badges.
WIDER = """() => [document.documentElement, ...document.querySelectorAll("main :is(.cards, .btn, .bd)")]
  .filter((each) => each.clientWidth && each.scrollWidth > each.clientWidth + 1)
  .map((each) => `${each.className} ${each.textContent.trim().slice(0, 40)}`)"""


def test_long_names_make_nothing_wider_than_a_phone(page: Page, hostile: Site) -> None:
    user = hostile.ident("SELECT id FROM user WHERE login = ?", USER_LONG)
    queue = hostile.ident("SELECT id FROM queue WHERE name = ?", f"q{USER_LONG[1:]}")
    page.set_viewport_size({"width": PHONE.width, "height": 800})
    wider = {}
    for path in (
        *LISTS,
        f"/users/{user}",
        f"/queues/{queue}",
        "/interactions",
        "/interactions/1",
        "/events",
        "/audit",
        "/runs",
        "/compare?" + "&".join(f"user=u{number}" for number in range(len(OURS))),
        "/search?q=Labem",
        f"/tracing?user={USER_LONG}",
        f"/tracing?user={USER_LONG}&unit=week",
    ):
        page.goto(path)
        wider[path] = page.evaluate(WIDER)
    page.set_viewport_size({"width": DESK.width, "height": 900})
    assert {path: found for path, found in wider.items() if found} == {}


@pytest.mark.parametrize("number", range(len(strings())))
def test_what_is_typed_into_a_form_comes_back_as_typed(number: int, page: Page) -> None:
    text = strings()[number]
    page.goto("/users")
    page.fill("main input[name=q]", text)
    page.press("main input[name=q]", "Enter")
    page.wait_for_url("**q=*")
    page.reload()
    assert squeezed(page.input_value("main input[name=q]")) == squeezed(text)
    page.goto("/users/new")
    page.fill("#f-name", text)
    page.fill("#f-login", "not one word")
    page.locator("main form[method=post] button.pri").click()
    expect(page.locator("#e-login")).to_be_visible()
    assert squeezed(page.input_value("#f-name")) == squeezed(text)


def settled(page: Page, path: str) -> str:
    """Open a page and return its texts and its fields' values."""
    page.goto(path)
    values = page.locator("input:not([type=hidden])").evaluate_all(
        "all => all.map((one) => one.value).join(' ')"
    )
    return squeezed(f"{page.locator('body').text_content()} {values}")


def squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
