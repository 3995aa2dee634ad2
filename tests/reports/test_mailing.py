"""Mails of schedules: to a real mail server, each recipient's own rights, at most once, whatever happens."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from flask import Flask

from dashboard.access.permissions import Permission
from dashboard.db import connected
from dashboard.jobs import worker
from dashboard.models import (
    Access,
    AuditEntry,
    AuditSubject,
    Event,
    Queue,
    Schedule,
    ScheduleMail,
    ScheduleRun,
    User,
)
from dashboard.notify import outbox
from dashboard.reports import history, mailing, schedules
from tests.notify.mail_server import Sink
from tests.reports.mails import DAY_S, DUE, attached, reader, schedule, states

pytestmark = pytest.mark.both_databases

P = Permission


def test_nothing_is_sent_before_it_is_due(clock: time_machine.Coordinates, sink: Sink) -> None:
    schedule(reader("boss"))
    worker.drain()
    assert (sink.got, ScheduleRun.select().count()) == ([], 0)


def test_a_mailed_file_is_a_look_at_those_whom_it_shows(clock: time_machine.Coordinates, sink: Sink) -> None:
    boss, jana = reader("boss"), User.get(User.login == "jana")
    for query, format_ in (("user=jana", "csv"), ("", "csv"), ("user=jana", "link")):
        query = f"period=last_week&{query}"
        schedule(boss, name=f"{query} {format_}", report="talk-by-user", query=query, format=format_)
    clock.move_to(DUE)
    worker.drain()
    s, e = AuditSubject, AuditEntry
    found = e.select(e.target_label, s.user_id).join(s, on=(s.seq == e.seq)).where(e.target_type == "export")
    assert dict(found.tuples()) == {
        "period=last_week&user=jana csv": jana.id,
        "period=last_week& csv": 0,
    }


def test_each_recipient_gets_what_their_own_role_shows_in_their_language(
    clock: time_machine.Coordinates, sink: Sink
) -> None:
    support = Queue.get(Queue.name == "support")
    whole = reader("boss")
    part = reader("lead", ("all_users", ("queues", support.id)), locale="cs")
    schedule(whole, whole, part)
    clock.move_to(DUE)
    worker.drain()
    assert states() == {"boss": "done", "lead": "done"}
    all_queues = {row["Queue"] for row in attached(sink, "boss@example.org")}
    assert {"support", "sales"} <= all_queues
    own = {next(iter(row.values())) for row in attached(sink, "lead@example.org")}
    assert "sales" not in own
    assert "support" in own
    english, czech = (got for _to, got in sorted(sink.got, key=lambda each: each[0]))
    assert english["Subject"].startswith("Calls by queue, ")
    assert czech["Subject"] != english["Subject"]
    body = english.get_body(("plain",)).get_content()
    assert "https://desk.example/reports/calls-by-queue?" in body
    assert "because Boss sends it to you" in body


def test_next_time_is_set_and_each_due_time_is_sent_once(clock: time_machine.Coordinates, sink: Sink) -> None:
    row = schedule(reader("boss"))
    clock.move_to(DUE)
    worker.drain()
    worker.drain()
    assert Schedule.get_by_id(row.id).next_ts == int(DUE.timestamp()) + 7 * DAY_S
    clock.move_to(DUE.timestamp() + 7 * DAY_S)
    worker.drain()
    assert len(sink.got) == ScheduleRun.select().count() == 2


def test_a_machine_whose_clock_was_set_back_sends_nothing_again(
    clock: time_machine.Coordinates, sink: Sink
) -> None:
    row = schedule(reader("boss"))
    clock.move_to(DUE)
    worker.drain()
    Schedule.update(next_ts=int(DUE.timestamp())).execute()  # as a save does on a clock that is behind
    worker.drain()
    assert Schedule.get_by_id(row.id).next_ts == int(DUE.timestamp()) + 7 * DAY_S
    assert len(sink.got) == ScheduleRun.select().count() == 1


def test_the_clock_change_keeps_the_local_time(clock: time_machine.Coordinates, sink: Sink) -> None:
    """07:00 in Prague is 06:00 UTC until 29 March 2026 and 05:00 UTC from then on."""
    row = schedule(reader("boss"), frequency="daily")
    clock.move_to(datetime(2026, 3, 28, 6, 0, tzinfo=UTC))
    worker.drain()
    assert Schedule.get_by_id(row.id).next_ts == datetime(2026, 3, 29, 5, 0, tzinfo=UTC).timestamp()


def test_missed_times_are_caught_up_by_one_sending_that_says_so(
    clock: time_machine.Coordinates, sink: Sink
) -> None:
    row = schedule(reader("boss"), frequency="daily")
    clock.move_to(DUE.timestamp() + 3 * DAY_S + 7200)
    worker.drain()
    [run] = history.runs(row.id)
    assert (run.due_ts, run.missed, run.late, run.sent) == (int(DUE.timestamp()) + 3 * DAY_S, 3, True, 1)
    assert len(sink.got) == 1


def test_the_report_is_of_the_due_time_when_it_is_sent_later(
    clock: time_machine.Coordinates, sink: Sink
) -> None:
    schedule(reader("boss"))
    clock.move_to(DUE.timestamp() + 6 * DAY_S)
    worker.drain()
    assert any(row["Queue"] == "support" for row in attached(sink, "boss@example.org"))


def _deactivate(user: User) -> None:
    User.update(deactivated_ts=1).where(User.id == user.id).execute()


def _no_report(user: User) -> None:
    Access.update(permissions=[]).where(Access.id == user.access_id).execute()


def _no_files(user: User) -> None:
    held = [P.QUEUES_FIGURES, P.TRACING_VIEW]
    Access.update(permissions=held).where(Access.id == user.access_id).execute()


def _no_role(user: User) -> None:
    User.update(access=None).where(User.id == user.id).execute()


@pytest.mark.parametrize(
    ("withdraw", "why"),
    [
        (_deactivate, mailing.NO_USER),
        (_no_role, mailing.NO_USER),
        (_no_report, mailing.NO_PAGE),
        (_no_files, mailing.NO_RIGHT),
    ],
)
def test_a_recipient_without_the_right_gets_nothing_and_the_history_says_so(
    clock: time_machine.Coordinates, sink: Sink, withdraw: Any, why: str
) -> None:
    boss, gone = reader("boss"), reader("gone")
    row = schedule(boss, boss, gone)
    clock.move_to(DUE)
    schedules.start_due()
    withdraw(gone)  # between the start of the run and the mail
    worker.drain()
    assert states() == {"boss": "done", "gone": "cancelled"}
    [run] = history.runs(row.id)
    assert (run.sent, run.unsent) == (1, 1)
    assert [mail.error for mail in run.mails if mail.name == "Gone"] == [why]
    assert [to for to, _got in sink.got] == [["boss@example.org"]]
    assert not AuditEntry.select().where(AuditEntry.actor_id == gone.id).exists()


@pytest.mark.parametrize(
    ("withdraw", "why"), [(_deactivate, mailing.NO_OWNER), (_no_report, mailing.NO_REPORT)]
)
def test_without_its_owners_right_a_schedule_sends_nothing(
    clock: time_machine.Coordinates, sink: Sink, withdraw: Any, why: str
) -> None:
    owner, other = reader("boss"), reader("other")
    schedule(owner, other)
    withdraw(owner)
    clock.move_to(DUE)
    worker.drain()
    [sent] = list(ScheduleMail.select())
    assert (sent.state, sent.error, sink.got) == ("cancelled", why, [])


def test_each_mail_is_audited_as_an_export_of_its_recipient(
    clock: time_machine.Coordinates, sink: Sink
) -> None:
    boss, other = reader("boss"), reader("other")
    row = schedule(boss, boss, other)
    clock.move_to(DUE)
    worker.drain()
    entries = list(AuditEntry.select().where(AuditEntry.action == mailing.ACTION).order_by(AuditEntry.id))
    assert [each.actor_id for each in entries] == [boss.id, other.id]
    assert {each.target_id for each in entries} == {str(row.id)}
    assert entries[0].details["format"] == "csv"
    assert entries[0].details["rows"] > 0


def test_a_mail_server_that_is_away_gets_the_mail_when_it_is_back(
    clock: time_machine.Coordinates, mail: Flask, sink: Sink
) -> None:
    schedule(reader("boss"))
    here = mail.config["STOPA"]
    mail.config["STOPA"] = replace(here, smtp_url="smtp://127.0.0.1:1")
    clock.move_to(DUE)
    worker.drain()
    [waiting] = list(ScheduleMail.select())
    assert (waiting.state, waiting.attempts, sink.got) == ("waiting", 1, [])
    assert waiting.error
    assert Event.select().where(Event.type == "mail_out.connection_failed").exists()
    mail.config["STOPA"] = here
    clock.move_to(DUE.timestamp() + 600)
    worker.drain()
    [sent] = list(ScheduleMail.select())
    assert (sent.state, sent.attempts, len(sink.got)) == ("done", 2, 1)


def test_a_refused_address_fails_and_the_others_are_sent(clock: time_machine.Coordinates, sink: Sink) -> None:
    boss, gone, without = reader("boss"), reader("gone"), reader("without")
    User.update(email="").where(User.id == without.id).execute()
    sink.refuses = {"gone@example.org": "550 nobody here"}
    schedule(boss, boss, gone, without)
    clock.move_to(DUE)
    worker.drain()
    assert states() == {"boss": "done", "gone": "failed", "without": "failed"}
    assert "550" in ScheduleMail.get(ScheduleMail.user == gone).error


def test_a_mail_whose_worker_died_while_sending_is_uncertain_and_not_sent_again(
    clock: time_machine.Coordinates, sink: Sink
) -> None:
    boss = reader("boss")
    schedule(boss)
    clock.move_to(DUE)
    schedules.start_due()
    [claimed] = mailing.claim("dead", 1)
    ScheduleMail.update(begun_ms=1).where(ScheduleMail.id == claimed.id).execute()
    clock.shift(600)
    worker.drain()
    [sent] = list(ScheduleMail.select())
    assert (sent.state, sent.error, sink.got) == ("uncertain", outbox.UNSURE, [])
    assert AuditEntry.select().where(AuditEntry.action == mailing.ACTION).count() == 1


def test_two_workers_start_one_run_and_send_each_mail_once(
    clock: time_machine.Coordinates, mail: Flask, sink: Sink
) -> None:
    people = [reader(f"user{n}") for n in range(4)]
    schedule(people[0], *people)
    clock.move_to(DUE)
    gate = threading.Barrier(2)
    failed: list[BaseException] = []

    def work(name: str) -> None:
        try:
            with mail.app_context(), connected():
                gate.wait()
                schedules.start_due()
                while claimed := mailing.claim(name, 1):
                    mailing.carry(claimed[0])
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert ScheduleRun.select().count() == 1
    assert sorted(to[0] for to, _got in sink.got) == [f"user{n}@example.org" for n in range(4)]
    assert set(states().values()) == {"done"}


def test_send_me_one_now_goes_to_the_one_who_asks_and_changes_no_due_time(
    clock: time_machine.Coordinates, sink: Sink
) -> None:
    boss, other = reader("boss"), reader("other")
    row = schedule(boss, other)
    before = row.next_ts
    assert schedules.send_now(row, boss.id)
    assert not schedules.send_now(row, boss.id), "the first one is still on its way"
    worker.drain()
    assert [to for to, _got in sink.got] == [["boss@example.org"]]
    assert Schedule.get_by_id(row.id).next_ts == before
    [run] = history.runs(row.id)
    assert run.manual
    assert history.latest([row.id]) == {}
    assert schedules.send_now(row, boss.id)
