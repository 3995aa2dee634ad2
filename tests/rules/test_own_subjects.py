"""Tasks, threads and articles without an interaction: timers and limits are by their own id."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine

from dashboard.catalog.subjects import own_subject
from dashboard.ingest.schema import NewEvent, parse_json
from dashboard.models import Event
from tests.rules import engine
from tests.rules.agree import alike, both
from tests.rules.engine import LOG, NOON, event, rule
from tests.rules.time import HOUR, Site, fired

pytestmark = pytest.mark.usefixtures("db")
AT_ONE = "2026-03-02T13:00:00+00:00"
DUE = {"types": ["task.due"]}
MODERATION = {"types": ["thread.moderation_due"], "after": {"seconds": HOUR}}


@pytest.fixture
def site() -> Iterator[Site]:
    with time_machine.travel(NOON / 1000, tick=False) as travel:
        yield Site(travel)


@pytest.mark.parametrize(
    ("type_", "data", "expected"),
    [
        ("task.created", '{"id": 7}', "task:7"),
        ("task.completed", '{"id": "7"}', "task:7"),
        ("task.created", '{"number": "A-7"}', "task:A-7"),
        ("thread.created", '{"thread": 3, "id": 9}', "thread:3"),
        ("article.updated", '{"id": "intro"}', "article:intro"),
        ("article.updated", "{}", "article:e1"),
        ("task.created", '{"id": true, "number": ""}', "task:e1"),
        ("task.created", '{"id": {"a": 1}}', "task:e1"),
        ("task.created", '{"id": "' + "x" * 200 + '"}', "task:e1"),
        ("ticket.created", '{"id": 7}', None),
        ("agent.ready", "{}", None),
        ("custom.task", '{"id": 7}', None),
    ],
)
def test_the_subject_is_the_id_in_the_data_or_the_event_itself(
    type_: str, data: str, expected: str | None
) -> None:
    assert own_subject(type_, data, "e1") == expected


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("definition", "events", "runs"),
    [
        (DUE, [("task.created", {"id": 1, "due_at": AT_ONE})], 1),
        (DUE, [("task.created", {"due_at": AT_ONE})], 1),
        (DUE, [("task.created", {"id": 1, "due_at": AT_ONE}), ("task.completed", {"id": 1})], 0),
        (DUE, [("task.created", {"id": 1, "due_at": AT_ONE}), ("task.completed", {"id": 2})], 1),
        (
            DUE,
            [("task.created", {"id": 1, "due_at": AT_ONE}), ("task.created", {"id": 2, "due_at": AT_ONE})],
            2,
        ),
        (MODERATION, [("thread.created", {"id": 1}), ("thread.created", {"id": 2})], 2),
        (MODERATION, [("thread.created", {"id": 1}), ("thread.status_changed", {"id": 1})], 0),
    ],
)
def test_timers_of_what_has_no_interaction(
    site: Site, definition: dict[str, Any], events: list[tuple[str, dict[str, Any]]], runs: int
) -> None:
    live, shadow = both(**definition)
    for at, (type_, data) in enumerate(events):
        site.comes(type_, at, None, data=data)
    site.wake(3 * HOUR)
    assert alike(live, shadow) == ["done"] * runs


@pytest.mark.parametrize(
    ("data", "held"),
    [(({"id": 1}, {"id": 2}), [0, 0]), (({"id": 1}, {"id": 1}), [0, 1]), (({}, {}), [0, 0])],
)
def test_once_per_subject_is_by_article_and_not_by_user(
    site: Site, data: tuple[dict[str, Any], ...], held: list[int]
) -> None:
    rule({**LOG, "limit": {"often": "once", "by": "subject"}}, ["article.updated"])
    for at, each in enumerate(data):
        site.comes("article.updated", at, None, data=each)
    assert [outcome for _rule, outcome, _at in fired()] == ["throttled" if each else "done" for each in held]


def test_a_named_interaction_stays_the_subject(site: Site) -> None:
    site.comes("task.created", 0, "T-9", data={"id": 1})
    assert [row.interaction for row in Event.select()] == ["T-9"]


@pytest.mark.parametrize(
    ("type_", "field", "value", "good"),
    [
        ("task.created", "due_at", "tomorrow", False),
        ("task.created", "due_at", "2026-03-02", False),
        ("task.created", "due_at", "2026-03-02T13:00:00", False),
        ("task.created", "due_at", 5, False),
        ("task.created", "due_at", AT_ONE, True),
        ("task.created", "due_at", None, True),
        ("task.created", "due_at", "", True),
        ("ticket.updated", "followup_at", "tomorrow", False),
        ("ticket.updated", "followup_at", "2026-03-02t13:00:00z", True),
        ("ticket.updated", "created_at", "tomorrow", True),  # no timer hangs on it
    ],
)
def test_a_time_that_a_timer_hangs_on_is_refused_where_it_is_none(
    type_: str, field: str, value: Any, good: bool
) -> None:
    given = event(type_, interaction="T-1", data={field: value})
    (made,) = parse_json(engine.json.dumps([given]).encode())
    assert isinstance(made, NewEvent) is good
    if not good:
        assert list(made.errors) == [f"data.{field}"]


def test_a_follow_up_in_small_letters_falls_due(site: Site) -> None:
    one = rule(types=["ticket.followup_due"])
    site.comes("ticket.updated", 0, data={"followup_at": "2026-03-02t13:00:00z"})
    site.wake(2 * HOUR)
    assert fired() == [(one.id, "done", HOUR)]
