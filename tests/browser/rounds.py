"""The pages, the views they are looked at in, and what a visit found, kept for the tests of it."""

from __future__ import annotations

import html
import os
import re
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route

from tests.browser.places import IN_THE_MAKING, PLACES, SETUP, Place
from tests.browser.window import DESK, TAGS, Site, Tab, View, last_week, look, signed_in, watched

VIEWS = (View(1440, "light", "en"), View(390, "dark", "cs"), View(390, "light", "ja"))
IDS = {
    "session": "SELECT id FROM cobrowse_session ORDER BY steps DESC",
    **{
        channel: "SELECT MAX(a.id) FROM activity a JOIN user u ON u.id = a.user_id "
        f"WHERE u.login = 'novakova' AND a.channel = '{channel}'"
        for channel in ("call", "webchat", "email", "ticket")
    },
    "novakova": "SELECT id FROM user WHERE login = 'novakova'",
    "benes": "SELECT id FROM user WHERE login = 'benes'",
    "team": "SELECT id FROM team WHERE name = 'Support'",
    "queue": "SELECT id FROM queue WHERE name = 'support'",
    "pause": "SELECT id FROM pause_type WHERE name = 'lunch'",
    "pause_start": "SELECT MAX(i.start_ts) FROM interval i JOIN user u ON u.id = i.user_id "
    "WHERE u.login = 'novakova' AND i.kind = 3",
    "access": "SELECT id FROM access WHERE name = 'Agent'",
    "connector": "SELECT MIN(id) FROM connector",
    "rule": "SELECT MIN(id) FROM rule WHERE owner_id IS NULL",
    "ran": "SELECT MIN(rule_id) FROM run WHERE outcome = 'done'",
    "run": "SELECT MIN(id) FROM run WHERE outcome = 'done'",
    "event": "SELECT MIN(id) FROM event WHERE type = 'call.accepted'",
    "dashboard": "SELECT MIN(id) FROM dashboard",
    "tile": "SELECT MIN(id) FROM tile WHERE warn <> ''",
    "schedule": "SELECT MIN(id) FROM schedule",
    "site": "SELECT MIN(id) FROM site",
    "visitor": "SELECT MAX(id) FROM visit",
    "source": "SELECT MIN(id) FROM source WHERE name <> 'stopa'",
    "personal_rule": "SELECT MIN(r.id) FROM rule r JOIN user u ON u.id = r.owner_id WHERE u.login <> 'admin'",
}

AXE = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
# A bar is as wide as its time is long; the list below the plot leads to the same places (WCAG 2.5.8).
BARS = ["svg .bar-a"]
# Rows, bars and options of one kind are alike: a few of each are looked at, and a visit takes a second.
THIN = """() => {
  for (const more of ["tbody tr:nth-child(n+6)", ".rows li:nth-child(n+5)", "svg .bar-a:nth-of-type(n+9)"])
    for (const part of document.querySelectorAll(more)) part.remove();
}"""
READ = """() => {
  const texts = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const silent = "script,style,datalist,textarea,pre,code,[translate=no]";
  while (walk.nextNode()) if (!walk.currentNode.parentElement.closest(silent))
    texts.push(walk.currentNode.data);
  for (const part of document.querySelectorAll("[aria-label],[placeholder],[title],[alt]"))
    for (const name of ["aria-label", "placeholder", "title", "alt"])
      if (part.hasAttribute(name)) texts.push(part.getAttribute(name));
  const root = document.documentElement;
  const cut = [...document.querySelectorAll("main :is(td,th,.btn,button,.bd):not(.el)")]
    .filter((one) => one.clientWidth && !one.closest(".vh") && one.scrollWidth > one.clientWidth + 1);
  return {
    title: document.title, lang: root.lang, wider: root.scrollWidth - root.clientWidth,
    cut: cut.map((one) => `${one.tagName} ${one.textContent.trim().slice(0, 40)}`),
    headings: [...document.querySelectorAll("main :is(h1,h2,h3,h4)")].map((one) => Number(one.tagName[1])),
    texts: texts.map((one) => one.replace(/\\s+/g, " ").trim()).filter((one) => one),
    icon: document.querySelector("link[rel=icon]")?.getAttribute("href") ?? "",
  };
}"""


@dataclass(frozen=True)
class Visit:
    """What one page was like in one view; `wider` is how many pixels it scrolls sideways, `cut` are cells,
    buttons and badges narrower than their texts."""

    status: int
    title: str
    lang: str
    wider: int
    cut: list[str]
    headings: list[int]
    texts: list[str]
    icon: str
    violations: list[str]
    problems: list[str]
    place: Place = SETUP
    view: View = DESK


