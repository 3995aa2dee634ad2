"""What the audit log keeps of looks and refusals: who, at what, from where, and no secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator

import peewee
import pytest
import time_machine
from flask.testing import FlaskClient

from dashboard import clock
from dashboard.access import keys
from dashboard.access.permissions import Permission
from dashboard.audit import chain, deferred, verify
from dashboard.audit import record as audit
from dashboard.models import AuditEntry, Event, User
from tests import make
from tests.ingest.test_kill import locked
from tests.pages import trail
from tests.pages.trail import DAY

pytestmark = pytest.mark.both_databases


@pytest.fixture(autouse=True)
def evening() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(trail.at("2026-03-02 20:00"), tick=False) as traveller:
        yield traveller


def entries(action: str) -> list[AuditEntry]:
    return list(AuditEntry.select().where(AuditEntry.action == action).order_by(AuditEntry.id))


def test_views_of_a_trace_are_recorded_once_in_15_minutes(
    client: FlaskClient, evening: time_machine.Traveller
) -> None:
    trail.store(trail.ordinary(), trail.ordinary("petr"))
    viewer = make.administrator()
    make.sign_in(client, viewer)
    address = f"/tracing?user=jana&date={DAY}&tz=Europe/Prague"
    for url in (address, address, f"{address}&kind=call", f"{address}&minutes=15"):
        client.get(url, headers={"User-Agent": "Probe/1"})
    (entry,) = entries("tracing.viewed")
    jana = User.get(User.login == "jana")
    assert (entry.actor_type, entry.actor_id, entry.actor_label) == ("user", viewer.id, "admin")
    assert (entry.target_type, entry.target_id, entry.target_label) == ("user", str(jana.id), "jana")
    assert (entry.crud, entry.outcome, entry.interface, entry.ip) == ("r", "success", "web", "127.0.0.1")
    assert entry.user_agent == "Probe/1"
    assert re.fullmatch("[0-9a-f]{16}", entry.request_id)
    assert entry.details == {"unit": "day", "date": DAY, "zone": "Europe/Prague"}
    for other in (f"{address}&unit=week", "/tracing?user=petr", address.replace("03-02", "03-01")):
        client.get(other)
    assert len(entries("tracing.viewed")) == 4
    evening.shift(15 * 60)
    client.get(address)
    client.get(address)
    assert len(entries("tracing.viewed")) == 5
    make.sign_in(client, make.administrator("second"))
    client.get(address)
    assert len(entries("tracing.viewed")) == 6


def test_files_and_details_are_recorded_as_separate_views(client: FlaskClient) -> None:
    trail.store(trail.ordinary())
    make.sign_in(client, make.administrator())
    for _ in range(2):
        client.get(f"/tracing.csv?user=jana&date={DAY}&tz=Europe/Prague&kind=chat&token=abc")
    exported = entries("tracing.exported")
    assert len(exported) == 2
    assert exported[0].target_label == f"stopa-tracing-jana-{DAY}.csv"
    assert exported[0].details == {
        "user": "jana",
        "unit": "day",
        "date": DAY,
        "tz": "Europe/Prague",
        "kind": "chat",
        "rows": 3,
    }
    page = client.get(f"/tracing?user=jana&date={DAY}&tz=Europe/Prague").text
    detail = re.search(r'"(/tracing/activities/(\d+)\?[^"]*)"', page)
    assert detail is not None
    for _ in range(2):
        client.get(detail.group(1))
    (entry,) = entries("activity.viewed")
    assert entry.details == {"activity": int(detail.group(2))}


def test_denied_requests_are_recorded_but_not_404(client: FlaskClient) -> None:
    viewer = make.user("viewer", access=make.access([Permission.HOME_VIEW]))
    make.sign_in(client, viewer)
    assert client.get("/users?q=secret").status_code == 403
    assert client.post("/users/new", data={"password": "hunter2"}).status_code == 403
    assert client.get("/tracing?user=nobody").status_code == 404
    first, second = entries("access.denied")
    assert (first.target_type, first.target_id, first.target_label) == ("page", "/users", "users.index")
    assert (second.target_id, second.target_label) == ("/users/new", "users.create")
    for entry in (first, second):
        assert (entry.outcome, entry.actor_id, entry.actor_label) == ("denied", viewer.id, "viewer")
        assert entry.request_id
        assert "hunter2" not in f"{entry.details}{entry.changes}"
    assert AuditEntry.select().count() == 2


@pytest.mark.parametrize("field", ["password", "api_key", "TOKEN", "webhook_secret", "new_password_hash"])
def test_secrets_are_masked_by_field_name(db: peewee.Database, field: str) -> None:
    audit.record("test.done", "u", changes={field: ("old", "new")}, details={field: "value", "other": "kept"})
    entry = AuditEntry.get()
    assert entry.changes == {field: ["•••", "•••"]}
    assert entry.details == {field: "•••", "other": "kept"}


def test_missing_secret_stays_none(db: peewee.Database) -> None:
    audit.record("test.done", "u", changes={"password": (None, "new")})
    assert AuditEntry.get().changes == {"password": [None, "•••"]}


def test_long_texts_are_truncated_with_their_length(db: peewee.Database) -> None:
    audit.record("test.done", "u", ("thing", "i" * 100, "l" * 300), details={"note": "x" * 5000})
    entry = AuditEntry.get()
    assert entry.details["note"] == "x" * 2048 + "… (5000)"
    assert (len(entry.target_id), len(entry.target_label)) == (60, 200)


def test_actor_is_the_command_line_outside_requests(db: peewee.Database) -> None:
    audit.record("test.done", "c")
    entry = AuditEntry.get()
    assert (entry.actor_type, entry.interface, entry.ip, entry.request_id) == ("cli", "cli", "", "")


def test_entry_is_rolled_back_with_its_change(db: peewee.Database) -> None:
    with db.atomic() as transaction:
        make.user("jana")
        audit.record("user.created", "c")
        transaction.rollback()
    assert (User.select().count(), AuditEntry.select().count()) == (0, 0)


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, {"b": (2, 3)}),
        ({}, {"a": None}, {}),
        ({"a": 1}, {}, {}),
        ({}, {"a": ""}, {"a": (None, "")}),
    ],
)
def test_differences_contain_only_changed_fields(
    before: dict[str, object], after: dict[str, object], changes: dict[str, tuple[object, object]]
) -> None:
    assert audit.differences(before, after) == changes


@pytest.mark.parametrize(
    ("path", "action"),
    [
        (f"tracing?user=jana&date={DAY}", "tracing.viewed"),
        (f"queues?queue=support&date={DAY}", "queue.viewed"),
        (f"activities?from={DAY}&to={DAY}", "query.run"),
    ],
)
def test_looks_of_a_key_are_recorded_once_an_hour(
    client: FlaskClient, evening: time_machine.Traveller, path: str, action: str
) -> None:
    trail.store(trail.ordinary())
    trail.store(trail.work("call", "c-1", "09:00", "09:10", "jana", queue="support", direction="in"))
    key = keys.make("wall", "pbx", "read", maker_id=make.administrator().id)
    found = []
    for _ in range(13):
        answer = client.get(f"/api/v1/{path}", headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == 200, answer.text
        found.append(len(entries(action)))
        evening.shift(5 * 60)
    assert found == [1] * 12 + [2]
    assert entries(action)[0].actor_type == "key"
    assert Event.select().where(Event.type == action).count() in (0, 2)  # query.run has no event type


def test_a_look_that_the_database_does_not_take_is_written_later_with_its_time(
    client: FlaskClient, evening: time_machine.Traveller, caplog: pytest.LogCaptureFixture, db_url: str
) -> None:
    trail.store(trail.ordinary())
    make.sign_in(client, make.administrator())
    with locked(db_url):
        for _ in range(2):
            assert client.get(f"/tracing?user=jana&date={DAY}").status_code == 200
        evening.shift(60)
    (waits,) = [line for line in caplog.messages if "audit entry waits" in line]
    assert "tracing.viewed" in waits
    assert "jana" in waits
    deferred.flush()
    (entry,) = entries("tracing.viewed")
    event = Event.get(Event.type == "tracing.viewed")
    looked_ms = clock.now_ms() - 60_000
    assert entry.seq == chain.head().seq
    assert verify.walk().fault is None
    assert (entry.occurred_ms, event.time_ms, event.recorded_ms) == (looked_ms, looked_ms, looked_ms + 60_000)
    deferred.flush()
    assert len(entries("tracing.viewed")) == 1


def test_more_looks_than_wait_are_refused(
    client: FlaskClient, db_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trail.store(trail.ordinary())
    make.sign_in(client, make.administrator())
    monkeypatch.setattr(deferred, "MOST", 0)
    with locked(db_url):
        assert client.get(f"/tracing?user=jana&date={DAY}").status_code == 503
