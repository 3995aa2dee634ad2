"""The script of portals in a browser, on a site under a strict policy, against a server with a worker."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Error, Locator, Page, Request, Route, expect

from dashboard import clock
from dashboard.i18n import translator
from dashboard.visitors import identify, invitations
from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.browser.portal import SECRET, Happened, Portal, portal
from tests.browser.rounds import AXE
from tests.browser.window import TAGS, WAIT_MS, watched
from tests.test_start import until

AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
)
KEPT = ["--disable-back-forward-cache"]  # what Playwright switches off
QUIET_MS = 600  # records leave within 250 ms
STORED = "[localStorage.length, sessionStorage.length]"
PRIVATE = "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true })"
TYPED = {"person": "Jana", "order": "A-17", "password": "hunter2", "card": "4111111111111111"}
SCROLL = """async () => {
  for (let n = 1; n <= 10; n++) {
    scrollTo(0, n * 100)
    await new Promise((done) => setTimeout(done, 30))
  }
}"""
SHIFTS = """() => {
  window.shifts = 0
  const observer = new PerformanceObserver((all) => { window.shifts += all.getEntries().length })
  observer.observe({ type: "layout-shift" })
}"""
CHATWOOT = """() => {
  window.calls = []
  const note = (name) => (given) => window.calls.push([name, given])
  const names = ["setCustomAttributes", "setConversationCustomAttributes", "toggle"]
  window.$chatwoot = { hasLoaded: true, ...Object.fromEntries(names.map((name) => [name, note(name)])) }
}"""
WORDS = {
    "en": "Hello, may I help you choose a tariff? I will gladly answer in the chat.",
    "cs": "Dobrý den, mohu vám s výběrem tarifu pomoci? Rád vám odpovím v chatu.",
    "ja": "こんにちは。プラン選びをお手伝いできます。チャットでお気軽にご質問ください。",
}


@pytest.fixture(scope="module")
def served(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    database = shutil.copy(sqlite_template, tmp_path_factory.mktemp("portal") / "stopa.db")
    with portal(str(database)) as found:
        yield found


@pytest.fixture(scope="module")
def chromium(browser: Browser) -> Iterator[Browser]:
    """A browser that keeps the pages which one goes back to."""
    kind = browser.browser_type
    named = [*ARGUMENTS, f"--user-agent={AGENT}"]  # also of what pages send while they are left
    found = kind.launch(executable_path=CHROMIUM, args=named, ignore_default_args=KEPT)
    yield found
    found.close()


class Visitor:
    """Somebody on the portal, whose pages may complain of nothing, and what they have sent to Stopa."""

    def __init__(self, chromium: Browser, site: Portal, script: str = "", **look: Any) -> None:
        self.context = chromium.new_context(**{"base_url": site.address, "locale": "cs-CZ", **look})
        self.context.set_default_timeout(WAIT_MS)
        self.site = site
        if script:
            self.context.add_init_script(script)
        self.problems: list[list[str]] = []
        self.sent: list[str] = []
        self.context.on("request", self._note)
        site.forget()

    def open(self, path: str) -> Page:
        tab = watched(self.context.new_page())
        self.problems.append(tab.problems)
        tab.page.goto(path)
        wait_for(tab.page, "Boolean(window.stopa?.consent)")
        return tab.page

    def waits(self, fact: Callable[[list[Happened]], object]) -> list[Happened]:
        """Wait until a fact holds of the events since this visitor came, and return them."""
        until(lambda: fact(self.site.events()), self._turn)
        return self.site.events()

    def _turn(self) -> None:
        """Let the browser's requests be answered, which time.sleep() does not."""
        if self.context.pages:
            self.context.pages[0].wait_for_timeout(50)
        else:
            time.sleep(0.05)

    def _note(self, request: Request) -> None:
        if "/visit/" in request.url:
            self.sent.append(request.url)


@pytest.fixture
def visitor(chromium: Browser, served: Portal) -> Iterator[Any]:
    """Return a function that makes a visitor."""
    made: list[Visitor] = []

    def come(script: str = "", **look: Any) -> Visitor:
        made.append(Visitor(chromium, served, script, **look))
        return made[-1]

    yield come
    for each in made:
        each.context.close()
    assert [text for each in made for texts in each.problems for text in texts] == []


