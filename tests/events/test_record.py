"""The one log: an event and its job commit together, and a repeat changes nothing."""

from __future__ import annotations

import json

import peewee
import pytest

from dashboard.db import database
from dashboard.events import record
from dashboard.ingest.schema import NewEvent
from dashboard.models import Event, Job, Queue, Source, User

pytestmark = pytest.mark.both_databases


@pytest.fixture
def source(db: peewee.Database) -> Source:
    return record.source("pbx")


def event(ident: str | None, user: str | None = None, queue: str | None = None) -> NewEvent:
    return NewEvent(ident, "custom.x", 1_772_438_400_000, user, queue)


def ranges() -> list[tuple[int, int]]:
    jobs = Job.select(Job.args).where(Job.kind == "digest").order_by(Job.id).tuples()
    return [(args["after"], args["to"]) for (args,) in jobs]


def test_ids_ascend_in_given_order_and_the_digest_gets_their_range(source: Source) -> None:
    for batch in (["b", "a", "c"], ["z"], ["y", "x"]):
        done = record.append(source.id, [event(ident) for ident in batch])
        assert (done.accepted, done.ids) == (len(batch), batch)
        after, to = ranges()[-1]
        inside = Event.select(Event.external_id).where((Event.id > after) & (Event.id <= to))
        assert [ident for (ident,) in inside.order_by(Event.id).tuples()] == batch


def test_repeated_event_stores_nothing_and_enqueues_no_job(source: Source) -> None:
    record.append(source.id, [event("a"), event("b")])
    assert record.append(source.id, [event("a"), event("b")])[:3] == (0, 2, ["a", "b"])
    assert len(ranges()) == 1
    assert record.append(source.id, [event("a"), event("new")])[:3] == (1, 1, ["a", "new"])
    assert len(ranges()) == 2


def test_empty_batch_opens_no_transaction(source: Source) -> None:
    assert record.append(source.id, [])[:3] == (0, 0, [])


def test_event_and_job_are_rolled_back_together(source: Source) -> None:
    with database.atomic() as transaction:
        record.append(source.id, [event("a", "jana", "support")])
        transaction.rollback()
    assert [model.select().count() for model in (Event, Job, User, Queue)] == [0, 0, 0, 0]
    assert record.append(source.id, [event("a", "jana", "support")]).accepted == 1


@pytest.mark.own_database
def test_database_errors_have_peewee_classes(source: Source) -> None:
    database.execute_sql("DROP TABLE event")
    with pytest.raises((peewee.OperationalError, peewee.ProgrammingError)):
        record.append(source.id, [event("a")])


def test_users_and_queues_are_created_once_if_allowed(source: Source) -> None:
    record.append(source.id, [event(None, "jana", "support"), event(None, "jana"), event(None, "petr")])
    record.append(source.id, [event(None, "jana", "support"), event("last", "eva", "sales")], makes=False)
    assert [row.login for row in User.select().order_by(User.id)] == ["jana", "petr"]
    assert [row.name for row in Queue.select()] == ["support"]
    last = Event.get(Event.external_id == "last")
    assert (last.user_id, last.queue_id) == (None, None)


def test_many_names_are_looked_up_in_one_query(source: Source) -> None:
    batch = [event(str(n), f"user{n}", f"queue{n % 700}") for n in range(1500)]
    assert record.append(source.id, batch).accepted == 1500
    assert (User.select().count(), Queue.select().count()) == (1500, 700)
    assert record.unknown_names([event("x", "user1", "nowhere"), event("y", "nobody")]) == {
        "user": {"nobody"},
        "queue": {"nowhere"},
    }


def test_rolled_back_users_are_not_cached(source: Source) -> None:
    def undone() -> None:
        with database.atomic():
            record.append(source.id, [event("a", "jana")])
            raise LookupError

    with pytest.raises(LookupError):
        undone()
    record.append(source.id, [event("b", "petr")])  # takes the id that was free again, where ids are reused
    record.append(source.id, [event("c", "jana")])
    logins = dict(User.select(User.id, User.login).tuples())
    found = Event.select(Event.external_id, Event.user_id).tuples()
    assert {ident: logins[user] for ident, user in found} == {"b": "petr", "c": "jana"}


@pytest.mark.parametrize(
    ("types", "channel"),
    [
        (["call.queued"], "call"),
        (["custom.x"], "call"),
        (["email.accepted"], "email"),
        (["ticket.created"], "ticket"),
        (["chat.queued"], "webchat"),
        (["chat.queued WhatsApp"], "whatsapp"),
        (["custom.x", "email.closed", "call.queued"], "email"),
    ],
)
def test_a_new_queue_has_the_channel_of_its_first_event(
    source: Source, types: list[str], channel: str
) -> None:
    events = []
    for number, (type_, _space, named) in enumerate(each.partition(" ") for each in types):
        data = json.dumps({"channel": named} if named else {})
        events.append(NewEvent(str(number), type_, 1_772_438_400_000, None, "night", data=data))
    record.append(source.id, events)
    assert Queue.get(Queue.name == "night").channel == channel
    record.append(source.id, [NewEvent("late", "call.queued", 1_772_438_400_000, None, "night")])
    assert Queue.get(Queue.name == "night").channel == channel


def test_renamed_queue_gets_no_events_of_its_old_name(source: Source) -> None:
    record.append(source.id, [event("a", queue="sales")])
    Queue.update(name="offers").where(Queue.name == "sales").execute()
    record.append(source.id, [event("b", queue="sales"), event("c", queue="offers")])
    names = dict(Queue.select(Queue.id, Queue.name).tuples())
    found = Event.select(Event.external_id, Event.queue_id).tuples()
    assert {ident: names[queue] for ident, queue in found} == {"a": "offers", "b": "sales", "c": "offers"}
