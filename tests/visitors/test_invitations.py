"""An invitation to a chat is made once per visit, and each of its states is recorded once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
import time_machine

from dashboard.db import connected, database
from dashboard.models import Contact, Event, Invitation, Visit
from dashboard.visitors import invitations
from tests.visitors.visits import NOON, chains, events, site, visit

pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("db")]

TEXTS = {"": "May I help?", "cs": "Mohu pomoci?", "pt-BR": "Posso ajudar?"}


@pytest.fixture(autouse=True)
def _noon() -> Any:
    with time_machine.travel(NOON / 1000, tick=False):
        yield


def state(of: Visit) -> tuple[str, list[str]]:
    """Return what the visit and its invitations say."""
    query = Invitation.select(Invitation.state).where(Invitation.visit == of.id).order_by(Invitation.id)
    return Visit.get_by_id(of.id).invitation, [row[0] for row in query.tuples()]


def reread(of: Visit) -> Visit:
    found: Visit = Visit.get_by_id(of.id)
    return found


def test_one_invitation_per_visit_unless_again_and_none_for_who_is_away() -> None:
    portal = site()
    first = visit(portal)
    assert invitations.invite(first.id, TEXTS) is not None
    assert invitations.invite(first.id, TEXTS, rule_id=2) is None
    assert invitations.invite(first.id, TEXTS, rule_id=2, again=True) is None  # one is open
    [found] = Invitation.select()
    assert invitations.answered(reread(first), found.id, "rejected", NOON)
    assert invitations.invite(first.id, TEXTS) is None
    assert invitations.invite(first.id, TEXTS, again=True) is not None
    assert state(first) == ("waiting", ["rejected", "waiting"])
    for gone in ({"away_ms": NOON}, {"ended_ms": NOON}):
        assert invitations.invite(visit(portal, **gone).id, TEXTS) is None
    assert invitations.invite(999_999, TEXTS) is None


@pytest.mark.parametrize(
    ("language", "by", "chosen"),
    [
        ("cs-CZ", {"rule_id": 1}, ("Mohu pomoci?", "cs", "Zahájit chat")),
        ("pt-br", {"rule_id": 1}, ("Posso ajudar?", "pt-BR", "Start the chat")),
        ("pt", {"rule_id": 1}, ("May I help?", "en", "Start the chat")),
        ("ja", {"rule_id": 1}, ("May I help?", "en", "Start the chat")),
        ("ja", {"user_id": 1}, ("May I help?", "ja", "チャットを始める")),
        ("", {"user_id": 1}, ("May I help?", "en", "Start the chat")),
    ],
)
def test_text_and_words_of_the_box_are_in_the_language_of_the_visitor(
    language: str, by: dict[str, int], chosen: tuple[str, str, str]
) -> None:
    one = visit(site(), language=language)
    assert invitations.invite(one.id, TEXTS, **by) is not None
    box = invitations.waiting(reread(one), language, NOON)
    assert box is not None
    assert (box["text"], box["lang"], box["accept"]) == chosen


def test_box_says_what_the_page_needs_until_it_is_answered() -> None:
    portal = site(privacy_url="https://example.org/privacy")
    one = visit(portal)
    assert invitations.waiting(one, "cs", NOON) is None
    made = invitations.invite(one.id, TEXTS, seconds=60)
    assert made is not None
    assert invitations.waiting(reread(one), "cs", NOON + 59_000) == {
        "id": made.id,
        "text": "Mohu pomoci?",
        "lang": "cs",
        "title": "Pozvánka k\N{NO-BREAK SPACE}chatu",
        "accept": "Zahájit chat",
        "decline": "Ne, děkuji",
        "note": "Když chat zahájíte, jeho text uchováme, abychom mohli vyřídit váš dotaz.",
        "seconds": 60,
        "chat": {"kind": ""},
        "privacy": {"url": "https://example.org/privacy", "text": "Jak s\N{NO-BREAK SPACE}údaji zacházíme"},
    }
    assert invitations.waiting(reread(one), "cs", NOON + 60_000) is None
    assert invitations.answered(reread(one), made.id, "shown", NOON + 10_000)
    on_next_page = invitations.waiting(reread(one), "cs", NOON + 30_000)
    assert on_next_page is not None
    assert on_next_page["seconds"] == 40
    assert invitations.answered(reread(one), made.id, "accepted", NOON + 31_000)
    assert invitations.waiting(reread(one), "cs", NOON + 31_000) is None


@pytest.mark.parametrize(
    ("chat", "url", "opened"),
    [
        ("", "https://chat.example/", {"kind": ""}),
        ("chatwoot", "", {"kind": "chatwoot"}),
        ("url", "javascript:alert(1)//https://chat.example/", {"kind": ""}),
        ("url", "//chat.example/", {"kind": ""}),
        ("url", "https://[chat", {"kind": ""}),
        (
            "url",
            "https://chat.example/?v={visit}&l={language}&p={page}&c={contact}&x={other}",
            {
                "kind": "url",
                "url": "https://chat.example/?v=visit-a%2Fb&l=cs-CZ&p=https%3A%2F%2Fexample.org%2Fprice"
                "&c=Jana%20%26%20%7Bvisit%7D&x={other}",
            },
        ),
    ],
)
def test_chat_opens_at_a_web_address_with_quoted_values(chat: str, url: str, opened: dict[str, str]) -> None:
    contact = Contact.create(key="1:Jana & {visit}", name="Jana & {visit}")
    one = visit(site(chat=chat, chat_url=url), token="visit-a/b", contact_id=contact.id)
    invitations.invite(one.id, TEXTS)
    box = invitations.waiting(reread(one), "cs", NOON)
    assert box is not None
    assert box["chat"] == opened
    assert [json.loads(row.contact) for row in Event.select()] == [{"name": "Jana & {visit}"}]


@pytest.mark.parametrize(
    ("reports", "end", "recorded"),
    [
        (["shown", "shown", "accepted", "accepted", "ignored"], "accepted", ["invite_accepted"]),
        (["shown", "rejected", "accepted", "shown"], "rejected", ["invite_rejected"]),
        (["rejected", "shown"], "rejected", ["invite_rejected"]),
        (["shown", "ignored", "accepted"], "ignored", ["invite_ignored"]),
        (["waiting", "lapsed", "other"], "waiting", []),
    ],
)
def test_states_go_forward_and_each_is_recorded_once(
    reports: list[str], end: str, recorded: list[str]
) -> None:
    portal = site(queue_id=7)
    one, other = visit(portal), visit(portal)
    made = invitations.invite(one.id, TEXTS, rule_id=4, chain=(9, 4))
    assert made is not None
    for second, report in enumerate(reports):
        assert not invitations.answered(other, made.id, report, NOON)
        before = state(one)
        changed = invitations.answered(reread(one), made.id, report, NOON + second)
        assert changed is (state(one) != before)
    assert state(one) == (end, [end])
    types = [type_ for type_, _ms in events(one)]
    assert types == ["chat.invited", *(f"chat.{name}" for name in recorded)]
    assert chains(one) == [[9, 4]] * len(types)
    rows = Event.select().where(Event.session == one.token).order_by(Event.id)
    assert {(row.source_id, row.queue_id, row.user_id) for row in rows} == {(portal.source_id, 7, None)}
    assert json.loads(rows[0].data) == {
        "hits": 3,
        "duration_s": 300,
        "idle_s": 120,
        "language": "cs-CZ",
        "url": "https://example.org/price",
        "message": "Mohu pomoci?",
        "rule": "4",
    }


def test_a_deadline_ends_what_was_shown_as_ignored_and_what_was_not_as_lapsed() -> None:
    portal = site()
    shown, unseen, late, ended = (visit(portal) for _ in range(4))
    assert invitations.expired(shown, NOON) is None
    made = [invitations.invite(one.id, TEXTS, seconds=60) for one in (shown, unseen, late, ended)]
    assert {Visit.get_by_id(one.id).due_ms for one in (shown, unseen)} == {NOON + 60_000}
    assert invitations.answered(reread(shown), made[0].id, "shown", NOON + 20_000)  # type: ignore[union-attr]
    assert invitations.expired(reread(shown), NOON + 84_999) == NOON + 85_000
    assert invitations.expired(reread(unseen), NOON + 59_999) == NOON + 60_000
    for one in (shown, unseen, late):
        for _again in range(2):
            assert invitations.expired(reread(one), NOON + 85_000) is None
    Visit.update(ended_ms=NOON + 1).where(Visit.id == ended.id).execute()
    assert invitations.expired(reread(ended), NOON + 1) is None
    assert invitations.answered(reread(late), made[2].id, "shown", NOON + 90_000)  # type: ignore[union-attr]
    assert [state(one)[0] for one in (shown, unseen, late, ended)] == ["ignored", "lapsed", "shown", "lapsed"]
    assert events(shown) == [("chat.invited", 0), ("chat.invite_ignored", 85_000)]
    assert events(unseen) == events(late) == events(ended) == [("chat.invited", 0)]


def test_invitation_is_rolled_back_with_its_cause() -> None:
    one = visit(site())
    with database.atomic() as transaction:
        assert invitations.invite(one.id, TEXTS) is not None
        transaction.rollback()
    assert (state(one), events(one)) == (("", []), [])
    assert invitations.invite(one.id, TEXTS) is not None


def test_two_workers_at_once_invite_ten_visitors_once_each() -> None:
    portal = site()
    visits = [visit(portal) for _ in range(10)]
    assert invitations.invite(visits[0].id, TEXTS) is not None
    start = Barrier(2)

    def worker(rule_id: int) -> int:
        with connected():
            start.wait()
            made = [invitations.invite(one.id, TEXTS, rule_id=rule_id) for one in visits]
        return sum(each is not None for each in made)

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(worker, (1, 2))) == 9
    assert [state(one) for one in visits] == [("waiting", ["waiting"])] * 10
    assert Event.select().where(Event.type == "chat.invited").count() == 10
