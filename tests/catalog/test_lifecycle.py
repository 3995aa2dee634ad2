"""Open or ended: each case is a list of events of one interaction and what it then is."""

from __future__ import annotations

import random
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.catalog import CATALOG
from dashboard.catalog.effects import CONTACT, EFFECTS
from dashboard.catalog.lifecycle import InteractionState, apply_event, fold_events

A, B = 1, 2
Q, R = 7, 8


class Event(NamedTuple):
    time_ms: int
    type: str
    user_id: int | None = None
    queue_id: int | None = None
    seq: int = 0
    source_id: int = 1
    file_ts: int | None = None
    uid: int | None = None
    external_id: str = ""


def log(*said: tuple[Any, ...]) -> list[Event]:
    """Return events of one interaction; each is (second, type, user, queue)."""
    return [Event(int(at * 1000), *rest, external_id=str(n)) for n, (at, *rest) in enumerate(said)]


ENDED_CHAT = ((1, "chat.accepted", A), (2, "chat.closed", A))
CASES = [
    ("first event opens", [(1, "chat.message_received")], None),
    ("queued again", [*ENDED_CHAT, (3, "chat.queued", None, Q)], None),
    ("offered again", [*ENDED_CHAT, (3, "chat.offered", B)], None),
    ("accepted again", [*ENDED_CHAT, (3, "chat.accepted", B)], None),
    ("reopened by nobody", [*ENDED_CHAT, (3, "chat.reopened")], None),
    ("dialled again", [(1, "call.dialled", A), (2, "call.closed", A), (3, "call.dialled", A)], None),
    ("late connected of who had ended", [*ENDED_CHAT, (3, "chat.connected", A)], 2),
    ("connected by another", [*ENDED_CHAT, (3, "chat.connected", B)], None),
    ("a message does not reopen", [*ENDED_CHAT, (3, "chat.message_received")], 2),
    ("hold does not reopen", [*ENDED_CHAT, (3, "chat.held", B)], 2),
    ("postponing does not reopen", [*ENDED_CHAT, (3, "chat.postponed", A)], 2),
    ("close by nobody", [(1, "call.accepted", A), (2, "call.closed")], 2),
    ("close without a beginning", [(2, "call.closed", A)], 2),
    (
        "close ends another's work",
        [(1, "call.accepted", A), (2, "call.accepted", B), (3, "call.closed", A)],
        3,
    ),
    (
        "late close of who handed over",
        [(1, "call.accepted", A), (2, "call.transferred", A), (3, "call.accepted", B), (4, "call.closed", A)],
        None,
    ),
    (
        "later close of who was concluded",
        [(1, "call.accepted", A), (2, "call.accepted", B), (3, "call.closed", A), (5, "call.closed", B)],
        5,
    ),
    ("second close of the same user", [*ENDED_CHAT, (5, "chat.closed", A)], 2),
    ("transferred away", [(1, "call.accepted", A), (3, "call.transferred", A)], 3),
    (
        "transferred while it waits",
        [(1, "call.accepted", A), (2, "call.queued", None, Q), (3, "call.transferred", A)],
        None,
    ),
    (
        "transferred while it rings",
        [(1, "call.accepted", A), (2, "call.offered", B), (3, "call.transferred", A)],
        None,
    ),
    (
        "transferred while another works",
        [(1, "call.accepted", A), (2, "call.accepted", B), (3, "call.transferred", A)],
        None,
    ),
    (
        "transferred and queued",
        [(1, "call.accepted", A), (3, "call.transferred", A), (3.5, "call.queued")],
        None,
    ),
    ("abandoned", [(1, "call.queued", None, Q), (3, "call.abandoned", None, Q)], 3),
    ("abandoned, no queue named", [(1, "call.queued", None, Q), (3, "call.abandoned")], 3),
    (
        "timed out in one of two queues",
        [(1, "call.queued", None, Q), (2, "call.queued", None, R), (3, "call.missed", None, Q)],
        None,
    ),
    ("abandoned while somebody works", [(1, "call.accepted", A), (3, "call.abandoned", None, Q)], None),
    ("missed ends all ringing", [(1, "call.offered", A), (1, "call.offered", B), (3, "call.missed", A)], 3),
    (
        "missed, then answered",
        [(1, "call.queued"), (2, "call.missed"), (3, "call.offered", A), (4, "call.accepted", A)],
        None,
    ),
    ("unreached", [(1, "call.dialled", A), (2, "call.unreached", A)], 2),
    (
        "consultation unreached",
        [(1, "call.accepted", A), (2, "call.dialled", B), (3, "call.unreached", B)],
        None,
    ),
    ("ticket deleted", [(1, "ticket.created", A), (2, "ticket.deleted")], 2),
    ("ticket merged", [(1, "ticket.created", A), (2, "ticket.merged")], 2),
    ("ticket marked as spam", [(1, "ticket.created", A), (2, "ticket.spam_marked")], 2),
    ("ticket closed", [(1, "ticket.created", A), (2, "ticket.closed", A)], 2),
    ("ticket reopened", [(1, "ticket.closed", A), (2, "ticket.reopened", A)], None),
    ("ticket updated after its end", [(1, "ticket.closed", A), (2, "ticket.updated", A)], 1),
    ("task completed", [(1, "task.created"), (2, "task.completed")], 2),
    ("direct call rejected", [(1, "call.offered", A), (2, "call.rejected", A)], 2),
    (
        "direct call ignored by one of two",
        [(1, "call.offered", A), (1, "call.offered", B), (2, "call.ignored", A)],
        None,
    ),
    (
        "ignored by both",
        [(1, "call.offered", A), (1, "call.offered", B), (2, "call.ignored", A), (3, "call.ignored", B)],
        3,
    ),
    (
        "queued and rejected",
        [(1, "call.queued", None, Q), (2, "call.offered", A), (3, "call.rejected", A)],
        None,
    ),
    (
        "rejected while another works",
        [(1, "call.accepted", A), (2, "call.offered", B), (3, "call.rejected", B)],
        None,
    ),
    ("close in the second of the answer", [(1, "call.closed", A), (1, "call.accepted", A)], 1),
    (
        "closed and taken again in one second",
        [(1, "call.accepted", A), (2, "call.accepted", A), (2, "call.closed", A)],
        None,
    ),
    (
        "a call out of a chat goes on",
        [(1, "chat.accepted", A), (2, "call.accepted", A), (3, "chat.closed", A)],
        None,
    ),
]


