"""Periods of queries: units by date, the moment to which they apply, filters by day and hour of the week."""

from __future__ import annotations

from typing import Any

import pytest

from dashboard.access import scope
from dashboard.clock import DAY_S
from dashboard.models import Interaction, Source
from dashboard.sources import answer, parameters
from dashboard.sources.catalogue import SOURCES
from dashboard.sources.query import QueryError
from tests.sources import plain

pytestmark = pytest.mark.both_databases

NOON = plain.second("2026-10-25 12:00")  # a Sunday
MIDNIGHT = plain.second("2026-10-26")


@pytest.fixture
def stored(db: object) -> None:
    """One interaction a second before midnight that entered its queue a second after, and others."""
    source = Source.create(name="pbx", created_ts=0)
    for name, first, queued, outcome in (
        ("late", MIDNIGHT - 1, MIDNIGHT + 1, "answered"),
        ("never queued", MIDNIGHT - 1, None, "missed"),
        ("days later", MIDNIGHT - 1, MIDNIGHT + 2 * DAY_S, "answered"),
        ("a day later", MIDNIGHT - 1, MIDNIGHT - 1 + DAY_S, "answered"),
        ("morning", MIDNIGHT + 9 * 3600, MIDNIGHT + 9 * 3600, ""),
    ):
        Interaction.create(
            source=source,
            external_id=name,
            channel="call",
            first_ms=first * 1000,
            queued_ts=queued,
            outcome=outcome,
        )


def ask(**given: str) -> answer.Answer:
    listed = {name: value.split() for name, value in {"tz": "UTC", **given}.items()}
    query = parameters.parse(SOURCES["interactions"], listed, "UTC", NOON, answer.names(scope.whole()))
    return answer.answer(scope.whole(), query, NOON)


def ids(**given: str) -> set[str]:
    return {row["id"] for row in ask(columns="id", **given).rows}


UNITS = [
    ({"unit": "day"}, ("2026-10-25", "2026-10-26")),
    ({"date": "2026-03-01"}, ("2026-03-01", "2026-03-02")),
    ({"unit": "week", "date": "2026-03-01"}, ("2026-02-23", "2026-03-02")),
    ({"unit": "month", "date": "2026-02-28"}, ("2026-02-01", "2026-03-01")),
    ({"unit": "quarter", "date": "2026-05-05"}, ("2026-04-01", "2026-07-01")),
]


@pytest.mark.parametrize(("given", "expected"), UNITS)
def test_a_unit_is_the_one_that_holds_its_date(
    db: object, given: dict[str, str], expected: tuple[str, str]
) -> None:
    found = ask(**given).period
    assert (found["from"][:10], found["to"][:10]) == expected


REFUSED = [
    ({"unit": "year"}, "unit"),
    ({"unit": "week", "date": "today"}, "date"),
    ({"date": "2026-02-30"}, "date"),
    ({"date": "2026-02-03T10:00"}, "date"),
    ({"unit": "week", "period": "today"}, "period"),
    ({"date": "2026-02-03", "from": "2026-02-03"}, "period"),
    ({"weekday": "8"}, "weekday"),
    ({"weekday": "x"}, "weekday"),
    ({"hour_of_day": "24"}, "hour_of_day"),
    ({"hour_of_week__gt": "3"}, "hour_of_week__gt"),
]


@pytest.mark.parametrize(("given", "field"), REFUSED)
def test_a_parameter_that_cannot_be_used_is_named(db: object, given: dict[str, str], field: str) -> None:
    with pytest.raises(QueryError) as error:
        ask(**given)
    assert set(error.value.errors) == {field}


def test_an_interaction_counts_when_it_entered_its_queue_up_to_a_day_after_it_began(stored: None) -> None:
    sunday, monday = {"never queued", "days later"}, {"late", "a day later", "morning"}
    assert ids(**{"from": "2026-10-25", "to": "2026-10-25"}) == sunday
    assert ids(**{"from": "2026-10-26", "to": "2026-10-26"}) == monday
    found = ask(**{"from": "2026-10-25", "to": "2026-10-27", "group": "day", "measures": "count"})
    assert [row["count"] for row in found.rows] == [2, 3, 0]


CYCLIC: list[tuple[dict[str, Any], set[str]]] = [
    ({"weekday": "7"}, {"never queued", "days later"}),
    ({"weekday": "1"}, {"late", "a day later", "morning"}),
    ({"hour_of_day": "9"}, {"morning"}),
    ({"hour_of_week": "9 0"}, {"late", "morning"}),
    ({"hour_of_day": "9", "tz": "Asia/Tokyo"}, {"late"}),
]


@pytest.mark.parametrize(("given", "expected"), CYCLIC)
def test_rows_are_chosen_by_local_day_and_hour(
    stored: None, given: dict[str, str], expected: set[str]
) -> None:
    assert ids(**{"from": "2026-10-24", "to": "2026-10-28", **given}) == expected
