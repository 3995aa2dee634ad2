"""Actions of rules that change tickets and conversations by the help desk's own API, once each."""

from __future__ import annotations

import hmac
import json
import time
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from dashboard.events import record
from dashboard.jobs import worker
from dashboard.models import Channel, Connector, EventCause, Run, Step
from dashboard.notify import addresses, channel_check, help_desk, result, safe_http, webhook
from dashboard.rules import action_planner, loop_guard
from tests.notify import receivers, steps
from tests.notify.help_desk_server import TOKEN, Desk
from tests.notify.receivers import receiving
from tests.rules.engine import NOON, event, rule, send, take

pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("app", "quick")]
SECRET = "a-secret-of-twenty-letters"
ITEMS = {"zammad": "81", "chatwoot": "207"}
ACTIONS = [
    {"do": "source_status", "value": "closed"},
    {"do": "source_priority", "value": "{{ data.value }}"},
    {"do": "source_assign", "value": "agent7@example.com"},
    {"do": "source_transfer", "value": "Billing"},
    {"do": "source_note", "text": "Seen by {{ event.type }}"},
]


def connected(desk: Desk, token: str = TOKEN, **fields: Any) -> Connector:
    """Make the connector of a help desk with its API."""
    channel = steps.channel(desk.address, desk.kind, ordered=True, **{"secret": token, **fields})
    source = record.source(desk.kind)
    made: Connector = Connector.create(
        source=source, kind=desk.kind, secret=SECRET, channel=channel, created_ts=1
    )
    return made


def step(connector: Connector, do: str, value: str, **fields: Any) -> Step:
    payload = {"do": do, "interaction": ITEMS[connector.kind], "value": value}
    return steps.step(
        do, channel_id=connector.channel_id, payload={**payload, **fields.pop("payload", {})}, **fields
    )


@pytest.mark.parametrize("kind", ITEMS)
def test_a_rule_changes_the_item_of_its_event_and_keeps_receipts(kind: str) -> None:
    desk = Desk(kind)
    with desk.serving():
        connected(desk)
        one = rule(ACTIONS, types=["custom.sale"])
        sale = event(interaction=ITEMS[kind], data={"value": "high"})
        assert take(sale, source=kind) == [(one.id, "waiting")]
        assert worker.drain() == 5
    of_kind = {
        "zammad": [("state", "closed"), ("owner", "agent7@example.com"), ("group", "Billing")],
        "chatwoot": [("status", "closed"), ("assignee_id", 7), ("team_id", 3)],
    }
    status, *others = of_kind[kind]
    hidden = ("priority", "•••")  # the author of the rule may not see data
    assert desk.changes == [status, hidden, *others, ("note", "Seen by custom.sale")]
    [note] = desk.notes
    assert note.get("internal", note.get("private")) is True
    assert [(each.state, each.receipt["status"], each.recipient) for each in Step.select()] == [
        ("done", 201 if each.action == "source_note" else 200, ITEMS[kind]) for each in Step.select()
    ]
    assert Run.get(Run.rule_id == one.id).outcome == "done"


def test_another_system_gets_the_change_as_a_signed_webhook_with_the_rules_that_caused_it(
    app: Flask,
) -> None:
    with receiving() as receiver:
        safe_http.install([receiver.place])
        channel = steps.channel(receiver.url, secret=SECRET)
        source = record.source("shop")
        Connector.create(source=source, kind="mapped", secret=SECRET, channel=channel, created_ts=1)
        one = rule(ACTIONS[:1], types=["custom.sale"])
        send(event(interaction="o-7"), source="shop")
        worker.drain()
    [got] = receiver.got
    key = Step.get().key
    assert json.loads(got.body) == {"id": key, "do": "source_status", "interaction": "o-7", "value": "closed"}
    stamp = int(got.headers["webhook-timestamp"])
    assert got.headers["webhook-signature"] == webhook.signature(SECRET, key, stamp, got.body)
    with app.app_context():
        assert loop_guard.read_chain(got.headers["stopa-chain"]) == (one.id,)
    assert Step.get().state == "done"