def wait_for(page: Page, expression: str) -> None:
    """Wait until a page says so; its policy forbids what Playwright has for it."""

    def holds() -> bool:
        try:
            return bool(page.evaluate(expression))
        except Error:  # the page is being left
            return False

    until(holds)


def said(events: list[Happened]) -> list[tuple[str, str]]:
    """Return the type of each event and what it is about."""
    names = ("element", "form", "name", "title")
    return [
        (each.type, next((each.data[name] for name in names if name in each.data), "")) for each in events
    ]


def types(events: list[Happened]) -> Counter[str]:
    return Counter(each.type for each in events)


def test_every_kind_arrives_once_and_in_order(served: Portal, visitor: Any) -> None:
    somebody = visitor()
    page = somebody.open("/?token=t0ken")
    somebody.waits(lambda events: types(events)["visitor.page_viewed"])
    page.get_by_text("Compare tariffs").click()
    for name, text in TYPED.items():
        page.locator(f"[name={name}]").press_sequentially(text)
        page.keyboard.press("Tab")
    for number, part in enumerate(("[data-stopa=terms]", "#advice")):
        page.locator(part).select_text()
        somebody.waits(lambda events, number=number: types(events)["cobrowse.selected"] > number)
    page.evaluate(SCROLL)
    somebody.waits(lambda events: types(events)["cobrowse.scrolled"])
    page.evaluate("stopa.event('compared', { tariff: 'solar' }); stopa.agent('click', 'order-button')")
    page.evaluate("window.mark = 7; history.pushState({}, '', '/solar?token=t0ken')")
    page.wait_for_timeout(50)
    page.get_by_text("Contact").click()
    page.wait_for_url("**/second")
    somebody.waits(lambda events: "Tariffs /second" in dict(map(reversed, said(events))))
    page.go_back(wait_until="commit")  # a restored page does not load
    wait_for(page, "window.mark === 7")
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/sent?*")
    events = somebody.waits(lambda events: "Tariffs /sent" in dict(map(reversed, said(events))))
    scrolled = [each for each in events if each.type == "cobrowse.scrolled"]
    assert 1 <= len(scrolled) <= 2
    assert said([each for each in events if each not in scrolled[1:]]) == [
        ("visit.started", ""),
        ("session.opened", ""),
        ("visitor.page_viewed", "Tariffs /"),
        ("cobrowse.clicked", "Compare tariffs"),
        *(("cobrowse.input_changed", name) for name in TYPED),
        ("cobrowse.selected", "terms"),
        ("cobrowse.selected", "advice"),
        ("cobrowse.scrolled", ""),
        ("cobrowse.custom", "compared"),
        ("cobrowse.clicked", "order-button"),
        ("visitor.page_viewed", "Tariffs /"),  # its address changed
        ("cobrowse.clicked", "Contact"),
        ("visitor.page_viewed", "Tariffs /second"),
        ("visitor.page_viewed", "Tariffs /"),  # restored
        ("cobrowse.clicked", "Send"),
        ("cobrowse.form_sent", "contact"),
        ("visitor.page_viewed", "Tariffs /sent"),
    ]
    assert len({each.session for each in events}) == 1
    assert [each.data["by"] for each in events if each.type == "cobrowse.clicked"][1:2] == ["agent"]
    inputs = [each.data for each in events if each.type == "cobrowse.input_changed"]
    assert [each["length"] for each in inputs] == [len(text) for text in TYPED.values()]
    values = [each.data["value"] for each in events if "value" in each.data]
    assert values == ["A-17", "Prices hold from 1 January and include tax.", '{"tariff":"solar"}']
    assert events[-1].data["url"] == f"{served.address}/sent"
    stored = b"".join(path.read_bytes() for path in Path(served.database).parent.iterdir())
    for text in (TYPED["person"], TYPED["password"], TYPED["card"], "t0ken", "Choose by what"):
        assert text.encode() not in stored, text


