"""The script of portals in a browser, on a site under a strict policy, against a server with a worker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Route

from dashboard.visitors import identify
from tests.browser.portal import SECRET, Happened, Portal, types, wait_for
from tests.test_start import until

QUIET_MS = 600  # records leave within 250 ms
STORED = "[localStorage.length, sessionStorage.length]"
BLOCKED = """for (const name of ["localStorage", "sessionStorage"])
  Object.defineProperty(window, name, { get() { throw new Error("blocked") } })"""
PRIVATE = "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true })"
TYPED = {
    "person": "Jana",
    "order": "A-17",
    "password": "hunter2",
    "shown": "hunter3",
    "card": "4111111111111111",
}
SCROLL = """async () => {
  for (let n = 1; n <= 10; n++) {
    scrollTo(0, n * 100)
    await new Promise((done) => setTimeout(done, 30))
  }
}"""


def said(events: list[Happened]) -> list[tuple[str, str]]:
    """Return the type of each event and what it is about."""
    names = ("element", "form", "name", "title")
    return [
        (each.type, next((each.data[name] for name in names if name in each.data), "")) for each in events
    ]


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
    assert 1 <= len(scrolled) < 5  # of ten and more
    repeated = {id(each) for each in scrolled[1:]}
    assert said([each for each in events if id(each) not in repeated]) == [
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
    for text in (*(typed for name, typed in TYPED.items() if name != "order"), "t0ken", "Choose by what"):
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


def test_whatever_fails_the_page_is_not_disturbed(visitor: Any) -> None:
    """Neither by what the server answers, nor where nothing can be stored; only the browser notes answers."""
    somebody = visitor(BLOCKED)
    page = somebody.open("/")
    answers = iter(
        ("abort", (500, ""), (200, "<html>"), (429, "{}"), (204, ""), (200, '{"invite":{}}'), (403, "{}"))
    )
    given = []

    def answer(route: Route) -> None:
        given.append(next(answers, "abort"))
        if given[-1] == "abort":
            route.abort()
        else:
            status, body = given[-1]
            route.fulfill(status=status, body=body, headers={"Access-Control-Allow-Origin": "*"})

    page.route("**/visit/**", answer)
    for number in range(1, 8):
        page.get_by_text("Compare tariffs").click()
        page.evaluate("dispatchEvent(new Event('online'))")
        somebody.waits(lambda events, number=number: len(given) >= number)
    page.get_by_text("Compare tariffs").click()
    page.evaluate("stopa.event(); stopa.event('x', window); stopa.push(); stopa.identify(); stopa.agent()")
    page.evaluate("history.pushState({}, '', '/solar')")
    page.wait_for_timeout(QUIET_MS)
    assert len(given) == 7, "a site that is switched off is left alone"
    (problems,) = somebody.problems
    problems[:] = [text for text in problems if " answers " not in text]


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