@pytest.mark.parametrize(("said", "ended"), [each[1:] for each in CASES], ids=[each[0] for each in CASES])
def test_open_or_ended(said: list[tuple[Any, ...]], ended: int | None) -> None:
    events = log(*said)
    found = fold_events(events)
    assert found.ended_ms == (None if ended is None else ended * 1000)
    assert fold_events(reversed(events)) == found


def test_chat_closed_by_one_agent_is_open_for_the_next() -> None:
    found = fold_events(
        log(
            (1, "chat.queued", None, Q),
            (2, "chat.accepted", A),
            (3, "chat.closed", A),
            (4, "chat.accepted", B),
        )
    )
    assert (found.is_open, found.users_at_work(), found.episode, found.waits) == (True, [B], 1, ())


def test_answer_ends_ringing_on_other_phones() -> None:
    before = fold_events(log((1, "call.queued", None, Q), (2, "call.offered", A), (2, "call.offered", B)))
    assert before.rings_at() == [A, B]
    after = apply_event(before, Event(3000, "call.accepted", A))
    assert (after.rings_at(), after.users_at_work(), after.waits) == ([], [A], ())


def test_every_row_of_the_table_names_a_catalogued_type() -> None:
    assert set(EFFECTS) <= set(CATALOG)


LOG = st.lists(
    st.builds(
        Event,
        st.integers(1, 6).map(lambda second: second * 1000),
        st.sampled_from(sorted(EFFECTS)) | st.sampled_from([f"call.{verb}" for verb in CONTACT]),
        st.sampled_from([None, A, B]),
        st.sampled_from([None, Q, R]),
    ),
    max_size=12,
).map(lambda events: [each._replace(external_id=str(n)) for n, each in enumerate(events)])


@given(LOG, st.integers())
def test_the_order_of_arrival_does_not_matter(events: list[Event], seed: int) -> None:
    shuffled = random.Random(seed).sample(events, len(events))
    assert fold_events(shuffled) == fold_events(events)


@given(LOG)
def test_ended_interaction_has_no_open_work_and_state_survives_storage(events: list[Event]) -> None:
    found = fold_events(events)
    if not found.is_open:
        assert (found.waits, found.rings_at(), found.users_at_work()) == ((), [], [])
    assert msgspec.json.decode(msgspec.json.encode(found), type=InteractionState) == found
