"""Measures made of others, the comparison with the period before, and what measures are called."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale
from hypothesis import given
from hypothesis import strategies as st

from dashboard.access import scope
from dashboard.i18n.message import Message
from dashboard.models import Interaction, Source
from dashboard.sources import answer, display, period
from dashboard.sources.catalogue import EVENTS, SOURCES
from dashboard.sources.measures import read_measure
from dashboard.sources.parameters import parse
from dashboard.sources.period import Bucket
from dashboard.sources.query import Compared, Measure, QueryError
from tests import make
from tests.sources import plain

NOW = plain.second("2026-03-12T12:00")
PRAGUE = "Europe/Prague"
DECLARED = [*SOURCES.values(), EVENTS]


def ask(**given: str) -> answer.Answer:
    listed = {name: [value] for name, value in given.items()}
    query = parse(SOURCES["interactions"], listed, "UTC", NOW, answer.names(scope.whole()))
    return answer.answer(scope.whole(), query, NOW)


@pytest.fixture
def calls(db: object) -> None:
    """Store calls of two queues in the weeks of 2 and 9 March 2026: the day, the queue, the result, talk."""
    source = Source.create(name="pbx", created_ts=0)
    queues = {name: make.queue(name).id for name in ("support", "sales", "night")}
    rows = [
        ("03-02", "support", "answered", 60), ("03-02", "support", "abandoned", 0),
        ("03-03", "night", "answered", 30), ("03-09", "support", "answered", 100),
        ("03-09", "sales", "abandoned", 0), ("03-10", "sales", "", 0),
    ]  # fmt: skip
    for number, (day, queue, outcome, talk) in enumerate(rows, start=1):
        Interaction.create(
            source=source, external_id=f"c{number}", channel="call", outcome=outcome, talk_s=talk,
            first_ms=plain.second(f"2026-{day}T08:00") * 1000, queue_id=queues[queue],
        )  # fmt: skip


@pytest.mark.both_databases
def test_a_ratio_is_one_of_sums_and_missing_where_nothing_counts(calls: None) -> None:
    found = ask(
        group="day", measures="answer_rate,abandon_rate", **{"from": "2026-03-09", "to": "2026-03-10"}
    )
    assert [(row["day"], row["answer_rate"], row["abandon_rate"]) for row in found.rows] == [
        ("2026-03-09", 0.5, 0.5),
        ("2026-03-10", None, None),
    ]
    assert found.totals == {"answer_rate": 0.5, "abandon_rate": 0.5}
    assert [(each.name, each.type, each.unit) for each in found.columns[1:]] == [
        ("answer_rate", "percent", None),
        ("abandon_rate", "percent", None),
    ]


@pytest.mark.both_databases
def test_figures_stand_beside_those_of_the_week_before(calls: None) -> None:
    week = {"from": "2026-03-09", "to": "2026-03-15", "compare": "previous"}
    found = ask(group="queue", measures="count,avg:talk,answer_rate", sort="-count__difference", **week)
    assert found.compared == {
        "from": "2026-03-02T00:00:00+00:00", "to": "2026-03-05T12:00:00+00:00", "zone": "UTC"
    }  # fmt: skip
    names = ("queue", "count", "count__previous", "count__difference", "count__change")
    assert [tuple(row[name] for name in names) for row in found.rows] == [
        ("sales", 2, 0, 2, None),
        ("support", 1, 2, -1, -0.5),
        ("night", 0, 1, -1, -1.0),
    ]
    assert found.rows[1]["answer_rate__difference"] == 0.5
    assert found.rows[0]["avg:talk__difference"] is None
    assert (found.totals["count"], found.totals["count__previous"], found.totals["count__change"]) == (
        3,
        3,
        0,
    )
    types = {each.name: (each.type, each.unit) for each in found.columns}
    assert types["avg:talk__difference"] == ("duration", "s")
    assert types["avg:talk__change"] == ("percent", None)
    by_day = ask(group="day", measures="running:count", **week).rows
    assert [(row["running:count"], row["running:count__previous"]) for row in by_day] == [
        (2, 2), (3, 3), (3, 3), (3, 3), (3, None), (3, None), (3, None)
    ]  # fmt: skip


ALIGNED = [
    # bucket, the first day, the first day after; number of those of the period before, and of those in place
    pytest.param(Bucket.DAY, "2026-03-01", "2026-04-01", 28, 28, id="March has days that February has not"),
    pytest.param(Bucket.DAY, "2026-02-01", "2026-03-01", 31, 28, id="the last days of January have no place"),
    pytest.param(
        Bucket.DAY, "2026-04-01", "2026-07-01", 90, 88, id="the last days of two months have no place"
    ),
    pytest.param(
        Bucket.HOUR, "2026-03-29", "2026-03-30", 24, 23, id="an hour of the day before was left out"
    ),
    pytest.param(Bucket.HOUR, "2025-10-27", "2025-10-28", 25, 24, id="an hour of the day before came twice"),
    pytest.param(Bucket.WEEK, "2026-03-02", "2026-03-16", 2, 2, id="weeks in their order"),
    pytest.param(Bucket.WEEKDAY, "2026-03-02", "2026-03-04", 7, 7, id="days of the week by their name"),
]


@pytest.mark.parametrize(("bucket", "first", "after", "before", "placed"), ALIGNED)
def test_buckets_are_compared_with_those_in_the_same_place(
    bucket: Bucket, first: str, after: str, before: int, placed: int
) -> None:
    span = period.of_dates(date.fromisoformat(first), date.fromisoformat(after), PRAGUE)
    then = period.before(span, PRAGUE, span.end)
    found = period.aligned(bucket, then, span, PRAGUE)
    assert len(period.numbers(bucket, then, PRAGUE)) == before
    assert len(found) == len(set(found.values())) == placed
    if bucket is Bucket.HOUR:
        clocks = [[period.key(bucket, each, PRAGUE) for each in pair] for pair in found.items()]
        assert all(str(old)[11:19] == str(new)[11:19] for old, new in clocks)


@given(start=st.integers(0, 800), days=st.integers(1, 70), bucket=st.sampled_from(list(Bucket)))
def test_each_bucket_has_at_most_one_of_the_period_before(start: int, days: int, bucket: Bucket) -> None:
    first = date(2025, 1, 1) + timedelta(start)
    span = period.of_dates(first, first + timedelta(days), PRAGUE)
    then = period.before(span, PRAGUE, span.end)
    found = period.aligned(bucket, then, span, PRAGUE)
    assert set(found) <= set(period.numbers(bucket, then, PRAGUE))
    assert set(found.values()) <= set(period.numbers(bucket, span, PRAGUE))
    assert len(set(found.values())) == len(found)


REFUSED = [
    ({"measures": "ratio"}, "measures"),
    ({"measures": "answer_rates"}, "measures"),
    ({"measures": "count_distinct:password_hash"}, "measures"),
    ({"measures": "count_distinct"}, "measures"),
    ({"measures": "share:answer_rate"}, "measures"),
    ({"measures": "share:share:count"}, "measures"),
    ({"measures": "share:sum:id"}, "measures"),
    ({"measures": "running:count"}, "measures"),
    ({"measures": "running:count", "group": "weekday"}, "measures"),
    ({"measures": "running:median:talk", "group": "day"}, "measures"),
    ({"measures": "count", "compare": "next"}, "compare"),
    ({"compare": "previous"}, "compare"),
    ({"measures": "count", "sort": "count__previous"}, "sort"),
]


@pytest.mark.parametrize(("given_", "name"), REFUSED, ids=lambda value: str(value)[:60])
def test_what_cannot_be_measured_is_refused_by_its_name(
    db: object, given_: dict[str, Any], name: str
) -> None:
    with pytest.raises(QueryError) as refused:
        ask(**given_)
    assert set(refused.value.errors) == {name}
    assert "%" not in refused.value.errors[name].render()


def measure(source: str, name: str) -> Measure:
    found = read_measure(SOURCES[source], name, ())
    assert isinstance(found, Measure)
    return found


LABELS = [
    ("interactions", "count", "Interactions", "Interakce", "インタラクション"),
    ("interactions", "avg:wait", "Average waiting time", "Průměrná doba čekání", "平均待ち時間"),
    ("interactions", "sum:talk", "Total talk time", "Celková doba hovoru", "通話時間の合計"),
    ("interactions", "max:wait", "Longest waiting time", "Nejdelší doba čekání", "最長待ち時間"),
    ("interactions", "median:wait", "Median waiting time", "Doba čekání (medián)", "待ち時間の中央値"),
    ("interactions", "sum:is_answered", "Answered", "Přijato", "応答"),
    ("interactions", "answer_rate", "Answer rate", "Míra přijetí", "応答率"),
    ("interactions", "share:count", "Interactions (share of the total)", "Interakce (podíl z celku)",
     "インタラクション（全体に占める割合）"),
    ("user_events", "sum:is_muted", "Muted", "Ztlumeno", "ミュート中"),
    ("user_events", "avg:interaction.talk", "Interaction: Average talk time",
     "Interakce: Průměrná doba hovoru", "インタラクション：平均通話時間"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "name", "en", "cs", "ja"), LABELS)
def test_measures_are_called_by_words(app: Flask, source: str, name: str, en: str, cs: str, ja: str) -> None:
    shown = {}
    for locale in ("en", "cs", "ja"):
        with app.test_request_context(), force_locale(locale):
            shown[locale] = display.measure_label(SOURCES[source], measure(source, name)).replace("\xa0", " ")
    assert shown == {"en": en, "cs": cs, "ja": ja}


def test_every_measure_of_every_field_has_a_label(app: Flask) -> None:
    with app.test_request_context():
        for source in DECLARED:
            names = [*source.ratios, *(f"count:{each}" for each in source.by_name)]
            names += [
                f"{kind}:{field}"
                for field in source.fields
                for kind in ("sum", "avg", "p90", "count_distinct")
            ]
            for name in names:
                found = read_measure(source, name, ())
                if isinstance(found, Message):  # of a field that cannot be added up
                    continue
                assert display.measure_label(source, found), (source.name, name)
                assert display.measure_label(source, found, Compared.CHANGE)


def test_names_of_ratios_are_no_names_of_groups() -> None:
    for source in DECLARED:
        assert not set(source.ratios) & {*source.fields, *Bucket}
        assert all(isinstance(read_measure(source, name, ()), Measure) for name in source.ratios)
