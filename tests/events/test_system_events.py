"""What Stopa finds out itself: recorded once with its cause, not at all where the type is switched off."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask, current_app
from peewee import fn

from dashboard import clock, server, settings
from dashboard.audit import nightly
from dashboard.audit import record as audit
from dashboard.catalog import CATALOG
from dashboard.catalog.system import FOUND_BY_STOPA
from dashboard.db import database
from dashboard.events import health, internal, record, switches, upgrades
from dashboard.events.switches import Choice
from dashboard.ingest import digest, silence
from dashboard.ingest.schema import NewEvent
from dashboard.jobs import queue
from dashboard.models import AuditEntry, Channel, Event, Job, Setting, SourceRhythm
from dashboard.notify import channels, email
from dashboard.notify.result import DeliveryResult, ResultKind
from dashboard.pages.signin import commands
from dashboard.rulelang.outcomes import StepState
from tests import make
from tests.audit.test_chain import without_triggers

pytestmark = [pytest.mark.both_databases, pytest.mark.dated]


def sign_in_with_a_wrong_password(times: int) -> None:
    for _ in range(times):
        with suppress(commands.Refused):
            commands.sign_in("jana", "wrong", "192.0.2.1", "")


def measure_twice(disk_low_mb: int = 1) -> None:
    for gauge in 2 * health.gauges(disk_low_mb):
        health.tell(gauge)


def late_digest(jobs: int) -> None:
    for _ in range(jobs):
        queue.enqueue("digest", {"after": 0, "to": 0})
    if jobs == 1:
        Job.update(created_ms=clock.now_ms() - 90_000).execute()
    measure_twice()


def upgrade() -> None:
    Setting.put(upgrades.NAME, "0.0.9")
    for _ in range(2):
        upgrades._NOTED.clear()
        upgrades.note()


def mail(how: ResultKind, status: int, state: StepState) -> None:
    answer = DeliveryResult(how, "why", status)
    email.tell(current_app.config["STOPA"], "eva@example.org", answer, 1, state, ())


def call(*contacts: dict[str, str]) -> None:
    """Digest a call of each contact in turn."""
    source = record.source("pbx").id
    for number, contact in enumerate(contacts):
        now = clock.now_ms()
        event = NewEvent(None, "call.queued", now, interaction=f"c{number}", contact=contact)
        record.append(source, [event])
        last = Event.select(fn.MAX(Event.id)).scalar()
        digest.digest([Job(args={"after": last - 1, "to": last, "source": source})])


def fall_silent() -> None:
    call({})
    SourceRhythm.update(due_ms=clock.now_ms()).execute()
    Job.delete().execute()  # nothing waits
    for _ in range(2):
        silence.look(every_s=0, grace_s=0)


def verify(broken: bool = False) -> None:
    audit.record("team.created", "c", ("team", 1, "Support"))
    if broken:
        without_triggers(database.obj)
        AuditEntry.update(action="team.deleted").execute()
    nightly.run([Job.create(kind=nightly.KIND, due_ms=0, created_ms=0)])


VERSION = settings.version()
# type → what causes it, and what its data say
CAUSES: Mapping[str, tuple[Callable[[], Any], dict[str, Any]]] = {
    "system.started": (lambda: server.record(current_app, "system.started"), {"version": VERSION}),
    "system.stopped": (lambda: server.record(current_app, "system.stopped"), {"version": VERSION}),
    "system.disk_low": (lambda: measure_twice(2**40), {}),
    "system.backlog_high": (lambda: late_digest(3), {"backlog": 3}),
    "source.backlog": (lambda: late_digest(1), {"lag_s": 90}),
    "system.upgraded": (upgrade, {"previous": "0.0.9", "version": VERSION}),
    "auth.sign_in_failed": (lambda: sign_in_with_a_wrong_password(1), {}),
    "auth.sign_in_limit_reached": (
        lambda: sign_in_with_a_wrong_password(8),
        {"ip": "192.0.2.1", "limit": "login"},
    ),
    "mail_out.connection_failed": (
        lambda: mail(ResultKind.LATER, 0, StepState.WAITING),
        {"failures": 1, "recipient": "eva@example.org"},
    ),
    "mail_out.delivery_failed": (
        lambda: mail(ResultKind.LATER, 451, StepState.WAITING),
        {"error_code": "451", "recipient": "eva@example.org"},
    ),
    "mail_out.delivery_abandoned": (
        lambda: mail(ResultKind.NEVER, 0, StepState.DEAD),
        {"error": "why", "recipient": "eva@example.org"},
    ),
    "contact.created": (lambda: call({"phone": "1"}, {"phone": "1"}), {}),
    "contact.updated": (lambda: call({"phone": "1"}, {"phone": "1", "name": "Eva"}), {"changed": ["name"]}),
    "source.silent": (fall_silent, {"name": "pbx"}),
    "source.resumed": (lambda: (fall_silent(), call({}), call({})), {"name": "pbx"}),
    "channel.delivery_failed": (
        lambda: channels.notify_failed(Channel(name="Ops"), "why", ()),
        {"name": "Ops", "error": "why"},
    ),
    "audit.broken": (lambda: verify(broken=True), {"entry": 1, "fault": "content"}),
    "audit.verified": (verify, {"entry": 1}),
}


@time_machine.travel("2026-11-19 10:00:00Z", tick=False)
def test_each_is_recorded_once_with_its_data_and_not_at_all_where_switched_off(
    app: Flask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(health, "BACKLOG", 2)
    monkeypatch.setattr(health, "INSTANCE", tmp_path)
    make.user("jana", password="right and long")
    for type_, (cause, data) in CAUSES.items():
        for choice in (Choice(True, True), Choice(True, False), Choice(False, True)):
            with app.app_context(), database.atomic() as transaction:
                switches.choose(type_, choice)
                cause()
                found = [json.loads(each.data) for each in Event.select().where(Event.type == type_)]
                assert len(found) == choice.recorded, (type_, choice)
                assert all(data.items() <= each.items() for each in found), (type_, found)
                assert all(set(each) <= set(CATALOG[type_].by_name) for each in found), (type_, found)
                assert evaluated(type_) == (choice == Choice(True, True)), (type_, choice)
                transaction.rollback()


def evaluated(type_: str) -> bool:
    """Return whether a digest job asks the rules about the event of the type."""
    ranges = [args for (args,) in Job.select(Job.args).where(Job.kind == "digest").tuples()]
    ids = [ident for (ident,) in Event.select(Event.id).where(Event.type == type_).tuples()]
    asked = [each for each in ranges if each.get("rules", True)]
    return any(each["after"] < ident <= each["to"] for each in asked for ident in ids)


def test_what_is_named_as_found_by_stopa_is_of_the_catalogue() -> None:
    assert set(CAUSES) <= FOUND_BY_STOPA <= set(CATALOG)


@pytest.mark.usefixtures("app")
def test_the_first_version_on_a_database_is_no_upgrade() -> None:
    for _ in range(2):
        upgrades._NOTED.clear()
        upgrades.note()
    assert (Event.select().count(), Setting.get(Setting.name == upgrades.NAME).value) == (0, VERSION)


@pytest.mark.usefixtures("db")
def test_an_identity_is_recorded_once() -> None:
    first = internal.append("custom.a", {"n": 1}, chain=[7], identity="once")
    assert internal.append("custom.a", {"n": 2}, chain=[8], identity="once") is None
    assert internal.append("custom.a", {"n": 3}, identity="twice") is not None
    assert [event.id for event in Event.select().where(Event.external_id == "once")] == [first]
    assert Job.select().count() == 2
