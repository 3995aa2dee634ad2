"""From an event through a rule to the receiver and the mail, and an alias host that calls back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.access import keys
from dashboard.access.permissions import Permission as P
from dashboard.jobs import worker
from dashboard.models import Channel, Interaction, Notification, Profile, Rule, Step, User
from dashboard.notify import email, safe_http
from dashboard.rules import loop_guard
from tests import make
from tests.notify import receivers, steps
from tests.notify.receivers import Receiver, receiving
from tests.notify.test_email import Sink, serving
from tests.rules.engine import acted, event, notify, rule, send

SALE = event(data={"value": "{{7*7}}"}, interaction="c1")


@pytest.fixture
def receiver(app: Flask) -> Iterator[Receiver]:
    with receiving() as made:
        safe_http.install([made.place])
        yield made
    safe_http.install([])


def calling(receiver: Receiver, author: User) -> Rule:
    then = [{"do": "webhook", "channel": steps.channel(receiver.url).id, "text": "Sold for {{ data.value }}"}]
    return rule(then, updated_by=author.id)


def test_a_rule_calls_a_webhook_and_says_what_led_to_it(app: Flask, receiver: Receiver) -> None:
    one = calling(receiver, make.administrator("chief"))
    send(SALE)
    worker.drain()
    (got,) = receiver.got
    body, key = json.loads(got.body), Step.get().key
    assert (body["type"], body["rule"]["id"], body["text"]) == ("rule.matched", one.id, "Sold for {{7*7}}")
    assert (body["id"], got.headers["webhook-id"]) == (key, key)
    with app.app_context():
        assert loop_guard.read_chain(got.headers["stopa-chain"]) == (one.id,)
    assert acted() == [(one.id, "done")]


def test_a_host_that_calls_back_under_another_name_is_stopped(
    client: FlaskClient, receiver: Receiver
) -> None:
    one = calling(receiver, make.administrator("chief"))
    token = keys.make("Alias", "alias", "ingest")
    send(SALE)
    for turn in range(3):
        worker.drain()
        assert len(receiver.got) == 1
        back = {"Authorization": f"Bearer {token}", "Stopa-Chain": receiver.got[0].headers["stopa-chain"]}
        sale = event(seconds=turn + 1, id=str(turn))
        assert client.post("/api/v1/events", json=[sale], headers=back).status_code == 202
    worker.drain()
    assert acted() == [(one.id, "done")] + [(one.id, "loop_stopped")] * 3


@pytest.fixture
def mailing(app: Flask) -> Iterator[Sink]:
    sink = Sink()
    with serving(sink) as place:
        app.config["STOPA"] = replace(app.config["STOPA"], smtp_url=f"smtp://{place}")
        yield sink


def told_by_mail(login: str, **fields: object) -> User:
    reader = make.administrator(login)
    User.update(email=f"{login}@example.org", **fields).where(User.id == reader.id).execute()
    return reader


def test_a_profile_brings_the_notice_by_mail_in_the_readers_language(mailing: Sink) -> None:
    jana = told_by_mail("jana", locale="cs")
    Profile.create(user_id=jana.id, name="All", is_default=True, email=True)
    rule([notify(jana, title="Sold {{ data.value }}", text="For {{ data.value }}")])
    send(event(data={"value": "{{7*7}}\r\nBcc: x@example.com"}))
    worker.drain()
    ((to, got),) = mailing.got
    assert to == ["jana@example.org"]
    assert (got["Subject"], got["Bcc"]) == ("Sold {{7*7}} Bcc: x@example.com", None)
    text = got.get_body(("plain",))
    assert text is not None
    assert "\nFor {{7*7}}" in text.get_content().replace("\r", "")
    assert Notification.select().count() == 1


def test_a_mail_says_who_where_and_when_as_its_reader_may_see_it_and_leads_to_the_chat(mailing: Sink) -> None:
    """Contacts are masked, times are in the reader's zone and language, the button opens what one may.

    Nobody has a profile: mail is on unless it is turned off.
    """
    told_by_mail("jana", locale="cs", timezone="Europe/Prague")
    user = make.user("petr", access=make.access([P.QUEUES_FIGURES], ["all_users", "all_queues"]))
    fields = {"email": "petr@example.org", "locale": "ja", "timezone": "Asia/Tokyo"}
    User.update(**fields).where(User.id == user.id).execute()
    blind = make.user("rose", access=make.access([P.TRACING_VIEW]))
    User.update(email="rose@example.org").where(User.id == blind.id).execute()
    readers = list(User.select().order_by(User.id))
    rule([notify(*readers, title="Chat", text="Since {{ event.time }}")], types=["chat.queued"])
    eva = {"name": "Eva", "phone": "+420123456214"}
    send(event("chat.queued", queue="web", interaction="c1", contact=eva, data={"channel": "webchat"}))
    worker.drain()
    found = {}
    for to, got in mailing.got:
        body = got.get_body(("plain",))
        assert body is not None
        found[to[0].partition("@")[0]] = body.get_content()
    page = f"/interactions/{Interaction.get().id}"
    said = {
        "jana": ("Since 2. 3. 2026 13:00:00 CET", "Kontakt: Eva · +420123456214", "Fronta: web", page),
        "petr": ("Since 2026年3月2日 21:00:00 JST", "E••• · +420 ••• ••• 214", "キュー：web", page),
        "rose": ("Since 2 Mar 2026",),
    }
    for name, texts in said.items():
        for text in texts:
            assert text in found[name].replace("\xa0", " "), (name, text, found[name])
    assert "Eva" not in found["petr"] + found["rose"]
    assert "://" not in found["rose"].partition("-- ")[0]
    assert {row.url for row in Notification.select()} == {page, ""}


def test_fallback_is_notified_in_its_own_texts_when_mail_and_chat_fail(mailing: Sink) -> None:
    jana, petr = told_by_mail("jana"), make.user("petr", access=make.access())
    mailing.refuses["jana@example.org"] = "550 no"
    with receiving(receivers.answers(404)) as refusing:
        safe_http.install([refusing.place])
        channel: Channel = steps.channel(refusing.url)
        Profile.create(
            user_id=jana.id, name="All", is_default=True, email=True, channel=channel, fallback_id=petr.id
        )
        one = rule([notify(jana, title="Sold for {{ data.value }}")])
        send(event(data={"value": "100"}, user="horak"))
        worker.drain()
    (notice,) = Notification.select().where(Notification.user_id == petr.id)
    assert (notice.rule_id, notice.title) == (one.id, "Sold for •••"), "petr may not see horak"
    assert Notification.select().where(Notification.user_id == jana.id).count() == 1
    assert acted()[0] == (one.id, "partly")


def test_the_customer_gets_the_text_and_nothing_about_rules(mailing: Sink) -> None:
    then = {
        "do": "email",
        "to": {"roles": ["contact"]},
        "subject": "Your order of {{ data.value }}",
        "text": "Dear {{ contact.name }},\nit is on its way.",
    }
    one = rule(then, updated_by=make.administrator("chief").id)
    eva = {"name": "Eva", "email": "eva@example.net"}
    send(event(data={"value": "{{7*7}}\r\nBcc: x@example.com"}, contact=eva, interaction="c1"))
    worker.drain()
    ((to, got),) = mailing.got
    assert to == ["eva@example.net"]
    assert (got["Subject"], got["Bcc"]) == ("Your order of {{7*7}} Bcc: x@example.com", None)
    assert (got["Auto-Submitted"], got["X-Auto-Response-Suppress"]) == ("auto-generated", "All")
    assert got.get_content().replace("\r", "") == "Dear Eva,\nit is on its way.\n"
    assert acted() == [(one.id, "done")]


def test_a_customer_behind_whose_address_a_machine_stands_gets_no_mail(mailing: Sink) -> None:
    then = {"do": "email", "to": {"roles": ["contact"]}, "subject": "S", "text": "T"}
    rule(then)
    send(event(contact={"email": "no-reply@example.net"}, interaction="c1"))
    worker.drain()
    assert (mailing.got, Step.get().state, Step.get().error) == ([], "failed", email.UNWANTED)
