"""Rules invite the visitors of portal sites: once per visit, in the visitor's language, with a trace."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from dashboard.models import Invitation, Notification, Rule, Run, Step, Visit
from dashboard.notify import deliver, outbox
from dashboard.rules import active_rules, limit_store
from dashboard.rules.backtest.replay import Period, walk
from dashboard.rules.backtest.simulator import Simulator
from dashboard.rules.timing import deadline_worker
from dashboard.visitors import invitations
from tests import make
from tests.rules.engine import NOON, digest, event, notify, outcomes, rule, send, steps, take
from tests.visitors.visits import chains, events, site, visit

pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("db")]

TEXTS = {"cs": "Mohu pomoci?", "pt_br": "Posso ajudar?"}
EVERYTHING = ("all_users", "all_queues")
INVITE = {"do": "invite", "text": "May I help?", "texts": TEXTS}


@pytest.fixture
def portal() -> Any:
    make.user("full", access=make.access([], EVERYTHING))
    with time_machine.travel(NOON / 1000, tick=False) as travel:
        yield travel, site()


def idle(of: Visit, seconds: float = 0, type_: str = "visitor.idle", **more: Any) -> dict[str, Any]:
    return event(type_, seconds, session=of.token, **more)


def invited() -> list[tuple[int, int | None, str]]:
    query = Invitation.select(Invitation.visit, Invitation.rule_id, Invitation.text)
    return list(query.order_by(Invitation.id).tuples())


def test_ten_idle_visitors_of_whom_one_was_invited_make_nine_invitations_by_two_rules(portal: Any) -> None:
    _travel, of = portal
    visits = [visit(of) for _ in range(8)]
    visits += [visit(of, language="pt-BR"), visit(of, language="ja")]
    assert invitations.invite(visits[0].id, {"": "By hand"}, user_id=1) is not None
    first, second = (rule([INVITE], ["visitor.idle"], position=n) for n in (1, 2))
    take(*map(idle, visits), source="portal")
    said = ["Mohu pomoci?"] * 7 + ["Posso ajudar?", "May I help?"]
    assert invited()[1:] == [(one.id, first.id, text) for one, text in zip(visits[1:], said, strict=True)]
    assert outcomes(first) == [(first.id, "cancelled"), *[(first.id, "done")] * 9]
    assert outcomes(second) == [(second.id, "cancelled")] * 10
    assert {error for (error,) in steps(Step.error)} == {"", invitations.STILL_OPEN}
    made = [(receipt, payload["text"]) for receipt, payload in steps(Step.receipt, Step.payload) if receipt]
    numbers = [row.id for row in Invitation.select().order_by(Invitation.id)][1:]
    assert made == list(zip(({"invitation": number} for number in numbers), said, strict=True))
    take(*(idle(one, 60) for one in visits), source="portal")
    assert len(invited()) == 10
    assert chains(visits[1]) == [[first.id]]
    assert [type_ for type_, _ms in events(visits[1])] == ["visitor.idle", "chat.invited", "visitor.idle"]


@pytest.mark.parametrize(
    ("columns", "more", "outcome", "why"),
    [
        ({}, {}, "done", ""),
        ({"away_ms": NOON}, {}, "cancelled", invitations.AWAY),
        ({"ended_ms": NOON}, {}, "cancelled", invitations.ENDED),
        ({"invited_ms": NOON, "invitation": "rejected"}, {}, "cancelled", invitations.BEFORE),
        ({"invited_ms": NOON, "invitation": "rejected"}, {"repeat": True}, "done", ""),
        ({"token": "another"}, {}, "failed", "The event isn't about a visit to one of the web sites."),
    ],
)
def test_run_says_why_there_is_no_invitation(
    portal: Any, columns: dict[str, Any], more: dict[str, Any], outcome: str, why: str
) -> None:
    _travel, of = portal
    one = visit(of, **columns)
    one.token = "same" if columns.get("token") else one.token
    made = rule([{**INVITE, **more}], ["visitor.idle"])
    assert take(idle(one), source="portal") == [(made.id, outcome)]
    assert steps(Step.action, Step.error) == [("invite", why)]
    assert bool(invited()) is (outcome == "done")


def test_dry_run_and_backtest_count_one_invitation_per_visit_and_invite_nobody(portal: Any) -> None:
    _travel, of = portal
    one, other = visit(of), visit(of)
    made = rule([INVITE], ["visitor.idle"], state="shadow")
    take(*(idle(each, n) for n, each in enumerate([one, one, other, one])), source="portal")
    assert not Invitation.select().exists()
    assert [held for (held,) in Run.select(Run.held).order_by(Run.id).tuples()] == [0, 1, 0, 1]
    live = active_rules.load(made)
    assert live is not None
    tried = [
        each.outcome
        for batch in walk(Simulator(live), Period(NOON - 1, NOON + 10_000))
        for each in batch.found
    ]
    assert tried == ["acted", "throttled", "acted", "throttled"]


def test_delayed_invitation_is_made_in_the_transaction_of_its_step_or_says_why_not(portal: Any) -> None:
    travel, of = portal
    here, left = visit(of), visit(of)
    made = rule([{**INVITE, "delay_s": 30}], ["visitor.idle"])
    assert take(idle(here), idle(left), source="portal") == [(made.id, "waiting")] * 2
    Visit.update(away_ms=NOON + 1).where(Visit.id == left.id).execute()
    travel.move_to(NOON / 1000 + 31)
    for step in outbox.WORK.claim("w", batch=lambda _row: (None, 10)):
        deliver.carry(step)
    assert outcomes() == [(made.id, "done"), (made.id, "cancelled")]
    assert [row[0] for row in invited()] == [here.id]
    assert [error for (error,) in steps(Step.error)] == ["", invitations.AWAY]


def test_wait_ends_without_invitation_once_the_visitor_is_active(portal: Any) -> None:
    travel, of = portal
    still, active, other = visit(of), visit(of), visit(of)
    wait = {"seconds": 60, "unless": ["visitor.active"]}
    made = rule([INVITE], ["visitor.idle"], wait=wait)
    take(idle(still), idle(active), source="portal")
    send(idle(active, 20, "visitor.active"), idle(other, 21, "visitor.active"), source="portal")
    digest()
    travel.move_to(NOON / 1000 + 61)
    deadline_worker.run_due()
    assert sorted(outcomes()) == [(made.id, "cancelled"), (made.id, "done")]
    assert [row[0] for row in invited()] == [still.id]


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ({"often": "once", "by": "subject"}, ["done", "throttled", "done", "done", "done"]),
        ({"often": "once", "by": "contact"}, ["done", "throttled", "done", "done", "throttled"]),
        ({"often": "once", "by": "rule"}, ["done", *["throttled"] * 4]),
    ],
)
def test_limits_count_visits_and_contacts_and_an_unknown_visitor_is_a_contact_by_the_visit(
    portal: Any, limit: dict[str, Any], expected: list[str]
) -> None:
    _travel, of = portal
    one, other, known, same = (visit(of) for _ in range(4))
    rule([{"do": "log", "text": "idle", "limit": limit}], ["visitor.idle"])
    jana = {"email": "jana@example.org"}
    first = [idle(one), idle(one, 1), idle(other, 2)]
    take(*first, idle(known, 3, contact=jana), idle(same, 4, contact=jana), source="portal")
    assert [outcome for _rule, outcome in outcomes()] == expected


def test_answer_caused_by_a_rule_does_not_run_the_rule_again(portal: Any) -> None:
    _travel, of = portal
    one = visit(of)
    made = rule([{**INVITE, "repeat": True}], ["visitor.idle", "chat.invite_rejected"])
    noted = rule([{"do": "log", "text": "{{ event.type }}"}], ["chat.invite_rejected"])
    take(idle(one), source="portal")
    [row] = Invitation.select()
    assert invitations.answered(Visit.get_by_id(one.id), row.id, "rejected", NOON + 5000)
    digest()
    assert outcomes() == [(made.id, "done"), (made.id, "loop_stopped"), (noted.id, "done")]
    assert Invitation.select().count() == 1


def test_placeholders_hold_what_the_event_says_of_the_visitor(portal: Any) -> None:
    _travel, of = portal
    text = "{{ visitor.url }} {{ visitor.idle_s }} {{ contact.name }} {{ visitor.ip }}"
    made = rule([{"do": "invite", "text": text}], ["visitor.idle"], updated_by=make.administrator().id)
    data = {"url": "https://example.org/price", "idle_s": 120, "ip": "192.0.2.0"}
    take(idle(visit(of), data=data, contact={"name": "Jana", "email": "j@example.org"}), source="portal")
    assert invited() == [(1, made.id, "https://example.org/price 0:02:00 Jana 192.0.2.0")]


def test_visitors_who_are_idle_in_one_minute_do_not_pause_the_rule(
    portal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _travel, of = portal
    monkeypatch.setattr(limit_store, "MOST_A_MINUTE", 2)
    made = rule([{"do": "tag", "tags": ["idle"]}], ["visitor.idle"])
    take(*(idle(visit(of)) for _ in range(4)), source="portal")
    assert outcomes() == [(made.id, "done")] * 4
    assert Rule.get_by_id(made.id).state == "on"


def test_notification_about_a_visitor_leads_to_the_visit_for_who_may_open_it(portal: Any) -> None:
    _travel, of = portal
    one = visit(of)
    readers = [make.administrator(), make.user("blind", access=make.access([], EVERYTHING))]
    rule([notify(*readers)], ["visitor.idle"])
    take(idle(one), idle(visit(of, token="gone"), 1), source="portal")
    Visit.delete().where(Visit.token == "gone").execute()
    take(event("visitor.idle", 2, session="gone"), source="portal")
    urls = [n.url for n in Notification.select().where(Notification.user_id == readers[0].id)]
    assert urls == [f"/visitors/{one.id}", f"/visitors/{one.id + 1}", ""]
    assert {n.url for n in Notification.select().where(Notification.user_id == readers[1].id)} == {""}
