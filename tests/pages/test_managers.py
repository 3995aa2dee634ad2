"""Asterisk managers in the settings, the state that Home and Team day take from them, and the command."""

from __future__ import annotations

import html
import json
import os
import signal
from threading import Timer

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from dashboard.access.permissions import Permission
from dashboard.events import record
from dashboard.i18n.message import Message
from dashboard.ingest.manager.connection import DENIED
from dashboard.models import AuditEntry, Manager, ManagerMember, ManagerWait, PauseType, Source
from dashboard.tracing.ongoing import DEAD_MS
from tests import make
from tests.pages import asks

P = Permission
URL = "/settings/managers"
NOW = 1_795_885_400
FORM = {"name": "pbx", "host": "10.0.0.5", "port": "5038", "username": "stopa", "secret": "s3cret"}


@pytest.fixture
def editor(client: FlaskClient) -> FlaskClient:
    asks.sign_in_with(client, P.KEYS_VIEW, P.KEYS_EDIT, P.HOME_VIEW, P.TRACING_VIEW)
    return client


@pytest.mark.both_databases
def test_a_manager_is_added_changed_and_deleted_and_its_secret_never_shown(editor: FlaskClient) -> None:
    assert editor.post(f"{URL}/new", data={**FORM, "by_worker": "1"}).status_code == 302
    row = Manager.get()
    assert (row.name, row.host, row.port, row.secret) == ("pbx", "10.0.0.5", 5038, "s3cret")
    assert row.by_worker
    page = f"{URL}/{row.id}"
    other = {**FORM, "version": row.version, "secret": "", "host": "10.0.0.6"}
    for changes, status in (({}, 422), ({"host": "10.0.0.5"}, 302)):
        answer = editor.post(page, data={**other, **changes})
        assert (answer.status_code, "goes to another host" in answer.text) == (status, status == 422)
    assert (Manager.get().secret, Manager.get().by_worker) == ("s3cret", False)
    changed = editor.post(page, data={**other, "secret": "t", "version": Manager.get().version})
    assert (changed.status_code, Manager.get().host, Manager.get().secret) == (302, "10.0.0.6", "t")
    stale = editor.post(page, data={**other, "secret": "stale-one", "version": 1})
    assert stale.status_code == 422
    for text in (stale.text, editor.get(URL).text, editor.get(page).text, editor.get(f"{page}/delete").text):
        assert "s3cret" not in text
        assert "stale-one" not in text
    assert all("s3cret" not in str(entry.__data__) for entry in AuditEntry.select())
    asks.fragment_is_block(editor, URL)
    assert editor.post(f"{page}/delete").status_code == 302
    assert (Manager.select().count(), Source.select().where(Source.name == "pbx").count()) == (0, 1)
    for act in ("created", "deleted"):
        assert asks.audited(f"manager.{act}").target_label == "pbx"


def test_what_no_manager_can_be_is_refused_at_its_field(editor: FlaskClient) -> None:
    editor.post(f"{URL}/new", data=FORM)
    for changes, problem in (
        ({}, "This source already has an Asterisk manager."),
        ({"name": "a/b"}, "Enter up to 60 letters, digits, dots, hyphens and underscores."),
        ({"name": "stopa"}, "This is the name of Stopa's own events. Choose another."),
        ({"host": "a b"}, "Enter a host name or an IP address."),
        ({"port": "70000"}, "Enter a whole number from 1 to 65535."),
        ({"username": "a b"}, "Enter up to 80 characters without spaces."),
        ({"secret": "a b"}, "Enter up to 80 characters without spaces."),
        ({"secret": ""}, "Enter the secret of manager.conf."),
    ):
        answer = editor.post(f"{URL}/new", data={**FORM, **changes})
        assert (answer.status_code, problem in html.unescape(answer.text)) == (422, True), problem
    assert Manager.select().count() == 1


def test_who_may_not_edit_keys_sees_the_list_and_changes_nothing(client: FlaskClient) -> None:
    asks.refuses_strangers(client, URL)
    asks.refuses_posts(client, f"{URL}/new", P.KEYS_VIEW)
    assert client.get(URL).status_code == 200


@pytest.mark.both_databases
def test_pages_show_what_is_live_in_scope_or_since_when_it_is_unknown(client: FlaskClient) -> None:
    ann, zed = make.user("ann"), make.user("zed")
    role = make.access((P.HOME_VIEW, P.TRACING_VIEW, P.KEYS_VIEW), ["all_queues", ("users", ann.id)])
    make.sign_in(client, make.user("lead", access=role))
    make.queue("line")
    PauseType.create(name="tea", label="Tea break", paid=True)
    with time_machine.travel(NOW, tick=False):
        live = {"state": "live", "since_ms": (NOW - 90) * 1000, "seen_ms": NOW * 1000}
        row = Manager.create(
            source=record.source("pbx"), host="h", port=1, username="u", secret="s", created_ts=1, **live
        )
        for user in (ann, zed):
            since = {"ready_ts": NOW - 60, "paused_ts": NOW - 50, "reason": "tea"}
            place = {"manager": row, "queue": "line", "interface": user.login}
            ManagerMember.create(**place, **since, user_id=user.id)
        ManagerWait.create(manager=row, queue="line", call="1.1", since_ts=NOW - 40)
        ManagerWait.create(manager=row, queue="unknown", call="1.2", since_ts=NOW - 40)
        pause = "Paid pause, Tea break"
        for page, shown in (("/", ("Ann", pause, "0:00:50", "0:00:40")), ("/team", ("Ann", pause))):
            text = client.get(page).text
            assert [each for each in (*shown, "Zed", "Asterisk (pbx)") if each in text] == [*shown], page
        assert "Connected to Asterisk" in client.get(f"{URL}/{row.id}").text
        why = json.dumps(Message(DENIED).as_json())
        for change, state, since in (
            ({"state": "denied", "problem": why}, "Login rejected", "rejected the username"),
            ({"state": "live", "problem": "", "seen_ms": NOW * 1000 - DEAD_MS - 1}, "No worker", "Since"),
        ):
            Manager.update(**change).execute()
            assert state in client.get(f"/settings/sources/{row.source_id}").text
            page = client.get(f"{URL}/{row.id}").text
            assert (state in page, since in page) == (True, True), state
            assert "No live connection to Asterisk" in client.get("/").text
            assert "no live connection to Asterisk (pbx)" in html.unescape(client.get("/team").text)
            assert "no live connection" not in client.get("/team?date=2026-11-20").text


def test_the_command_keeps_the_connection_that_no_other_process_has(app: Flask) -> None:
    run = app.test_cli_runner().invoke
    result = run(args=["ami", "--source", "pbx"])
    assert (result.exit_code, "has no Asterisk manager" in result.output) == (1, True)
    made = {"host": "127.0.0.1", "port": 1, "username": "u", "secret": "s", "created_ts": 1}
    with time_machine.travel(NOW, tick=False):
        Manager.create(source=record.source("pbx"), **made, owner="other:7", seen_ms=NOW * 1000)
        result = run(args=["ami", "--source", "pbx"])
        assert (result.exit_code, "other:7 keeps this connection" in result.output) == (1, True)
        Manager.update(owner="").execute()
        handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
        Timer(0.5, os.kill, (os.getpid(), signal.SIGTERM)).start()
        try:
            result = run(args=["ami", "--source", "pbx"])
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        assert (result.exit_code, "lost Nothing listens" in result.output) == (0, True)
        row = Manager.get()
        assert (row.owner, row.state) == ("", "lost")
