"""Retention of content: contacts and texts go, figures stay, also after a rebuild."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import peewee
import pytest
import time_machine
from flask import Flask

from dashboard.clock import DAY_S
from dashboard.events import erasure
from dashboard.ingest.schema import NewEvent
from dashboard.models import Activity, Contact, Event, Interaction
from dashboard.retention import content
from dashboard.tracing import projection
from tests.tracing.projected import picture
from tests.tracing.test_bounds_properties import send

pytestmark = pytest.mark.both_databases

START = 1_777_852_800  # 2026-05-04 00:00 UTC
BEFORE_MS = (START + 6 * DAY_S) * 1000
EVA, JAN = {"phone": "+420601000001", "name": "Eva Tichá"}, {"email": "jan@example.org", "name": "Jan Novák"}
SECRETS = ("601000001", "Tich", "jan@", "Novák", "Invoice", "wants a refund", "VIP")


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    with time_machine.travel(START + 12 * DAY_S, tick=False):
        yield


def email(name: str, day: float, contact: dict[str, str]) -> list[NewEvent]:
    """Return the events of an e-mail of the contact, of 0.1 days."""
    said = {"title": f"Invoice {name}", "comment": "wants a refund", "status": "open", "wait_s": 60}
    return [
        NewEvent(
            f"{name} {type_}",
            f"email.{type_}",
            int(START + (day + after) * DAY_S) * 1000,
            None if type_ == "queued" else "su",
            "mail",
            name,
            contact,
            data=json.dumps({**said, "custom_text": "VIP"}),
            envelope='{"x": "VIP"}' if type_ == "closed" else None,
        )
        for type_, after in (("queued", 0), ("accepted", 0.05), ("closed", 0.1))
    ]


def figures() -> list[Any]:
    contacts = Interaction.select(Interaction.external_id, Interaction.contact_id).order_by(
        Interaction.external_id
    )
    return [picture("s"), list(contacts.tuples()), Contact.select().count()]


def texts(before_ms: int) -> str:
    e = Event
    old = e.select(e.contact, e.data, e.envelope).where(e.time_ms < before_ms)
    titles = Activity.select(Activity.title).where(Activity.start_ts * 1000 < before_ms)
    return json.dumps([list(old.tuples()), list(titles.tuples())], ensure_ascii=False)


def test_content_goes_and_figures_stay_after_a_rebuild_and_later_events(
    app: Flask, db: peewee.Database
) -> None:
    send("s", [[*email("a", 1, EVA), *email("b", 2, JAN), *email("c", 9, JAN)]])
    before = figures()
    assert sum(content.delete(BEFORE_MS)) == 6
    assert not [word for word in SECRETS if word in texts(BEFORE_MS)]
    assert json.loads(Event.get(Event.interaction == "a").data) == {"status": "open", "wait_s": 60}
    eva, jan = (dict(before[1])[name] for name in "ab")
    row = Contact.get_by_id(eva)
    assert (row.key.partition(":")[2], row.name, row.phone, row.search) == (
        f"erased-{eva}",
        f"erased-{eva}",
        "",
        "",
    )
    assert Contact.get_by_id(jan).name == "Jan Novák"  # who wrote again on day 9
    assert "Invoice c" in texts(2**60)
    for _again in range(2):
        assert figures() == before
        projection.rebuild()
    send("s", [email("d", 10, JAN)])
    assert (Interaction.get(Interaction.external_id == "d").contact_id, Contact.select().count()) == (jan, 2)
    erasure.erase(jan)
    projection.rebuild()
    assert Interaction.get(Interaction.external_id == "b").contact_id == jan


def test_what_comes_late_loses_its_content_in_the_next_night(app: Flask, db: peewee.Database) -> None:
    send("s", [email("a", 1, EVA)])
    assert sum(content.delete(BEFORE_MS)) == 3
    assert sum(content.delete(BEFORE_MS)) == 0
    send("s", [email("b", 2, JAN)])
    assert sum(content.delete(BEFORE_MS)) == 3
    assert not [word for word in SECRETS if word in texts(BEFORE_MS)]


def test_a_deletion_of_content_that_is_stopped_goes_on_from_there(
    app: Flask, db: peewee.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(content.log, "READ_AT_ONCE", 2)
    send("s", [[*email("a", 1, EVA), *email("b", 2, JAN)]])
    before = figures()
    calls, stopped = 0, content.delete(BEFORE_MS)
    while calls < 9 and next(stopped, None) is not None:  # each call does one piece and is stopped
        stopped.close()
        assert figures() == before
        calls, stopped = calls + 1, content.delete(BEFORE_MS)
    assert 3 <= calls <= 6
    projection.rebuild()
    assert figures() == before
    assert not [word for word in SECRETS if word in texts(BEFORE_MS)]


def test_a_pseudonym_names_no_contact_of_another_source(app: Flask) -> None:
    send("s", [email("a", 1, EVA)])
    eva = Contact.get().id
    send("t", [email("x", 1, {"name": f"erased-{eva}"})])
    assert Interaction.get(Interaction.external_id == "x").contact_id != eva