def test_what_cannot_be_changed_fails_at_once_and_says_why() -> None:
    desk = Desk("zammad")
    with desk.serving():
        for sender, item, why in (
            ("pbx", "81", action_planner.NO_API),
            ("zammad", None, action_planner.NO_ITEM),
        ):
            if sender == "zammad":
                connected(desk)
            one = rule(ACTIONS[:1], types=["custom.sale"])
            send(event(interaction=item), source=sender)
            worker.drain(["digest"])
            failed = Step.select().order_by(Step.id.desc()).get()
            assert (failed.state, failed.error) == ("failed", why)
            one.delete_instance()
        Channel.update(active=False).execute()
        one = rule(ACTIONS[:1], types=["custom.sale"])
        send(event(interaction="81"), source="zammad")
        worker.drain(["digest"])
        assert Step.select().order_by(Step.id.desc()).get().error == action_planner.OFF_CHANNEL
    assert desk.requests == []


FAULTS: tuple[tuple[str, Any, bool, str, str], ...] = (
    # what the help desk does, whether it has done the change before, state and error after it
    ("500", receivers.answers(500), False, "waiting", result.FAILING),
    ("429", receivers.answers(429, b"", {"Retry-After": "90"}), False, "waiting", result.BUSY),
    ("slow", receivers.sleeps(1.5), True, "waiting", result.SLOW),
    ("cut", receivers.cuts, True, "waiting", result.UNREACHED),
    ("500 after the change", receivers.answers(500), True, "waiting", result.FAILING),
    (
        "redirect",
        receivers.answers(302, b"", {"Location": "http://127.0.0.1/"}),
        False,
        "waiting",
        result.REDIRECTED,
    ),
    ("403", receivers.answers(403), False, "failed", help_desk.BAD_TOKEN),
    ("404", receivers.answers(404), False, "failed", result.REFUSED),
)


@pytest.mark.parametrize("kind", ITEMS)
def test_faults_are_tried_again_and_no_change_is_made_twice(
    kind: str, clock: time_machine.Coordinates
) -> None:
    desk = Desk(kind)
    with desk.serving():
        connector = connected(desk)
        for name, fault, is_done, state, error in FAULTS:
            for do, value in (("source_note", f"After {name}"), ("source_priority", f"as of {name}")):
                before = len(desk.changes)
                desk.faults.append((fault, is_done))
                made = step(connector, do, value)
                assert worker.drain() >= 1, (name, do)
                kept = steps.again(made)
                assert (kept.state, kept.error) == (state, error), (name, do)
                if state == "waiting":
                    assert kept.due_ms >= (time.time() + (85 if name == "429" else 50)) * 1000, name
                    clock.shift(120)
                    assert worker.drain() == 1
                    kept = steps.again(made)
                    assert (kept.state, kept.attempts) == ("done", 2), (name, kept.error)
                assert len(desk.changes) - before == (state == "waiting"), (name, do)


def test_a_worker_that_died_after_a_note_does_not_write_it_twice_and_the_same_note_may_be_written_later(
    clock: time_machine.Coordinates,
) -> None:
    for kind in ITEMS:
        desk = Desk(kind)
        with desk.serving():
            connector = connected(desk)
            made = step(connector, "source_note", "Call back")
            assert worker.drain() == 1
            Step.update(state="waiting").where(Step.id == made.id).execute()
            assert (worker.drain(), len(desk.notes)) == (1, 1)
            clock.shift(3600)
            step(connector, "source_note", "Call back")
            assert (worker.drain(), len(desk.notes)) == (1, 2)


