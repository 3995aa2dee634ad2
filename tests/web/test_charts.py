"""Geometry of the charts, and the numbers that their tables and texts say."""

from __future__ import annotations

import re

import pytest
from flask import Flask, render_template_string

from dashboard.web import charts
from dashboard.web.charts import Part, Row, Series, Unit

HUGE = 123_456_789_012
DONE, LOST = Series("Done", "call"), Series("Lost", "lost")


def rows(*values: float | None) -> list[Row]:
    return [Row(f"r{n}", (value,)) for n, value in enumerate(values)]


@pytest.mark.parametrize(
    ("most", "unit", "top"),
    [
        (0, Unit.NUMBER, 2),
        (1, Unit.NUMBER, 2),
        (3, Unit.NUMBER, 4),
        (28, Unit.NUMBER, 40),
        (999, Unit.NUMBER, 1000),
        (HUGE, Unit.NUMBER, 160_000_000_000),
        (0.61, Unit.SHARE, 0.8),
        (95, Unit.SECONDS, 120),
        (3700, Unit.SECONDS, 7200),
        (50_000, Unit.SECONDS, 8 * 7200),
    ],
)
def test_the_scale_has_three_lines_and_ends_at_a_round_value(most: float, unit: Unit, top: float) -> None:
    scale = charts.bars(rows(most), [DONE], unit).scale
    assert [value for _y, value in scale] == pytest.approx([0, top / 2, top])
    assert [y for y, _value in scale] == [charts.BASE, (charts.BASE + charts.TOP) / 2, charts.TOP]


@pytest.mark.parametrize(
    ("values", "heights", "numbers"),
    [
        ((), [], []),
        ((0,), [], []),
        ((None,), [], []),
        ((4,), [107], [4]),
        ((4, None, 0, 2), [107, 53], [4, 2]),
        ((HUGE, 1), [HUGE * 108 / 160_000_000_000 - 1, 0.5], [HUGE, 1]),
    ],
)
def test_a_bar_is_as_high_as_its_value(
    values: tuple[float | None, ...], heights: list[float], numbers: list[float]
) -> None:
    drawn = charts.bars(rows(*values), [DONE])
    assert [box.height for box in drawn.boxes] == pytest.approx(heights, abs=0.06)
    assert [mark.value for mark in drawn.marks] == numbers
    assert all(charts.BASE - 1 <= round(box.y + box.height, 1) <= charts.BASE for box in drawn.boxes)


def test_parts_stand_on_each_other_and_add_up() -> None:
    drawn = charts.bars([Row("a", (3, 1)), Row("b", (None, 2))], [DONE, LOST])
    low, high, alone = drawn.boxes
    assert (low.css, high.css, alone.css) == ("call", "lost", "lost")
    assert high.y + high.height + 1 == pytest.approx(low.y, abs=0.1)
    assert alone.y + alone.height + 1 == charts.BASE
    assert drawn.totals == (3, 3)
    assert [mark.value for mark in drawn.marks] == [4, 2]


def test_many_bars_have_no_numbers_and_few_labels() -> None:
    drawn = charts.bars(rows(*range(1, 32)), [DONE])
    assert drawn.marks == ()
    assert [label.text for label in drawn.labels] == ["r0", "r4", "r8", "r12", "r16", "r20", "r24", "r28"]
    assert [label.spare for label in drawn.labels] == [False, True] * 4
    assert drawn.labels[0].anchor == "middle"
    assert max(box.x + box.width for box in drawn.boxes) < 100


@pytest.mark.parametrize(
    ("values", "strokes", "last"),
    [
        ((), 0, None),
        ((None, None), 0, None),
        ((0,), 1, 0),  # a value without neighbours is a point
        ((1, 2, 3), 2, 3),
        ((1, 2, None, 4), 2, 4),
        ((1, None, 3, None), 2, 3),
    ],
)
def test_a_line_breaks_where_there_is_no_value(
    values: tuple[float | None, ...], strokes: int, last: float | None
) -> None:
    drawn = charts.line(rows(*values), [DONE])
    assert len(drawn.strokes) == strokes
    assert [mark.value for mark in drawn.marks] == ([] if last is None else [last])


def test_the_target_is_on_the_scale() -> None:
    drawn = charts.line(rows(0.4, 0.5), [DONE], Unit.SHARE, target=0.8, top=1)
    assert drawn.target == (pytest.approx(charts.BASE - 0.8 * 108, abs=0.1), 0.8)
    assert drawn.scale[-1] == (charts.TOP, 1)


@pytest.mark.parametrize(
    ("values", "points", "last"),
    [
        ((), (), None),
        ((None,), (), None),
        ((0,), (), (3, 21)),
        ((0, 0), ("3,21 93,21",), (93, 21)),
        ((0, 5, 10), ("3,21 48,12 93,3",), (93, 3)),
        ((0, 10, None, 10), ("3,21 33,3",), (93, 3)),
        ((HUGE, None), (), (3, 3)),
    ],
)
def test_a_spark_marks_its_last_value(
    values: tuple[float | None, ...], points: tuple[str, ...], last: tuple[float, float] | None
) -> None:
    drawn = charts.spark(values)
    assert (drawn.points, drawn.last) == (points, last)


