"""Mail to a real server: what is sent, what its answers mean, who gets none."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from flask import Flask

from dashboard.db import database
from dashboard.jobs import worker
from dashboard.models import Event, Rule, Run, Step
from dashboard.notify import email as email_transport
from dashboard.notify import result, safe_http
from dashboard.notify.letter import Content
from dashboard.notify.result import DeliveryResult, ResultKind
from dashboard.rulelang.outcomes import StepState
from dashboard.settings import Settings
from tests import make
from tests.notify import steps
from tests.notify.mail_server import Sink, serving
from tests.pages.html import Page


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def server(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(safe_http, "TOTAL_S", 2.0)
    with serving(sink) as place:
        yield f"smtp://{place}"


def given(url: str = "") -> Settings:
    return Settings("sqlite://", "0" * 32, smtp_url=url, mail_from="Stopa <stopa@desk.example>")


def send(url: str, to: str = "jana@example.org", subject: str = "S", text: str = "T") -> DeliveryResult:
    return email_transport.send(given(url), "msg_1", to, subject, Content(text))


def test_a_mail_says_that_a_machine_made_it_and_has_its_steps_number(server: str, sink: Sink) -> None:
    assert send(server, subject="Žluťoučký 猫", text="Dobrý den\n.\nkonec") == DeliveryResult(
        ResultKind.DONE, "", 250
    )
    assert send(server).how is ResultKind.DONE
    (to, first), (_, second) = sink.got
    assert to == ["jana@example.org"]
    assert (first["From"], first["To"]) == ("Stopa <stopa@desk.example>", "jana@example.org")
    assert first["Subject"] == "Žluťoučký 猫"
    assert first["Message-ID"] == second["Message-ID"] == "<msg_1@desk.example>"
    assert (first["Auto-Submitted"], first["Precedence"]) == ("auto-generated", "bulk")
    assert first["Date"]
    assert first.get_content().splitlines() == ["Dobrý den", ".", "konec"]


def test_breaks_in_a_subject_make_no_header(server: str, sink: Sink) -> None:
    send(server, subject="Hello\r\nBcc: evil@example.com\r\n\r\n<script>\x00\u2028x", text="a\x00b\x1b[0m")
    ((to, got),) = sink.got
    assert to == ["jana@example.org"]
    assert got["Bcc"] is None
    assert got["Subject"] == "Hello Bcc: evil@example.com <script> x"
    assert got.get_content().strip() == "ab[0m"


@pytest.mark.parametrize(
    "to", ["", "jana", "a@b\r\nRCPT TO:<evil@x>", "a@b,c@d", "<a@b>", "a b@c", "jana@ex ample"]
)
def test_what_is_no_address_gets_no_mail(server: str, sink: Sink, to: str) -> None:
    assert send(server, to=to) == DeliveryResult(ResultKind.NEVER, email_transport.NO_ADDRESS)
    assert sink.got == []


REFUSALS = [
    ("550 5.1.1 nobody here", ResultKind.NEVER, result.REFUSED, 550),
    ("450 4.2.0 later", ResultKind.LATER, result.FAILING, 450),
    ("421 closing", ResultKind.LATER, result.FAILING, 421),
]


@pytest.mark.parametrize(("line", "how", "why", "status"), REFUSALS)
def test_a_refused_recipient(
    server: str, sink: Sink, line: str, how: ResultKind, why: str, status: int
) -> None:
    sink.refuses["jana@example.org"] = line
    assert send(server) == DeliveryResult(how, why, status, line)
    assert send(server, to="petr@example.org").how is ResultKind.DONE


def test_without_a_server_no_mail_can_be_sent() -> None:
    assert send("") == DeliveryResult(ResultKind.NEVER, email_transport.NO_SERVER)


def test_a_closed_port_is_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert send(f"smtp://127.0.0.1:{port}") == DeliveryResult(ResultKind.LATER, result.UNREACHED)


@contextmanager
def speaking(*lines: bytes, pause_s: float = 0) -> Iterator[str]:
    """A server that says one line after another, each answering one of the caller's, and then hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            link, _ = listening.accept()
            with link, link.makefile("rb") as said:
                for line in lines:
                    link.sendall(line)
                    if line.startswith(b"354"):
                        while said.readline() not in (b".\r\n", b""):
                            pass
                    elif line is not lines[-1]:
                        said.readline()
                time.sleep(pause_s)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"smtp://127.0.0.1:{listening.getsockname()[1]}"
        thread.join(3)


