"""Results of reports: typed rows, totals of groups, the period before, charts and the rows behind numbers."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.access import scope
from dashboard.reports import files, library, ready, result
from dashboard.reports.library import SavedReport
from dashboard.reports.types import Result
from dashboard.sources import answer
from dashboard.sources.catalogue import SOURCES
from dashboard.sources.parameters import parse
from dashboard.sources.query import QueryError
from tests import make
from tests.api import Api
from tests.reports.calls import AS_OF, PERIOD, events

pytestmark = pytest.mark.both_databases

WHOLE = scope.whole()


@pytest.fixture
def stored(client: FlaskClient) -> None:
    Api(client).take(events())


def saved(source: str, chart: str = "", **query: str | list[str]) -> SavedReport:
    given = {name: [value] if isinstance(value, str) else value for name, value in query.items()}
    return SavedReport("1", library.Origin.MINE, "Mine", "", SOURCES[source], library.canonical(given), chart)


def built(report: SavedReport, viewer: scope.Scope = WHOLE, **given: str) -> Result:
    chosen = {name.rstrip("_"): [value] for name, value in given.items()}
    return result.build(viewer, report, chosen or PERIOD, "UTC", AS_OF)


def test_groups_have_totals_and_the_total_is_of_all_rows(app: Flask, stored: None) -> None:
    found = built(saved("interactions", group="queue,day", measures="count,avg:is_answered,max:wait"))
    shown = {each.label: [row.cells for row in each.rows] for each in found.sections}
    assert shown["support"] == [
        ("support", date(2026, 3, 2), 5, 0.6, 70),
        ("support", date(2026, 3, 3), 0, None, None),
    ]
    assert [each.total.cells for each in found.sections if each.total] == [
        ("sales", None, 2, 1.0, 8),
        ("support", None, 5, 0.6, 70),
    ]
    assert found.total is not None
    assert found.total.cells == ("Total", None, 7, 5 / 7, 70)
    assert [each.label for each in found.columns] == [
        "Queue", "Day", "Interactions", "Answered (share)", "Longest waiting time"
    ]  # fmt: skip


@pytest.mark.parametrize(
    "group", ["queue,day", "day,week", "month,hour_of_day", "hour_of_week", "outcome,hour"]
)
def test_filters_of_a_row_choose_the_rows_behind_it(app: Flask, stored: None, group: str) -> None:
    report = saved("interactions", group=group, measures="count,sum:is_abandoned", channel="call")
    found = built(report)
    assert any(row.filters and row.cells[-2] for row in found.rows)
    for row in found.rows:
        for n, column in enumerate(found.columns):
            if not column.is_figure or row.filters is None:
                continue
            given = {
                **found.parameters,
                **{name: [value] for name, value in (row.filters | column.rows).items()},
            }
            kept = {name: values for name, values in given.items() if name not in ("group", "measures")}
            rows = built(saved("interactions", **kept), tz="UTC")
            assert rows.count == row.cells[n], (row, column)


def test_figures_are_compared_with_the_period_before(app: Flask, stored: None) -> None:
    report = saved("interactions", group="queue,day", measures="count", compare="previous")
    found = built(report, from_="2026-03-03", to="2026-03-03")
    by_queue = {row.cells[0]: (row.cells[2], row.before) for row in found.rows}
    assert by_queue == {"sales": (1, (1,)), "support": (0, (5,))}
    assert found.total is not None
    assert (found.total.cells[-1], found.total.before) == (1, (6,))
    assert found.compared == "2 Mar 2026"


def test_overlap_is_said_and_a_coarser_figure_counts_once(app: Flask, stored: None) -> None:
    found = built(saved("user_events", group="kind", measures="sum:interaction.talk,count:interaction"))
    assert found.overlap
    assert found.total is not None
    assert found.total.cells == ("Total", 480, 7)


def test_result_equals_the_answer_of_the_api(app: Flask, stored: None) -> None:
    given = {"group": ["user"], "measures": ["count,sum:talk,avg:handling"], **PERIOD}
    query = parse(SOURCES["activities"], given, "UTC", AS_OF, answer.names(WHOLE))
    api = answer.answer(WHOLE, query, AS_OF)
    found = built(saved("activities", group="user", measures="count,sum:talk,avg:handling"))
    assert [row.cells[1:] for row in found.rows] == [
        tuple(round(row[name]) for name in ("count", "sum:talk", "avg:handling")) for row in api.rows
    ]


@pytest.mark.parametrize(
    ("chart", "group", "parts", "bars"),
    [
        ("bar", "queue", ("Interactions",), [("sales", (2,)), ("support", (5,))]),
        ("stacked", "queue,day", ("Answered", "Other"), [("Mon 2", (4, 2)), ("Tue 3", (1, 0))]),
    ],
)
def test_chart_shows_counts_over_time_or_by_group(
    app: Flask, stored: None, chart: str, group: str, parts: Any, bars: Any
) -> None:
    found = built(saved("interactions", chart, group=group, measures="count,sum:is_answered"))
    assert found.chart.parts == parts
    assert [(each.short or each.label, each.values) for each in found.chart.bars] == bars


def test_heat_is_of_the_hours_of_the_week(app: Flask, stored: None) -> None:
    found = built(saved("interactions", "heat", group="hour_of_week", measures="count"))
    assert found.chart.heat is not None
    assert {hour: number for hour, number in found.chart.heat.items() if number} == {
        9: 4,
        10: 1,
        11: 1,
        34: 1,
    }


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"compare": "next"}, "compare"),
        ({"chart": "pie"}, "chart"),
        ({"chart": "heat"}, "chart"),
        ({"nonsense": "1"}, "nonsense"),
        ({"queue": "absent"}, "queue"),
        ({"period": "ever"}, "period"),
        ({"tz": "Mars/Olympus"}, "tz"),
    ],
)
def test_a_bad_parameter_is_named(app: Flask, given: dict[str, str], field: str) -> None:
    with pytest.raises(QueryError) as raised:
        built(saved("interactions", group="queue", measures="count"), **given)
    assert field in raised.value.errors


def test_parameters_replace_those_of_the_report(app: Flask, stored: None) -> None:
    report = saved("interactions", group="queue", measures="count", period="today", outcome="abandoned")
    assert built(report, **{"from": "2026-03-02", "to": "2026-03-03"}).count == 1
    everything = {**PERIOD, "outcome": [""]}
    assert result.build(WHOLE, report, everything, "UTC", AS_OF).count == 2
    of_events = saved("user_events", group="kind", measures="count", kind="accepted")
    assert built(of_events, queue="sales", **{"from": "2026-03-01"}).filters == (
        "Action: Accepted",
        "Interaction: Queue: sales",
    )


@pytest.mark.parametrize("key", [each.key for each in ready.REPORTS])
@pytest.mark.parametrize("language", ["en", "cs", "ja"])
def test_each_ready_made_report_runs_and_is_a_file(app: Flask, stored: None, key: str, language: str) -> None:
    viewer = scope.of_user(make.administrator())
    with app.test_request_context(headers={"Accept-Language": language}):
        report = library.find(viewer, key)
        assert report is not None
        found = result.build(viewer, report, PERIOD, "UTC", AS_OF)
        made = files.file(viewer, report, PERIOD, "UTC", AS_OF, "Admin")
    assert [row[: len(found.columns)] for row in made.sheets[0].rows] == [row.cells for row in found.rows]
    assert all(len(row.cells) == len(found.columns) for row in found.rows)
    assert found.count == len(list(found.rows))