def pages(view: View, every: bool) -> list[str]:
    """Return the names of the pages looked at in a view: all with `every`, else every third in turn."""
    names = list(PLACES)
    return names if every else names[VIEWS.index(view) :: len(VIEWS)]


class Rounds:
    """Visits pages when a test first asks, one context for each person and view."""

    def __init__(self, browser: Browser, site: Site, every: bool) -> None:
        self._browser, self._site, self._every = browser, site, every
        self._tabs: dict[tuple[str, View], Tab] = {}
        self._visits: dict[tuple[str, View], Visit] = {}

    def pages(self, view: View) -> list[str]:
        return pages(view, self._every)

    def visit(self, name: str, view: View) -> Visit:
        if (name, view) not in self._visits:
            self._visits[name, view] = replace(self._look(name, view), place=PLACES[name], view=view)
        return self._visits[name, view]

    def title(self, name: str, view: View) -> str:
        """Return a page's title in a view; where it is not looked at in that view, it is only fetched."""
        place = PLACES[name]
        if name in self.pages(view) or name == IN_THE_MAKING or place.typed:
            return self.visit(name, view).title
        requests = self._tab(place.login, view).page.request
        path = address(self._site, place.path)
        answer = requests.get(path, headers={"Accept-Language": TAGS[view.locale]})
        found = re.search(r"<title>(.*?)</title>", answer.text(), re.DOTALL)
        assert found is not None, path
        return " ".join(html.unescape(found.group(1)).split())

    def close(self) -> None:
        for tab in self._tabs.values():
            tab.page.context.close()

    def _tab(self, login: str, view: View) -> Tab:
        if (login, view) not in self._tabs:
            context = look(self._browser, self._site, view)
            if login:
                context.add_cookies(signed_in(self._browser, self._site, login))
            self._tabs[login, view] = watched(context.new_page())
        self._tabs[login, view].problems.clear()
        return self._tabs[login, view]

    def _look(self, name: str, view: View) -> Visit:
        place = PLACES[name]
        tab = self._tab(place.login, view)
        if name == IN_THE_MAKING:
            with halted(self._site):
                return seen(tab, waiting_for_file(tab.page))
        status = tab.go(address(self._site, place.path))
        if place.typed is not None:
            typed = {name: value.replace("{view}", str(view)) for name, value in place.typed.items()}
            status = send(tab.page, typed)
        return seen(tab, status)


def address(site: Site, path: str) -> str:
    """Return the path with ids of the demonstration in place of their names."""
    names = [name for name in IDS if f"{{{name}}}" in path]
    return path.format(**{name: site.ident(IDS[name]) for name in names})


def send(page: Page, typed: Mapping[str, str]) -> int:
    """Fill in the first form, send it past the browser's own checks, and return the answer's status."""
    form = page.locator("main form[method=post]").first
    for name, value in typed.items():
        field = form.locator(f'[name="{name}"]')
        if field.evaluate("one => one.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)
    form.evaluate("form => { form.noValidate = true; }")
    with page.expect_navigation() as waited:
        form.locator("button:not([name=op])").last.click()
    return waited.value.status


@contextmanager
def halted(site: Site) -> Iterator[None]:
    """Hold the worker, at a moment when it is not writing, so that a file stays in the making."""
    workers = site.running.workers()
    for _ in range(100):
        for worker in workers:
            os.kill(worker, signal.SIGSTOP)
        if site.can_write():
            break
        for worker in workers:
            os.kill(worker, signal.SIGCONT)
        time.sleep(0.05)
    try:
        yield
    finally:
        for worker in workers:
            os.kill(worker, signal.SIGCONT)


def waiting_for_file(page: Page) -> int:
    """Ask for a file that takes a job. The page's own reload would cut the look at it short."""

    def still(route: Route) -> None:
        answer = route.fetch()
        headers = {name: value for name, value in answer.headers.items() if name != "refresh"}
        route.fulfill(response=answer, headers=headers)

    page.route("**/exports/*", still)
    answer = page.goto(f"/tracing.pdf?{last_week()}")
    assert answer is not None
    return answer.status


def seen(tab: Tab, status: int) -> Visit:
    """Return what the open page is like; afterwards it is thinner than it was."""
    facts: dict[str, Any] = tab.page.evaluate(READ)
    tab.page.evaluate(THIN)
    found = Axe().run(tab.page, context={"exclude": [BARS]}, options=AXE).response["violations"]
    violations = [
        f"{rule['id']}: {node['html'][:200]} {node['failureSummary']}"
        for rule in found
        for node in rule["nodes"]
    ]
    return Visit(status, violations=violations, problems=list(tab.problems), **facts)