def test_a_server_that_hangs_or_cuts_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safe_http, "TOTAL_S", 0.5)
    begun = time.monotonic()
    with speaking(pause_s=1) as silent:
        assert send(silent) == DeliveryResult(ResultKind.LATER, result.SLOW)
        assert time.monotonic() - begun < 0.9
    with speaking(b"220 hello\r\n") as cutting:
        assert send(cutting) == DeliveryResult(ResultKind.LATER, email_transport.CUT)
    talk = (b"220 a\r\n", b"250 b\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n")
    with speaking(*talk) as after_data:
        assert send(after_data) == DeliveryResult(ResultKind.LATER, email_transport.CUT)


def test_a_password_is_sent_to_this_machine_or_through_encryption_only(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(_server: SMTP, _session: Session, _envelope: Envelope, _kind: str, given: Any) -> AuthResult:
        assert isinstance(given, LoginPassword)
        return AuthResult(success=(given.login, given.password) == (b"me", b"p@ss"), handled=False)

    options = {"authenticator": check, "auth_require_tls": False}
    with serving(sink, **options) as place:
        assert send(f"smtp://me:p%40ss@{place}").how is ResultKind.DONE
        wrong = send(f"smtp://me:wrong@{place}")
        assert (wrong.how, wrong.why, wrong.status) == (ResultKind.LATER, email_transport.NO_SIGN_IN, 0)
        monkeypatch.setattr(email_transport, "_is_here", lambda _server: False)
        assert send(f"smtp://me:p%40ss@{place}") == DeliveryResult(
            ResultKind.NEVER, email_transport.NO_ENCRYPTION
        )
    assert len(sink.got) == 1


@pytest.fixture
def mailing(app: Flask, server: str) -> Flask:
    app.config["STOPA"] = replace(
        app.config["STOPA"],
        smtp_url=server,
        mail_from="Stopa <stopa@desk.example>",
        base_url="https://desk.example",
    )
    return app


FACTS = [("Queue", "Podpora <b>"), ("Waiting time", "0:02:00")]
BUTTONS = [
    ("en", "/interactions/7", "chat", "Open the chat"),
    ("cs", "/interactions/7", "ticket", "Otevřít ticket"),
    ("ja", "/tracing?user=jana&date=2026-03-02", "agent", "1日の記録を開く"),
    ("en", "/figures?by=hour&queue=web", "queue", "Open the queue's figures"),
]


def parts(got: EmailMessage) -> tuple[str, Page, str]:
    """Return the text of a mail, its HTML, and the words of that."""
    text, html = (got.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    assert [each.get_content_type() for each in got.iter_parts()] == ["text/plain", "text/html"]
    page = Page(html.get_content())
    return text.get_content().replace("\r", ""), page, " ".join(page.text.split())


def test_a_mail_is_text_and_html_that_say_the_same_in_its_readers_language(
    mailing: Flask, sink: Sink
) -> None:
    run = steps.run(steps.rule(name="Chat <waits>"))
    reader = make.user("jana", email="jana@example.org")
    for locale, url, about, _label in BUTTONS:
        known = {"user": reader.id, "locale": locale, "url": url, "about": about, "facts": FACTS}
        steps.mail(of=run, payload=known)
    worker.drain()
    for (_to, got), (locale, url, _about, label) in zip(sink.got, BUTTONS, strict=True):
        text, page, words = parts(got)
        [button] = [each for each in page.elements if each.attributes.get("class") == "button"]
        [html] = [each for each in page.elements if each.tag == "html"]
        assert button.attributes["href"] == f"https://desk.example{url}"
        assert html.attributes["lang"] == locale
        assert not [each for each in page.elements if each.tag in ("img", "script", "link")]
        assert f"{label}{'：' if locale == 'ja' else ': '}https://desk.example{url}" in text
        for said in (label, "A chat waits", "It waits.", "Podpora <b>", "0:02:00", "Chat <waits>"):
            assert said in text, said
            assert said in words, said
        assert "https://desk.example/inbox" in text
        assert ("Fronta: Podpora" in text, "キュー：Podpora" in text) == (locale == "cs", locale == "ja")


def test_a_plain_address_gets_no_addresses_and_a_customer_the_text_alone(mailing: Flask, sink: Sink) -> None:
    run = steps.run(steps.rule(name="Chat <waits>"))
    steps.mail("boss@example.org", of=run)
    steps.mail("eva@example.org", of=run, payload={"customer": True})
    worker.drain()
    text, page, words = parts(sink.got[0][1])
    assert "https://" not in text
    assert not [each for each in page.elements if each.tag == "a"]
    for said in (text, words):
        assert "because rule “Chat <waits>” sends it to this address" in said
    assert sink.got[1][1].get_content().strip() == "It waits."


def test_each_recipient_stands_alone(mailing: Flask, sink: Sink) -> None:
    sink.refuses = {"gone@example.org": "550 no", "full@example.org": "450 full"}
    run = steps.run()
    gone, full, fine = (steps.mail(f"{name}@example.org", run) for name in ("gone", "full", "fine"))
    worker.drain()
    states = [steps.again(step).state for step in (gone, full, fine)]
    assert states == ["failed", "waiting", "done"]
    assert steps.again(gone).receipt["note"] == "550 no"
    assert [to for to, _ in sink.got] == [["fine@example.org"]]
    kinds = [row[0] for row in Event.select(Event.type).order_by(Event.id).tuples()]
    assert kinds.count("mail_out.delivery_failed") == 2
    assert kinds.count("mail_out.delivery_abandoned") == 1
    data = Event.get(Event.type == "mail_out.delivery_abandoned").data
    assert '"recipient": "gone@example.org"' in data
    assert '"error_code": "550"' in data


def test_unreachable_mail_server_is_reported_and_again_when_it_is_back(mailing: Flask, server: str) -> None:
    here = mailing.config["STOPA"]
    mailing.config["STOPA"] = replace(here, smtp_url="smtp://127.0.0.1:1")
    first, second = (steps.mail(f"{name}@example.org") for name in ("a", "b"))
    worker.drain()
    assert (steps.again(first).attempts, steps.again(second).attempts) == (1, 0), "the server gets a pause"
    Step.update(due_ms=0).where(Step.id == second.id).execute()
    worker.drain()
    assert email_transport.failures() == 2
    mailing.config["STOPA"] = here
    steps.mail("c@example.org")
    worker.drain()
    kinds = [row[0] for row in Event.select(Event.type).order_by(Event.id).tuples()]
    assert kinds == ["mail_out.connection_failed", "mail_out.connection_failed", "mail_out.recovered"]
    assert email_transport.failures() == 0


def test_the_eleventh_mail_about_one_subject_is_held_back_visibly(mailing: Flask, sink: Sink) -> None:
    rule = steps.rule()
    made = [steps.mail(of=steps.run(rule)) for _ in range(12)]
    other = steps.mail(of=steps.run(rule, subject="interaction:1:t-2"))
    worker.drain()
    states = [steps.again(step).state for step in made]
    assert states == ["done"] * 10 + ["held"] * 2
    assert steps.again(made[-1]).error == email_transport.TOO_MANY
    assert Run.get_by_id(made[-1].run_id).outcome == "throttled"
    assert steps.again(other).state == "done"
    assert len(sink.got) == 11


def test_machines_and_ourselves_get_no_mail(mailing: Flask, sink: Sink) -> None:
    made = [steps.mail(to) for to in ("stopa@desk.example", "noreply@example.org")]
    worker.drain()
    assert [(steps.again(step).state, steps.again(step).error) for step in made] == [
        (StepState.FAILED, email_transport.UNWANTED)
    ] * 2
    assert sink.got == []


def test_a_rule_that_was_deleted_leaves_a_mail_without_its_name(mailing: Flask, sink: Sink) -> None:
    rule = steps.rule()
    step = steps.mail(of=steps.run(rule))
    with database.atomic():
        Rule.delete().where(Rule.id == rule.id).execute()
    worker.drain()
    assert steps.again(step).state == "done"
    text, _page, words = parts(sink.got[0][1])
    assert "rule" not in text + words