@pytest.mark.parametrize(
    ("by_hour", "tints"),
    [
        ({}, {}),
        ({0: 0}, {}),
        ({0: None, 1: 3}, {1: 5}),
        ({0: 1, 25: 5, 167: HUGE}, {0: 1, 25: 1, 167: 5}),
        ({0: 0.2, 1: 1.0}, {0: 1, 1: 5}),
    ],
)
def test_hours_are_tinted_by_their_share_of_the_most(
    by_hour: dict[int, float | None], tints: dict[int, int]
) -> None:
    cells = [cell for row in charts.heat(by_hour) for cell in row]
    assert len(cells) == 168
    assert {n: cell.tint for n, cell in enumerate(cells) if cell.tint} == tints
    assert [cells[n].value for n in by_hour] == list(by_hour.values())


@pytest.mark.parametrize(
    ("value", "limit", "width", "x", "over"),
    [
        (None, None, 0, None, False),
        (0, 60, 0, 75, False),
        (30, 60, 37.5, 75, False),
        (60, 60, 75, 75, False),
        (120, 60, 100, 50, True),
        (5, None, 100, None, False),
        (5, 0, 100, 0, True),
        (HUGE, 60, 100, charts.THIN, True),
        (None, 60, 0, 75, False),
    ],
)
def test_a_bullet_shows_the_value_against_the_limit(
    value: float | None, limit: float | None, width: float, x: float | None, over: bool
) -> None:
    drawn = charts.bullet(value, limit)
    assert (drawn.width, drawn.x, drawn.over) == (width, x, over)


@pytest.mark.parametrize(
    ("values", "pieces"),
    [
        ((), []),
        ((0, None), []),
        ((5,), [(0, 100)]),
        ((1, 0, 3), [(0, 25), (25, 75)]),
        ((HUGE, 1), [(0, 100), (100, charts.THIN)]),
    ],
)
def test_the_parts_of_a_ribbon_fill_it(values: tuple[float | None, ...], pieces: list[object]) -> None:
    drawn = charts.ribbon([Part(f"p{n}", "call", value) for n, value in enumerate(values)])
    assert [(piece.x, piece.width) for piece in drawn] == pieces
    assert sum(piece.share for piece in drawn) == pytest.approx(1 if pieces else 0)


def written(app: Flask, call: str, **values: object) -> tuple[str, list[list[str]]]:
    """Return the text of the macro, and the cells of its table."""
    macros = "{% import 'ui/charts.html' as ui %}{{ ui." + call + " }}"
    with app.test_request_context():
        text = render_template_string(macros, **values)
    lines = re.findall(r"<tr>(.*?)</tr>", text, re.S)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line, re.S) for line in lines]
    return text, [[re.sub(r"<.*?>", "", cell).strip() for cell in line] for line in cells]


def test_the_table_of_a_chart_has_its_numbers(app: Flask) -> None:
    given = [Row("Mon", (1200, None), url="/x"), Row("Tue", (0, 5))]
    text, table = written(app, "chart(c, 'Calls', 'Day')", c=charts.bars(given, [DONE, LOST]))
    assert table == [
        ["Day", "Done", "Lost", "Total"],
        ["Mon", "1,200", "–", "1,200"],
        ["Tue", "0", "5", "5"],
    ]
    assert '<a href="/x">Mon</a>' in text
    assert "<b>1,200</b>" in text
    _text, table = written(
        app, "chart(c, 'Level', 'Day')", c=charts.line(rows(0.5, None), [DONE], Unit.SHARE, 0.8)
    )
    assert table == [["Day", "Done"], ["r0", "50%"], ["r1", "–"]]
    assert "Target 80%" in _text


def test_other_charts_say_their_numbers_as_text(app: Flask) -> None:
    text, _table = written(app, "spark(c, 'By day')", c=charts.spark((60, None, 3661), Unit.SECONDS))
    assert 'aria-label="By day, oldest first: 0:01:00, –, 1:01:01"' in text
    text, _table = written(app, "bullet(c)", c=charts.bullet(3240, 3600, Unit.SECONDS))
    assert "0:54:00 of 1:00:00" in text
    text, _table = written(app, "ribbon(c, 'Day')", c=charts.ribbon([Part("Talk", "call", 3661, "26 calls")]))
    assert all(each in text for each in ("Talk", "1:01:01", "26 calls", "100%"))
    _text, table = written(app, "heat(c, names, 'Load')", c=charts.heat({25: 7}), names=["d"] * 7)
    assert table[2][1:4] == ["·", "7", "·"]


def test_charts_have_no_inline_style(app: Flask) -> None:
    text, _table = written(
        app,
        "chart(c, 'x', 'y')",
        c=charts.line(
            rows(1, 2, 3),
            [
                DONE,
            ],
            target=2,
        ),
    )
    assert "style" not in text
