"""Figures are exact across joins, in every zone and bucket: equal to plain Python over the same rows."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashboard.access import scope
from dashboard.access.scope import Scope
from dashboard.models import Event, Interaction, Source
from dashboard.sources import answer
from dashboard.sources.catalogue import SOURCES
from dashboard.sources.parameters import parse
from tests import make
from tests.sources import plain

pytestmark = pytest.mark.both_databases

VECTOR = (
    ("talkative", 300, "offered rejected offered accepted muted unmuted transferred"),
    ("short", 60, "offered accepted"),
)
KINDS = ("offered", "rejected", "accepted", "held", "resumed", "muted", "transferred", "closed")
ZONES = ("Europe/Prague", "Asia/Tokyo", "America/St_Johns", "Asia/Kathmandu", "UTC")
# Around a change of clocks in Prague; half of the rows lie in three days.
START, END = plain.second("2025-10-20"), plain.second("2025-11-10")
INTERACTION = (
    "id",
    "source",
    "external_id",
    "channel",
    "first_ms",
    "queue_id",
    "wait_s",
    "talk_s",
    "outcome",
)
EVENT = ("id", "source_id", "external_id", "type", "time_ms", "recorded_ms", "user_id", "interaction")


def store(facts: list[tuple[Any, ...]], events: list[tuple[Any, ...]]) -> None:
    Interaction.insert_many([dict(zip(INTERACTION, row, strict=True)) for row in facts]).execute()
    Event.insert_many([dict(zip(EVENT, row, strict=True)) for row in events]).execute()


def ask(viewer: Scope, source: str, zone: str = "Europe/Prague", **given: Any) -> answer.Answer:
    """Return the answer to a query; each parameter is a text or a list of texts."""
    listed = {name: [value] if isinstance(value, str) else value for name, value in given.items()}
    query = parse(SOURCES[source], listed, zone, END, answer.names(viewer))
    return answer.answer(viewer, query, END)


def test_a_coarser_entity_counts_once_in_each_group_and_once_in_the_total(db: object) -> None:
    source, user = Source.create(name="pbx", created_ts=0), make.user("jana")
    facts, events = [], []
    for number, (name, talk, kinds) in enumerate(VECTOR, start=1):
        facts.append((number, source.id, name, "call", START * 1000, None, 5, talk, "answered"))
        for n, kind in enumerate(kinds.split()):
            ident = number * 10 + n
            events.append((ident, source.id, str(ident), f"call.{kind}", START * 1000 + n, 0, user.id, name))
    store(facts, events)
    period = {"from": "2025-10-19", "to": "2025-10-21"}
    found = ask(scope.whole(), "user_events", group="kind", measures="sum:interaction.talk,count", **period)
    talk = {row["kind"]: row["sum:interaction.talk"] for row in found.rows}
    assert talk == {
        "accepted": 360, "muted": 300, "offered": 360, "rejected": 300, "transferred": 300, "unmuted": 300
    }  # fmt: skip
    assert {row["kind"]: row["count"] for row in found.rows}["offered"] == 3
    assert found.totals == {"sum:interaction.talk": 360, "count": 9}
    assert found.groups_overlap
    by_user = ask(scope.whole(), "user_events", group="user", measures="avg:interaction.talk", **period)
    assert by_user.rows == [{"user": "jana", "avg:interaction.talk": 180}]
    assert not by_user.groups_overlap
    one_hot = ask(scope.whole(), "user_events", measures="sum:is_muted,sum:is_accepted,sum:is_held", **period)
    assert one_hot.totals == {"sum:is_muted": 1, "sum:is_accepted": 2, "sum:is_held": 0}


@pytest.fixture
def stored(db: object) -> list[dict[str, Any]]:
    """Store random interactions with events of users; return the events joined with their interactions."""
    chance = random.Random(5)
    source = Source.create(name="pbx", created_ts=0)
    users = [make.user(name) for name in ("jana", "petr", "eva")]
    queues = [make.queue("support"), make.queue("sales", sla_seconds=40), None]
    facts, events, joined = [], [], []
    for number in range(1, 120):
        first = (START + chance.randrange((END - START) // chance.choice((1, 7)))) * 1000
        queue = chance.choice(queues)
        wait, talk = chance.choice((None, 0, 5, 30, 90)), chance.randrange(0, 900, 60)
        outcome = chance.choice(("answered", "abandoned", "missed", ""))
        facts.append(
            (number, source.id, f"c{number}", "call", first, queue and queue.id, wait, talk, outcome)
        )
        for n in range(chance.randrange(6)):
            ident, user, kind = number * 10 + n, chance.choice(users), chance.choice(KINDS)
            at = first + chance.randrange(7_200_000)
            events.append((ident, source.id, str(ident), f"call.{kind}", at, 0, user.id, f"c{number}"))
            joined.append(
                {
                    "at_ms": at,
                    "user_event": ident,
                    "interaction": number,
                    "user_event.kind": kind,
                    "user_event.user": user.login,
                    "user_event.is_accepted": int(kind == "accepted"),
                    "user_event.is_decided": int(kind in ("accepted", "rejected")),
                    "interaction.talk": talk,
                    "interaction.wait": wait,
                    "interaction.outcome": outcome,
                    "interaction.queue": queue and queue.name,
                    "interaction.is_answered": int(outcome == "answered"),
                    "interaction.is_decided": int(outcome != ""),
                    "interaction.in_level": int(
                        outcome == "answered"
                        and queue is not None
                        and wait is not None
                        and wait <= queue.sla_seconds
                    ),
                }
            )
    store(facts, events)
    return joined


GROUPS = st.lists(
    st.sampled_from(("kind", "user", "interaction.queue", "interaction.outcome", *plain.TIMED)),
    max_size=2,
    unique=True,
).filter(lambda names: sum(name in plain.TIMED for name in names) < 2)
MEASURES = st.lists(
    st.sampled_from(
        (
            "count",
            "count:interaction",
            "sum:is_accepted",
            *(f"{each}:interaction.talk" for each in plain.SUMS),
            *(f"{each}:interaction.wait" for each in ("avg", "median", "p90")),
            "avg:interaction.is_answered",
            "count_distinct:user",
            "count_distinct:interaction.queue",
            "share:count",
            "share:sum:interaction.talk",
            "running:sum:interaction.talk",
            "running:count:interaction",
            *plain.RATIOS,
        )
    ),
    min_size=1,
    max_size=4,
    unique=True,
)
FILTERS = st.sampled_from(
    (
        ({}, lambda row: True),
        ({"kind": ["accepted", "held"]}, lambda row: row["user_event.kind"] in ("accepted", "held")),
        ({"kind__not": "offered"}, lambda row: row["user_event.kind"] != "offered"),
        ({"user": "jana"}, lambda row: row["user_event.user"] == "jana"),
        ({"interaction.queue": "support"}, lambda row: row["interaction.queue"] == "support"),
        ({"interaction.queue__not": "support"}, lambda row: row["interaction.queue"] != "support"),
        ({"interaction.queue__blank": "1"}, lambda row: row["interaction.queue"] is None),
        ({"interaction.talk__gte": "3:00"}, lambda row: row["interaction.talk"] >= 180),
        ({"interaction.wait__blank": "0"}, lambda row: row["interaction.wait"] is not None),
        (
            {"interaction.wait__lt": "31", "is_accepted": "1"},
            lambda row: (
                (row["interaction.wait"] or 0) < 31
                and row["interaction.wait"] is not None
                and row["user_event.is_accepted"]
            ),
        ),
    )
)


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    groups=GROUPS,
    measures=MEASURES,
    chosen=FILTERS,
    zone=st.sampled_from(ZONES),
    days=st.tuples(st.integers(0, 10), st.integers(0, 10)),
)
def test_any_query_equals_plain_python(
    stored: list[dict[str, Any]],
    groups: list[str],
    measures: list[str],
    chosen: Any,
    zone: str,
    days: tuple[int, int],
) -> None:
    if not set(groups) & {"hour", "day", "week", "month"}:
        measures = [name for name in measures if not name.startswith("running:")] or ["count"]
    given_, matches = chosen
    query = parse(
        SOURCES["user_events"],
        {
            "from": [f"2025-10-{20 + days[0]}"],
            "to": [f"2025-11-{1 + days[1]:02}"],
            "tz": [zone],
            "group": groups,
            "measures": measures,
            **{name: [value] if isinstance(value, str) else value for name, value in given_.items()},
        },
        "UTC",
        END,
        answer.names(scope.whole()),
    )
    start, end = query.span
    rows = [row for row in stored if start * 1000 <= row["at_ms"] < end * 1000 and matches(row)]
    expected, total = plain.figures(rows, "user_event", groups, measures, (start, end), zone)
    found = answer.answer(scope.whole(), query, END)
    by_group = {tuple(row[name] for name in groups): row for row in found.rows}
    assert {key: {name: row[name] for name in measures} for key, row in by_group.items()} == (
        expected if groups else {(): total}
    )
    assert found.totals == total
