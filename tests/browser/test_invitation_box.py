"""The box that invites a visitor to a chat: shown, answered, accessible; and the whole way to the chat."""

from __future__ import annotations

import json
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, expect

from dashboard import clock
from dashboard.i18n import translator
from dashboard.visitors import invitations
from tests.browser.portal import ADMIN, PASSWORD, Portal, types
from tests.browser.rounds import AXE
from tests.browser.window import TAGS, WAIT_MS, fill_sign_in

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
        page.get_by_role("button", name="Send").focus()
        for word in (invite["accept"], invite["decline"], invite["privacy"]["text"]):
            page.keyboard.press("Tab")
            assert page.evaluate("document.activeElement.shadowRoot.activeElement.textContent") == word
        if width == 390:
            page.evaluate("scrollTo(0, 1e6)")
            bottom = page.locator("main").evaluate("(main) => main.getBoundingClientRect().bottom")
            place = box.bounding_box()
            assert place is not None
            assert place["y"] >= bottom
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert box.evaluate("(box) => getComputedStyle(box).fontSize") == "30px"
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_the_recipe_leads_an_idle_visitor_from_the_box_into_the_chat_and_the_story(
    portal_browser: Browser, served: Portal, visitor: Any
) -> None:
    staff = portal_browser.new_context(base_url=served.stopa, locale="en-GB").new_page()
    staff.goto("/sign-in")
    fill_sign_in(staff, ADMIN, PASSWORD)
    staff.goto("/rules/recipes/visitors/1")
    staff.get_by_label("Only on pages whose address contains").fill("/cs-idle")
    staff.get_by_label("An accepted invitation opens").select_option("url")
    staff.get_by_label("Chat address").fill(f"{served.address}/chat?visit={{visit}}&in={{language}}")
    staff.get_by_role("button", name="Add rule").click()
    expect(staff.get_by_text("Saved. The rule is on.")).to_be_visible()
    served.change("UPDATE site SET idle_s = 1")

    somebody, other = visitor(), visitor()
    page, elsewhere = somebody.open("/cs-idle"), other.open("/other")
    reports: list[dict[str, Any]] = []
    page.on("request", lambda sent: reports.append(json.loads(sent.post_data or "{}")))
    box = page.get_by_role("complementary", name="Pozvánka k chatu")
    expect(box).to_contain_text("Dobrý den, můžeme vám pomoci?", timeout=WAIT_MS)
    page.evaluate("((own) => { Date.now = () => own() + 6000 })(Date.now); scrollTo(0, 500)")
    page.wait_for_timeout(1000)  # a scroll is noted after 500 ms and leaves within 250 ms
    kinds = [one["k"] for each in reports for one in each.get("e", ())]
    assert "scroll" not in kinds, "a page that scrolls by itself is nothing that the visitor does"
    shown = [each["a"] for each in reports if any(one["k"] == "invite" for one in each.get("e", ()))]
    assert shown[0] >= 1000, "a box that is shown is nothing that the visitor does"
    with somebody.context.expect_page() as opened:
        box.get_by_role("link", name="Zahájit chat").click()
    (visit, session), (_other, uninvited) = served.find(
        "SELECT id, token FROM visit WHERE first_url LIKE ? OR first_url LIKE ? ORDER BY first_url",
        *("%/cs-idle", "%/other"),
    )
    assert opened.value.url == f"{served.address}/chat?visit={session}&in=cs-CZ"
    somebody.waits(lambda events: types(events)["chat.invite_accepted"])
    invited = [each.type for each in somebody.site.events() if each.session == session]
    steps = ["visitor.idle", "chat.invited", "chat.invite_accepted"]
    assert [type_ for type_ in invited if type_ in steps] == steps
    other.waits(lambda events: ("visitor.idle", uninvited) in [(each.type, each.session) for each in events])
    served.change("UPDATE site SET idle_s = 120")
    expect(elsewhere.get_by_role("complementary")).to_have_count(0)
    staff.goto(f"/visitors/{visit}")
    expect(staff.get_by_text("Chat invitation accepted")).to_be_visible()
    expect(staff.get_by_label("Invitations")).to_contain_text("Invite idle visitors: Portal")
    staff.context.close()