def test_nothing_is_lost_and_nothing_counts_twice(served: Portal, visitor: Any) -> None:
    somebody = visitor()
    page = somebody.open("/")
    somebody.waits(lambda events: types(events)["visitor.page_viewed"])

    def lose_answer(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/visit/**", lose_answer)
    page.get_by_text("Compare tariffs").click()
    somebody.waits(lambda events: types(events)["cobrowse.clicked"] == 1)
    page.unroute_all(behavior="wait")
    somebody.context.set_offline(True)
    page.get_by_text("Prices hold").click()
    page.get_by_text("Choose by").click()
    page.wait_for_timeout(QUIET_MS)
    somebody.context.set_offline(False)  # all three are sent, the first again
    somebody.waits(lambda events: types(events)["cobrowse.clicked"] == 3)
    page.evaluate("stopa.event('left', 1)")
    page.close()
    events = somebody.waits(lambda events: types(events)["cobrowse.custom"])
    assert [name for type_, name in said(events) if type_ == "cobrowse.clicked"] == [
        "Compare tariffs",
        "terms",
        "advice",
    ]
    assert said(events)[-1] == ("cobrowse.custom", "left")


def test_tabs_share_a_visit_that_is_left_with_the_last_of_them(served: Portal, visitor: Any) -> None:
    somebody = visitor()
    first = somebody.open("/")
    somebody.waits(lambda events: types(events)["visit.started"])
    second = somebody.open("/second")
    signature = identify.signature(SECRET, "jana@example.com")
    second.evaluate(f"stopa.identify('jana@example.com', '{signature}', 'Jana')")
    second.get_by_text("Compare tariffs").click()
    events = somebody.waits(lambda events: types(events)["cobrowse.clicked"])
    counted = types(events)
    assert (counted["visit.started"], counted["visitor.page_viewed"]) == (1, 2)
    assert counted["contact.identified"] == 1
    (token,) = {each.session for each in events}

    def is_left() -> bool:
        return bool(served.find("SELECT 1 FROM visit WHERE token = ? AND away_ms IS NOT NULL", token))

    second.close()
    first.wait_for_timeout(QUIET_MS)
    assert not is_left()
    first.close()
    until(is_left)


def test_before_consent_and_after_it_is_withdrawn_nothing_is_sent_or_stored(
    served: Portal, visitor: Any
) -> None:
    somebody = visitor()
    page = somebody.open("/asks")
    page.evaluate("stopa.event('early', 1)")
    page.get_by_text("Compare tariffs").click()
    page.wait_for_timeout(QUIET_MS)
    assert (somebody.sent, page.evaluate(STORED)) == ([], [0, 0])
    page.evaluate("stopa.push(['consent', true])")
    page.get_by_text("Compare tariffs").click()
    events = somebody.waits(lambda events: types(events)["cobrowse.clicked"])
    assert said(events)[-2:] == [
        ("visitor.page_viewed", "Tariffs /asks"),
        ("cobrowse.clicked", "Compare tariffs"),
    ]
    other = somebody.open("/asks")
    other.evaluate("stopa.consent(true)")
    somebody.waits(lambda events: types(events)["visitor.page_viewed"] == 2)
    page.evaluate("stopa.consent(false)")
    wait_for(other, "localStorage.length === 0")
    page.wait_for_timeout(100)
    somebody.sent.clear()
    for each in (page, other):
        each.get_by_text("Compare tariffs").click()
    page.wait_for_timeout(QUIET_MS)
    assert (somebody.sent, page.evaluate(STORED), other.evaluate(STORED)) == ([], [0, 0], [0, 0])


def test_global_privacy_control_turns_it_off(served: Portal, visitor: Any) -> None:
    somebody = visitor(PRIVATE)
    for path in ("/asks", "/"):
        page = somebody.open(path)
        page.evaluate("stopa.consent(true); stopa.event('compared', 1); stopa.identify('x')")
        page.get_by_text("Compare tariffs").click()
        page.get_by_role("button", name="Send").click()
        page.wait_for_url("**/sent?*")
    page.wait_for_timeout(QUIET_MS)
    assert (somebody.sent, page.evaluate(STORED), served.events()) == ([], [0, 0], [])


def test_an_invitation_is_shown_and_answered(served: Portal, visitor: Any) -> None:
    somebody = visitor()
    page = somebody.open("/")
    (started, *_others) = somebody.waits(lambda events: types(events)["visit.started"])
    ((visit,),) = served.find("SELECT id FROM visit WHERE token = ?", started.session)

    def invite(chat: str, seconds: int = 120) -> Locator:
        url = f"{served.address}/chat?visit={{visit}}"
        served.change("UPDATE site SET chat = ?, chat_url = ?, privacy_url = ?", chat, url, served.address)
        now_ms = clock.now_ms()
        served.change(
            "INSERT INTO invitation (visit_id, text, language, state, created_ms, until_ms)"
            " VALUES (?, ?, 'cs', 'waiting', ?, ?)",
            *(visit, WORDS["cs"], now_ms, now_ms + seconds * 1000),
        )
        served.change("UPDATE visit SET invitation = 'waiting' WHERE id = ?", visit)
        page.get_by_text("Compare tariffs").click()
        page.locator("[name=person]").focus()
        return page.get_by_role("complementary", name="Pozvánka k chatu")

    def answered(state: str) -> None:
        somebody.waits(lambda events: types(events)[f"chat.invite_{state}"] == 1)
        expect(box).to_have_count(0)

    page.evaluate(SHIFTS)
    box = invite("url")
    expect(box).to_contain_text(WORDS["cs"])
    expect(page.locator("stopa-box [role=status]")).to_contain_text(WORDS["cs"])
    assert page.evaluate("[document.activeElement.name, window.shifts]") == ["person", 0]
    yes, no = (box.locator(f".{name}").bounding_box() for name in ("yes", "no"))
    assert yes is not None
    assert no is not None
    assert (yes["width"], yes["height"]) == (no["width"], no["height"])
    box.get_by_role("link", name="Zahájit chat").focus()
    with somebody.context.expect_page() as opened:
        page.keyboard.press("Enter")
    assert opened.value.url == f"{served.address}/chat?visit={started.session}"
    assert opened.value.evaluate("window.opener") is None
    opened.value.close()
    answered("accepted")

    box = invite("url")
    box.get_by_role("button", name="Ne, děkuji").wait_for()
    page.keyboard.press("Escape")  # belongs to the field
    page.locator("[name=person]").evaluate("(field) => field.blur()")
    expect(box).to_have_count(1)
    page.keyboard.press("Escape")
    answered("rejected")

    box = invite("", seconds=1)
    expect(box).to_have_count(1)
    answered("ignored")

    page.evaluate(CHATWOOT)
    box = invite("chatwoot")
    box.get_by_role("button", name="Zahájit chat").click()
    mark = {"stopa_visit": started.session}
    assert page.evaluate("window.calls") == [
        ["setCustomAttributes", mark],
        ["setConversationCustomAttributes", mark],
        ["toggle", "open"],
    ]
    somebody.waits(lambda events: types(events)["chat.invite_accepted"] == 2)


@pytest.mark.parametrize("language", WORDS)
def test_the_box_is_accessible_and_covers_nothing_for_good(visitor: Any, language: str) -> None:
    say = translator(language)
    invite = {
        "id": 1,
        "text": WORDS[language],
        "lang": language,
        "seconds": 120,
        "chat": {"kind": "chatwoot"},
        "title": say(invitations.TITLE),
        "accept": say(invitations.ACCEPT),
        "decline": say(invitations.DECLINE),
        "note": say(invitations.NOTE),
        "privacy": {"url": "/privacy", "text": say(invitations.PRIVACY)},
    }
    for width, scheme in ((390, "dark"), (1440, "light")):
        somebody = visitor(
            viewport={"width": width, "height": 844}, color_scheme=scheme, locale=TAGS[language]
        )
        page = somebody.open(f"/{language}")
        page.add_script_tag(url=page.locator("script").evaluate("(one) => one.src.replace('.js', '-box.js')"))
        page.evaluate("(invite) => stopa.box(invite, () => {}, 'v')", invite)
        box = page.get_by_role("complementary")
        expect(box).to_be_in_viewport(ratio=1)
        found = Axe().run(page, options=AXE).response["violations"]
        assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
        assert page.evaluate("document.documentElement.scrollWidth") == width
        if width == 390:
            page.evaluate("scrollTo(0, 1e6)")
            bottom = page.locator("main").evaluate("(main) => main.getBoundingClientRect().bottom")
            place = box.bounding_box()
            assert place is not None
            assert place["y"] >= bottom
