"""Schedules: the form and what it stores, who sees whose, sending one now, pausing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from dashboard.access.permissions import Permission
from dashboard.models import AuditEntry, Schedule, ScheduleMail, ScheduleRecipient, ScheduleRun, User
from tests import make

pytestmark = pytest.mark.both_databases

P = Permission
NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)  # a Friday
MONDAY = int(datetime(2026, 11, 30, 6, 0, tzinfo=UTC).timestamp())  # 07:00 in Prague
FORM: dict[str, Any] = {
    "name": "Calls",
    "report": "calls-by-queue",
    "period": "last_week",
    "query": "queue=support",
    "frequency": "weekly",
    "weekday": ["1"],
    "month_day": "1",
    "at": "07:00",
    "zone": "Europe/Prague",
    "format": "pdf",
    "subject": "",
}
NEW = "/reports/schedules/new"


@pytest.fixture(autouse=True)
def now() -> Any:
    with time_machine.travel(NOW, tick=False) as moved:
        yield moved


@pytest.fixture
def owner(client: FlaskClient) -> User:
    user = make.user(
        "jana",
        access=make.access([P.QUEUES_FIGURES, P.REPORTS_SHARE], ["all_users", "all_queues"]),
        email="jana@example.org",
    )
    make.queue("support")
    make.sign_in(client, user)
    return user


def add(client: FlaskClient, *recipients: User, **changed: Any) -> Schedule:
    form = {**FORM, "recipient": [str(user.id) for user in recipients], **changed}
    answer = client.post(NEW, data=form)
    assert answer.status_code == 302, answer.text
    found: Schedule = Schedule.select().order_by(Schedule.id.desc()).get()
    return found


def test_form_stores_a_schedule_with_its_next_time_and_recipients(client: FlaskClient, owner: User) -> None:
    other = make.user("petr")
    row = add(client, owner, other)
    assert (row.user_id, row.query, row.weekdays, row.next_ts) == (
        owner.id,
        "period=last_week&queue=support",
        [1],
        MONDAY,
    )
    recipients = ScheduleRecipient.select(ScheduleRecipient.user).order_by(ScheduleRecipient.user)
    assert [ident for (ident,) in recipients.tuples()] == [owner.id, other.id]
    entry = AuditEntry.get(AuditEntry.action == "schedule.created")
    assert entry.changes["recipients"] == [None, ["jana", "petr"]]
    page = client.get(f"/reports/schedules/{row.id}").text
    assert "Every week on Mon at 07:00" in page
    assert page.count("Mon 30 Nov 2026 07:00") == 1
    assert "Mon 28 Dec 2026 07:00" in page, "the fifth sending"


def test_new_form_takes_report_and_filters_from_its_address(client: FlaskClient, owner: User) -> None:
    page = client.get(f"{NEW}?report=calls-by-queue&period=last_month&queue=support").text
    assert 'value="Calls by queue"' in page
    assert '<option value="calls-by-queue" selected>' in page
    assert '<option value="last_month" selected>' in page
    assert 'value="queue=support"' in page
    assert client.get(f"{NEW}?report=nonsense&period=x").status_code == 200


BAD = [
    ({"name": ""}, "f-name"),
    ({"weekday": []}, "f-weekday"),
    ({"weekday": ["9"]}, "f-weekday"),
    ({"frequency": "hourly"}, "f-frequency"),
    ({"month_day": "32"}, "f-month_day"),
    ({"at": "25:00"}, "f-at"),
    ({"zone": "Mars"}, "f-zone"),
    ({"report": "nonsense"}, "f-report"),
    ({"period": "ever"}, "f-period"),
    ({"query": "colour=red"}, "f-query"),
    ({"query": "support"}, "f-query"),
    ({"query": "queue=support&calls"}, "f-query"),
    ({"query": "queue="}, ""),
    ({"format": "exe"}, "f-format"),
    ({"recipient": []}, "f-recipient"),
]


@pytest.mark.parametrize(("changed", "field"), BAD, ids=[str(case[0]) for case in BAD])
def test_errors_name_their_field(
    client: FlaskClient, owner: User, changed: dict[str, Any], field: str
) -> None:
    answer = client.post(NEW, data={**FORM, "recipient": [str(owner.id)], **changed})
    assert answer.status_code == (422 if field else 302)
    if field:
        assert f'href="#{field}"' in answer.text
        assert f'id="{field}"' in answer.text
        assert not Schedule.select().exists()


def test_daily_and_monthly_schedules_need_no_weekday(client: FlaskClient, owner: User) -> None:
    daily = add(client, owner, frequency="daily", weekday=[])
    monthly = add(client, owner, frequency="monthly", weekday=[], month_day="31", at="23:30")
    assert daily.next_ts == int(datetime(2026, 11, 28, 6, 0, tzinfo=UTC).timestamp())
    assert monthly.next_ts == int(datetime(2026, 11, 30, 22, 30, tzinfo=UTC).timestamp())


def test_save_moves_the_next_time_and_a_stale_version_changes_nothing(
    client: FlaskClient, owner: User
) -> None:
    row = add(client, owner)
    url = f"/reports/schedules/{row.id}"
    form = {**FORM, "recipient": [str(owner.id)], "at": "08:00", "version": "1"}
    assert client.post(url, data=form).status_code == 302
    assert Schedule.get_by_id(row.id).next_ts == MONDAY + 3600
    assert client.post(url, data={**form, "at": "09:00"}).status_code == 422
    assert Schedule.get_by_id(row.id).at == "08:00"


def test_paused_schedule_keeps_its_recipients_and_resumes_from_now(
    client: FlaskClient, owner: User, now: Any
) -> None:
    row = add(client, owner)
    client.post(f"/reports/schedules/{row.id}/pause")
    assert Schedule.get_by_id(row.id).next_ts is None
    assert ScheduleRecipient.select().count() == 1
    assert "Paused" in client.get("/reports/schedules").text
    form = {**FORM, "recipient": [str(owner.id)], "version": "2"}
    assert client.post(f"/reports/schedules/{row.id}", data=form).status_code == 302
    assert Schedule.get_by_id(row.id).next_ts is None, "saving does not resume"
    now.move_to(NOW.timestamp() + 7 * 86_400)
    make.sign_in(client, owner)
    client.post(f"/reports/schedules/{row.id}/resume")
    client.post(f"/reports/schedules/{row.id}/resume")
    assert Schedule.get_by_id(row.id).next_ts == MONDAY + 7 * 86_400
    actions = AuditEntry.select(AuditEntry.changes).where(AuditEntry.action == "schedule.updated")
    assert [changes for (changes,) in actions.order_by(AuditEntry.id).tuples()] == [
        {"active": [True, False]},
        {"active": [False, True]},
    ]


def test_send_me_one_now_goes_to_the_viewer(client: FlaskClient, owner: User) -> None:
    row = add(client, make.user("petr"))
    assert client.post(f"/reports/schedules/{row.id}/send").status_code == 302
    [sent] = list(ScheduleMail.select())
    assert (sent.user_id, ScheduleRun.get().manual) == (owner.id, True)
    User.update(email="").where(User.id == owner.id).execute()
    page = client.post(f"/reports/schedules/{row.id}/send", follow_redirects=True).text
    assert "no email address" in page
    assert ScheduleMail.select().count() == 1


def test_deletion_removes_the_history_and_is_audited(client: FlaskClient, owner: User) -> None:
    row = add(client, owner)
    client.post(f"/reports/schedules/{row.id}/send")
    assert client.post(f"/reports/schedules/{row.id}/delete").status_code == 302
    counts = [each.select().count() for each in (Schedule, ScheduleRecipient, ScheduleRun, ScheduleMail)]
    assert counts == [0, 0, 0, 0]
    assert AuditEntry.select().where(AuditEntry.action == "schedule.deleted").count() == 1


def test_others_schedules_are_not_found_but_for_an_administrator(client: FlaskClient, owner: User) -> None:
    row = add(client, owner)
    stranger = make.user("eva", access=make.access([P.QUEUES_FIGURES], ["all_users", "all_queues"]))
    url = f"/reports/schedules/{row.id}"
    make.sign_in(client, stranger)
    assert "No schedules yet" in client.get("/reports/schedules").text
    assert client.get(url).status_code == client.get(f"{url}/delete").status_code == 404
    for verb in ("", "/send", "/pause", "/resume", "/delete"):
        assert client.post(f"{url}{verb}", data=FORM).status_code == 404, verb
    assert Schedule.get_by_id(row.id).active
    make.sign_in(client, make.administrator())
    assert "Jana" in client.get("/reports/schedules").text
    assert client.get(url).status_code == 200
    assert client.post(f"{url}/pause").status_code == 302


def test_sending_to_others_needs_the_right_to_share(client: FlaskClient, app: Flask) -> None:
    user = make.user("eva", access=make.access([P.QUEUES_FIGURES], ["all_users", "all_queues"]))
    other = make.user("petr")
    make.sign_in(client, user)
    answer = client.post(NEW, data={**FORM, "query": "", "recipient": [str(user.id), str(other.id)]})
    assert answer.status_code == 422
    assert "to yourself only" in answer.text
    assert not Schedule.select().exists()
    assert add(client, user, query="").user_id == user.id


def test_somebody_outside_the_scope_cannot_be_a_recipient(client: FlaskClient, app: Flask) -> None:
    access = make.access([P.QUEUES_FIGURES, P.REPORTS_SHARE], ["all_queues"])
    user, stranger = make.user("eva", access=access), make.user("petr", name="Strange Person")
    make.sign_in(client, user)
    answer = client.post(NEW, data={**FORM, "query": "", "recipient": [str(stranger.id)]})
    assert answer.status_code == 404
    assert "Strange Person" not in client.get(NEW).text


@pytest.mark.parametrize("ident", ["0", "999999", "99999999999999999999", "x"])
def test_unknown_ids_are_not_found(client: FlaskClient, owner: User, ident: str) -> None:
    assert client.get(f"/reports/schedules/{ident}").status_code == 404


def test_address_of_a_report_leads_to_its_schedules(client: FlaskClient, owner: User) -> None:
    add(client, owner)
    add(client, owner, name="Hours", report="load-by-hour", query="")
    page = client.get("/reports/load-by-hour/schedules", follow_redirects=True).text
    assert "Hours" in page
    assert ">Calls<" not in page
    assert client.get("/reports/nonsense/schedules").status_code == 404
