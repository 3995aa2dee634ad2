"""New and changed contacts are recorded once, with time and causes of the event that named them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from dashboard.db import database
from dashboard.events import record, switches
from dashboard.events.switches import Choice
from dashboard.ingest import digest
from dashboard.ingest.schema import NewEvent
from dashboard.jobs import worker
from dashboard.models import Contact, Event, EventCause, Job, Queue
from dashboard.tracing import projection

pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("db")]

PHONE = "+420123456214"
EVA = {"phone": PHONE, "name": "Eva"}
TYPES = ("contact.created", "contact.updated")


def send(*contacts: dict[str, str], rules: bool = True, chain: Sequence[int] = (), start: int = 0) -> None:
    """Store calls of these contacts, one a second, and digest them."""
    source = record.source("pbx").id
    calls = [
        NewEvent(
            None,
            "call.queued",
            1000 * (start + number),
            queue="support",
            interaction=f"c{start + number}",
            contact=contact,
        )
        for number, contact in enumerate(contacts)
    ]
    record.append(source, calls, rules=rules, chain=chain)
    worker.drain(["digest"])


def found() -> list[tuple[str, int, dict[str, str], dict[str, Any]]]:
    rows = Event.select().where(Event.type.in_(TYPES)).order_by(Event.id)
    assert {(row.source_id, row.queue_id) for row in rows} <= {(record.source("pbx").id, Queue.get().id)}
    return [(row.type, row.time_ms, json.loads(row.contact), json.loads(row.data)) for row in rows]


def test_new_and_changed_contacts_are_recorded_and_what_was_known_is_not() -> None:
    send(EVA, {"phone": PHONE}, EVA, {"name": "Jan"}, {})
    created = [
        ("contact.created", 0, EVA, {}),
        ("contact.created", 3000, {"name": "Jan"}, {}),
    ]
    assert found() == created
    send({"phone": PHONE, "name": "Eva Nová"}, {"phone": PHONE, "email": "eva@example.org"}, start=10)
    changed = {"phone": PHONE, "name": "Eva Nová", "email": "eva@example.org"}
    updated = ("contact.updated", 11_000, changed, {"changed": ["name", "email"]})
    assert found() == [*created, updated]
    send({"phone": PHONE}, changed, start=20)
    assert found() == [*created, updated]


def test_folding_again_changes_no_contact_and_records_none() -> None:
    send(EVA, {"phone": PHONE, "name": "Eva Nová"})
    before, job = found(), Job.select().count()
    highest = Event.select().order_by(Event.id.desc()).get().id
    digest.digest([Job(args={"after": 0, "to": highest})])
    projection.rebuild()
    assert (found(), Job.select().count()) == (before, job)
    assert Contact.get().name == "Eva Nová"
    record.append(
        record.source("pbx").id, [NewEvent(None, "call.abandoned", 5000, interaction="c0")], rules=True
    )
    worker.drain(["digest"])  # folds c0, which gave another name, once more
    assert Contact.get().name == "Eva Nová"


def test_an_import_makes_and_changes_contacts_without_events() -> None:
    send(EVA, rules=False)
    send({"phone": PHONE, "name": "Eva Nová"}, rules=False, start=10)
    assert (found(), Contact.get().name) == ([], "Eva Nová")
    send({"phone": PHONE, "name": "Eva"}, start=20)
    assert [type_ for type_, *_rest in found()] == ["contact.updated"]


def test_the_event_of_a_contact_is_in_the_chain_of_its_cause() -> None:
    send({"phone": "1"})
    send(EVA, {"name": "Jan"}, chain=[7, 9], start=10)
    chains = dict(EventCause.select(EventCause.event_id, EventCause.chain).tuples())
    made = Event.select().where(Event.type == "contact.created").order_by(Event.id)
    assert [chains.get(event.id) for event in made] == [None, [7, 9], [7, 9]]


@pytest.mark.parametrize("choice", [Choice(False, True), Choice(True, False), Choice(True, True)])
def test_contacts_are_kept_and_not_recorded_where_their_types_are_off(choice: Choice) -> None:
    for type_ in TYPES:
        switches.choose(type_, choice)
    with database.atomic():
        send(EVA)
        send({"phone": PHONE, "name": "Eva Nová"}, start=10)
    assert [type_ for type_, *_rest in found()] == (list(TYPES) if choice.recorded else [])
    assert Contact.get().name == "Eva Nová"
