"""Erasure of a contact: its texts are in no table and no byte of the file, and the figures stay."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote_plus

import pytest

from dashboard.audit import record as audit
from dashboard.db import database, dialect
from dashboard.events import erasure
from dashboard.jobs import worker
from dashboard.models import ALL, Activity, AuditEntry, Contact, Event, Interaction, Notification, SavedQuery
from dashboard.reports import library
from dashboard.tracing import projection
from tests import make
from tests.pages import trail

pytestmark = pytest.mark.both_databases

NAME, PHONE, EMAIL = "Žofie Kučerová", "+420 601 234 567", "zofie.kucerova@example.org"
DIGITS = "420601234567"
OTHER = "+420777000111"
TRACES = (NAME, NAME.upper(), "Kučerov", PHONE, DIGITS, EMAIL, EMAIL.upper(), "zofie", r"\u017dofie")
TRACES += tuple(quote_plus(each) for each in (NAME, PHONE, EMAIL))


def day() -> None:
    """Store a day with the contact in every place where its texts can stand."""
    whole = {"name": NAME, "phone": PHONE, "email": EMAIL}
    trail.store(
        [
            *trail.stay("08:00", "16:00"),
            *trail.work("call", "c1", "09:00", "09:05", queue="support", contact=whole),
            *trail.work("call", "c2", "10:00", "10:05", queue="support", contact={"phone": PHONE}),
            trail.event(
                "ticket.created", "11:00", interaction="t1", title=f"Reply to {NAME}", requester=NAME
            ),
            trail.event("ticket.updated", "11:10", interaction="t1", contact=whole, number=int(DIGITS)),
            *trail.work("call", "c3", "12:00", "12:05", contact={"name": NAME, "phone": OTHER}),
            trail.event("custom.survey", "13:00", answer=f"call {PHONE} or {EMAIL.upper()}"),
        ]
    )
    reader = make.administrator()
    tree = {"all": [{"field": "contact", "op": "contains", "value": PHONE}]}
    for number, value in enumerate((PHONE, f"+{DIGITS}", EMAIL, NAME)):
        SavedQuery.create(
            user=reader, name=f"{number}", source="interactions", created_ts=0, updated_ts=0,
            query=library.canonical({"contact__contains": [value], "filter": [json.dumps(tree)]}),
        )  # fmt: skip
    Notification.create(
        user_id=reader.id, title=f"{NAME.upper()} waits", body=f"{PHONE} · {EMAIL}", made_ms=1
    )


def forget_other() -> None:
    """Delete the other contact of the same name, with all its events."""
    Contact.delete().where(Contact.phone == OTHER).execute()
    Event.delete().where((Event.interaction == "c3") | Event.contact.contains(OTHER)).execute()


def figures() -> list[tuple[object, ...]]:
    a, i = Activity, Interaction
    work = a.select(a.id, a.contact_id, a.start_ts, a.handling_s, a.talk_s, a.state).order_by(a.id)
    contacts = i.select(i.id, i.contact_id, i.outcome, i.wait_s).order_by(i.id)
    return [*work.tuples(), *contacts.tuples()]


def stored() -> str:
    """Return all that the database holds but for the people of the site, as text."""
    parts = []
    for model in ALL:
        if model not in erasure.KEPT:
            parts += [str(row) for row in database.execute_sql(f'SELECT * FROM "{model._meta.table_name}"')]
    return "\n".join(parts)


@pytest.mark.usefixtures("db")
def test_an_erased_contact_is_in_no_table_and_the_figures_stay() -> None:
    day()
    before, ident = figures(), Contact.get(Contact.phone == PHONE).id
    assert all(trace in stored() for trace in (NAME, PHONE, EMAIL, DIGITS))
    erase(ident)
    assert figures() == before
    assert Contact.get_by_id(ident).name == f"erased-{ident}"
    assert Contact.get(Contact.phone == OTHER).name == NAME
    forget_other()
    left = stored()
    assert [trace for trace in TRACES if trace in left] == []


@pytest.mark.usefixtures("db")
def test_a_rebuild_after_the_erasure_changes_nothing() -> None:
    day()
    erase(Contact.get(Contact.phone == PHONE).id)
    before, found = figures(), list[str]()
    projection.rebuild(changed=lambda change: found.append(str(change)))
    assert (found, figures()) == ([], before)


@pytest.mark.usefixtures("db")
def test_contacts_of_other_sources_with_the_same_number_are_the_same_person() -> None:
    day()
    trail.store(trail.work("call", "z1", "14:00", "14:05", contact={"phone": PHONE}), source="other")
    ident = Contact.get(Contact.phone == PHONE).id
    people = erasure.same_person(ident)
    assert len(people) == 2
    erase(ident)
    assert Contact.select().where(Contact.phone == PHONE).count() == 0
    assert erasure.same_person(ident) == [ident]
    assert erasure.same_person(10**6) == []


@pytest.mark.usefixtures("db")
def test_no_byte_of_an_erased_contact_is_left_in_the_file(db_url: str) -> None:
    if not dialect.is_sqlite():
        pytest.skip("PostgreSQL frees the space of old rows by VACUUM")
    day()
    erase(Contact.get(Contact.phone == PHONE).id)
    forget_other()
    database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.execute_sql("VACUUM")
    database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    content = Path(db_url.removeprefix("sqlite:///")).read_bytes()
    assert [trace for trace in TRACES if trace.encode() in content] == []


@pytest.mark.usefixtures("db")
def test_audit_entries_are_not_touched() -> None:
    day()
    with database.atomic():
        audit.record("contact.erased", "d", ("contact", 1, "+420 ••• ••• 567"), details={"events": 5})
    before = list(AuditEntry.select().dicts())
    erase(Contact.get(Contact.phone == PHONE).id)
    assert list(AuditEntry.select().dicts()) == before


def test_every_table_with_texts_is_walked_or_kept_for_a_reason() -> None:
    assert {model for model in ALL if erasure.texts_of(model)} == {
        *erasure.walked(),
        *(model for model in (*erasure.KEPT, *erasure.OWN_WAY) if erasure.texts_of(model)),
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("from 420601234567.", "from erased-1."),
        ("1420601234567", "1420601234567"),
        ("00420601234567", "00420601234567"),
        (420601234567, "erased-1"),
        ("+420 601 234 567", "erased-1"),
        ("+420601234567", "erased-1"),
        ('{"a": ["ZOFIE.KUCEROVA@example.org", 5, true]}', '{"a": ["erased-1", 5, true]}'),
        ("[not json", "[not json"),
        (True, True),
        (None, None),
    ],
)
def test_what_is_replaced_in_a_value(value: object, expected: object) -> None:
    person = erasure.Person(1, 1, PHONE, "erased-1", frozenset(), frozenset({PHONE, DIGITS, EMAIL}))
    assert erasure.replacer(person, person.texts)(value) == expected


def erase(ident: int) -> None:
    """Erase as the page and the worker do."""
    with database.atomic():
        erasure.order(erasure.same_person(ident))
    worker.drain([erasure.KIND])
