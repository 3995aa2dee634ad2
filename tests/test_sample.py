"""Sample data: they come as a source of their own and go with all that came of them."""

from __future__ import annotations

import peewee
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from dashboard import clock
from dashboard.events import internal, record
from dashboard.ingest.imports import sample_data
from dashboard.ingest.schema import NewEvent
from dashboard.jobs import worker
from dashboard.models import (
    ALL,
    Activity,
    AuditEntry,
    Contact,
    Event,
    Interaction,
    Interval,
    Job,
    PauseType,
    Queue,
    Run,
    Source,
    Team,
    TeamMember,
    User,
)
from tests import make

pytestmark = [pytest.mark.both_databases, pytest.mark.dated]

MADE = (Event, Interaction, Activity, Interval, Contact, Queue, PauseType, Source)
BESIDE = {"audit_entry", "audit_subject", "job", "setting", "source_hour"}  # of what is done in Stopa


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the sample be of two days."""
    monkeypatch.setattr("dashboard.demo.sample.DAYS", 1)


def rows() -> dict[str, int]:
    """Return how many rows each table has, without those that record what was done in Stopa."""
    counts = {model._meta.table_name: model.select().count() for model in ALL}
    own = Source.get_or_none(Source.name == internal.SOURCE)
    counts["event"] -= Event.select().where(Event.source_id == own).count() if own else 0
    counts["source"] -= own is not None
    return {name: number for name, number in counts.items() if name not in BESIDE}


def send(login: str, queue: str) -> None:
    """Store events of a source of one's own, which name a user and a queue."""
    now = clock.now_ms()
    events = [
        NewEvent(f"{kind}:{login}", kind, now - ago, login, queue, f"c-{login}", {"name": "Eva"})
        for kind, ago in (("call.accepted", 60_000), ("call.closed", 1000))
    ]
    record.append(record.source("pbx").id, events)
    worker.drain()


def change(client: FlaskClient, work: str) -> None:
    assert client.post("/sample", data={"work": work}).headers["Location"] == "/sample"
    page = client.get("/sample")
    assert ("<progress" in page.text, "Refresh" in page.headers) == (True, True)
    worker.drain()
    assert not Job.select().where(Job.state == "failed").exists()


def test_what_is_loaded_is_removed_with_all_that_came_of_it(
    client: FlaskClient, db: peewee.Database, short: None
) -> None:
    with time_machine.travel(clock.now_s(), tick=False):
        make.sign_in(client, make.administrator("boss"))
        send("own", "line")
        before = rows()
        for _round in range(2):
            change(client, "load")
            assert all(model.select().count() > before[model._meta.table_name] for model in MADE)
            assert not Run.select().exists()
            loaded = client.get("/sample").text
            assert ("The sample data are loaded." in loaded, "Load sample data" in loaded) == (True, False)
            home = client.get("/").text
            assert ("Sample data are shown." in home, 'id="team"' in home) == (True, True)
            assert "1 of 8 done" in home  # the step of one's own data alone
            assert client.get("/tracing?user=sample-novakova").status_code == 200
            client.post("/sample", data={"work": "load"})
            assert not worker.drain()
            change(client, "remove")
            # The last user and the last queue stay deactivated, for their numbers.
            assert rows() == {**before, "user": before["user"] + 1, "queue": before["queue"] + 1}
            left = [*User.select(User.login), *Queue.select(Queue.name)]
            assert sum(bool(row.deactivated_ts) for row in (*User.select(), *Queue.select())) == 2, left
        actions = [entry.action for entry in AuditEntry.select().order_by(AuditEntry.id)]
        assert [each for each in actions if each.startswith("import.")] == ["import.run", "import.undone"] * 2


def test_what_somebody_made_or_changed_stays(client: FlaskClient, db: peewee.Database, short: None) -> None:
    with time_machine.travel(clock.now_s(), tick=False):
        make.sign_in(client, make.administrator("boss"))
        change(client, "load")
        send("sample-sato", "sample-billing")
        team = Team.create(name="Mine")
        person, queue = User.get(User.login == "sample-novakova"), Queue.get(Queue.name == "sample-support")
        TeamMember.create(team=team, user=User.get(User.login == "sample-kucera"))
        for row in (person, queue):
            type(row).update(version=2).where(type(row).id == row.id).execute()
        role = make.access(grants=[("users", User.get(User.login == "sample-cerny").id)])
        change(client, "remove")
        active = User.select(User.login).where(User.deactivated_ts.is_null()).order_by(User.login)
        logins = [login for (login,) in active.tuples() if login.startswith(sample_data.PREFIX)]
        assert logins == ["sample-cerny", "sample-novakova", "sample-sato"]
        queues = [name for (name,) in Queue.select(Queue.name).order_by(Queue.name).tuples()]
        assert queues[:2] == ["sample-billing", "sample-support"]
        assert (Team.get().id, TeamMember.select().count(), role.name) == (team.id, 0, role.name)
        assert Event.select().where(Event.type.startswith("call.")).count() == 2
        assert Activity.select().count() == 1


def test_the_page_of_sample_data_refuses_what_it_does_not_know(client: FlaskClient, app: Flask) -> None:
    make.sign_in(client, make.administrator("boss"))
    assert "Load sample data" in client.get("/").text
    for bad in ({}, {"work": "drop"}):
        assert client.post("/sample", data=bad).status_code == 422
    for source in ("stopa-sample", " Stopa-Sample"):
        refused = client.post("/settings/keys/new", data={"name": "k", "allow": "ingest", "source": source})
        assert (refused.status_code, "own events" in refused.text) == (422, True)
    record.source("sample")  # as of a file of that name
    assert not sample_data.is_loaded()
    for _again in range(2):
        client.post("/sample", data={"work": "load"})
    assert Job.select().where(Job.kind == sample_data.KIND).count() == 1
    Job.update(state="failed", error="disk full").execute()
    assert "This failed: disk full" in client.get("/sample").text