def test_what_the_help_desk_refuses_is_final_and_a_wrong_token_says_so() -> None:
    for kind, do, value, token, error in (
        ("zammad", "source_status", "gone fishing", TOKEN, result.REFUSED),
        ("zammad", "source_note", "x", "old", help_desk.BAD_TOKEN),
        ("chatwoot", "source_assign", "nobody@example.com", TOKEN, help_desk.NO_AGENT),
        ("chatwoot", "source_transfer", "nowhere", TOKEN, help_desk.NO_TEAM),
        ("chatwoot", "source_status", "open", "old", help_desk.BAD_TOKEN),
    ):
        desk = Desk(kind)
        with desk.serving():
            connector = connected(desk, token)
            failed = step(connector, do, value)
            assert worker.drain() >= 1
            assert (steps.again(failed).state, steps.again(failed).error) == ("failed", error)
            assert "old" not in json.dumps(steps.again(failed).receipt)
        assert desk.changes == []
        Connector.delete().execute()


def test_no_private_address_and_no_other_path_is_called() -> None:
    desk = Desk("zammad")
    with desk.serving(allowed=False):
        refused = step(connected(desk), "source_status", "closed")
        worker.drain()
        assert (steps.again(refused).state, steps.again(refused).error) == ("failed", addresses.PRIVATE)
    desk = Desk("chatwoot")
    with desk.serving():
        connector = connected(desk)
        for ident in ("207/../../../../api", "207?x=1", "207#", "../agents", "", "٢"):
            made = step(connector, "source_note", "x", payload={"interaction": ident})
            worker.drain()
            assert steps.again(made).error == help_desk.NO_NUMBER, ident
    assert desk.requests == []
    for kind, address in (
        ("zammad", "http://user:pw@desk.example.com"),
        ("zammad", "ftp://desk.example.com"),
        ("chatwoot", "https://desk.example.com"),
        ("chatwoot", "https://desk.example.com/app/accounts/x"),
        ("zammad", "http://127.0.0.1:9"),
        ("chatwoot", "http://[::1]/app/accounts/1"),
    ):
        with pytest.raises(addresses.AddressError):
            channel_check.check_text(kind, address)
    assert (
        help_desk.base("zammad", "https://desk.example.com/help/api/v1/")
        == "https://desk.example.com/help/api/v1"
    )
    assert help_desk.base("chatwoot", "https://c.example.com/app/accounts/3/inbox?x=1") == (
        "https://c.example.com/api/v1/accounts/3"
    )


def reported(client: FlaskClient, desk: Desk, second: int) -> None:
    """Send what the help desk reports after a change: the ticket as it is."""
    agent = {"login": "stopa", "roles": ["Agent"]}
    ticket = {
        "id": 81,
        "state": desk.item["state"],
        "created_at": "2026-03-02T11:00:00Z",
        "updated_at": f"2026-03-02T12:00:{second:02}Z",
        "updated_by": agent,
    }
    raw = json.dumps({"ticket": ticket}).encode()
    signature = f"sha1={hmac.digest(SECRET.encode(), raw, 'sha1').hex()}"
    answer = client.post("/connect/zammad", data=raw, headers={"X-Hub-Signature": signature})
    assert answer.status_code == 202, answer.text


def test_rules_that_answer_each_others_changes_stop_when_these_come_back(client: FlaskClient) -> None:
    desk = Desk("zammad")
    with desk.serving(), time_machine.travel(NOON / 1000, tick=False):
        connected(desk)
        for seen, then in (("closed", "open"), ("open", "closed")):
            rule(
                [{"do": "source_status", "value": then}],
                types=["ticket.status_changed"],
                **{"if": {"all": [{"field": "data.status", "op": "is", "value": seen}]}},
            )
        reported(client, desk, 1)
        desk.item["state"] = "closed"  # by a person
        for second in range(2, 12):
            known = len(desk.changes)
            reported(client, desk, second)
            worker.drain(["digest"])
            worker.drain()
            if len(desk.changes) == known:
                break
        else:
            pytest.fail("the rules never stop")
    assert desk.changes == [("state", "open"), ("state", "closed")]
    assert [each.outcome for each in Run.select().order_by(Run.id) if each.outcome != "not_matched"] == [
        "done",
        "done",
        "loop_stopped",
    ]
    assert sorted(len(each.chain) for each in EventCause.select())[-1] == 2
