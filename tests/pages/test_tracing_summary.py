"""Sentence, ribbon and symbols of a period: the same on the page and in the PDF."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import pypdf
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from dashboard import clock
from dashboard.access import scope as scopes
from dashboard.models import User
from dashboard.pages.tracing import summary
from dashboard.tracing import trace as traces
from dashboard.tracing.trace import Trace
from dashboard.tracing.types import parse_date, period_span
from dashboard.web import assets
from tests import make
from tests.exports.test_pdf import elements
from tests.pages import trail
from tests.pages.files import fetch, text_of
from tests.pages.html import Page
from tests.pages.trail import DAY

SYMBOLS = ("Ringing", "Not taken", "Paid pause", "Not ready")


@pytest.fixture(autouse=True)
def evening() -> Iterator[None]:
    with time_machine.travel(trail.at("2026-03-02 20:00"), tick=False):
        yield


def trace_of(viewer: User, unit: str = "day") -> Trace:
    day = parse_date(DAY, clock.local_date(clock.now_s(), "UTC"))
    assert day is not None
    span = period_span(unit, day, "Europe/Prague")
    found = traces.read(scopes.of_user(viewer), "jana", span, "Europe/Prague", clock.now_s())
    assert found is not None
    return found


@pytest.mark.parametrize("unit", ["day", "week"])
def test_the_parts_of_the_ribbon_add_up_to_the_login_time(app: Flask, unit: str) -> None:
    trail.store(trail.ordinary())
    with app.test_request_context():
        found = trace_of(make.administrator(), unit)
        parts = {piece.part.css: piece.part.value for piece in summary.ribbon(found)}
    assert sum(parts.values()) == found.figures.login == 30_600
    assert {css: parts[css] for css in ("ready", "idle", "paid", "pause")} == {
        "ready": 23_600,
        "idle": 900,
        "paid": 900,
        "pause": 1800,
    }
    assert parts["call"] + parts["email"] + parts["chat"] == found.figures.busy == 3400


def test_a_second_of_several_types_counts_once(app: Flask) -> None:
    trail.store(
        trail.stay("08:00", "10:00"),
        trail.work("chat", "w", "08:00", "09:00", queue="web", channel="webchat"),
        trail.work("call", "c", "08:30", "08:40", queue="support", direction="in"),
    )
    with app.test_request_context():
        shares = summary.work_shares(trace_of(make.administrator()))
    assert shares == {"call": 600, "email": 0, "chat": 3000, "ticket": 0, "hidden": 0}


def test_page_and_pdf_say_the_same_sentence(client: FlaskClient) -> None:
    trail.store(trail.ordinary())
    make.sign_in(client, make.administrator())
    sentence = "08:00–16:30 · 8:30:00 signed in · 13% busy · 2 pauses, 0:45:00"
    query = {"user": "jana", "date": DAY, "tz": "Europe/Prague"}
    assert sentence in Page(client.get("/tracing", query_string=query).text).text
    assert sentence in " ".join(text_of(fetch(client, "pdf").data).split())
    week = " ".join(text_of(fetch(client, "pdf", unit="week").data).split())
    assert "8:30:00 signed in · 13% busy · 2 pauses, 0:45:00" in week
    assert sentence not in week


def test_a_user_who_never_signed_in_has_no_ribbon(client: FlaskClient) -> None:
    trail.store(trail.work("call", "c", "08:30", "08:40", queue="support", direction="in"))
    make.sign_in(client, make.administrator())
    page = client.get("/tracing", query_string={"user": "jana", "date": DAY, "tz": "Europe/Prague"}).text
    assert 'class="spark ribbon"' not in page
    assert "0:00:00 signed in" in page
    assert fetch(client, "pdf").status_code == 200


def ringing(name: str, start: str, answered: str | None, end: str) -> list[object]:
    call = {"queue": "support", "interaction": name}
    taken = [trail.event("call.accepted", answered, **call)] if answered else []
    closed = trail.event("call.closed" if answered else "call.rejected", end, **call)
    return [trail.event("call.offered", start, **call), *taken, closed]


@pytest.mark.parametrize(
    ("answered", "missed", "shown"),
    [(False, False, []), (True, False, ["Ringing"]), (True, True, ["Ringing", "Not taken"])],
)
def test_the_legend_names_the_symbols_that_occur(
    client: FlaskClient, answered: bool, missed: bool, shown: list[str]
) -> None:
    trail.store(trail.stay("08:00", "10:00"))
    if answered:
        trail.store(ringing("a", "09:00", "09:00:20", "09:05"))
    if missed:
        trail.store(ringing("m", "09:10", None, "09:10:30"))
    make.sign_in(client, make.administrator())
    text = client.get("/tracing", query_string={"user": "jana", "date": DAY, "tz": "Europe/Prague"}).text
    legend = re.findall(r'<ul class="legend">(.*?)</ul>', text, re.S)[0]
    assert [name for name in SYMBOLS if name in legend] == shown
    plot = text[text.index('class="strip"') :]
    assert (plot.count('class="ringl"'), plot.count('class="miss"')) == (answered + missed, int(missed))
    first = text_of(fetch(client, "pdf").data)
    assert ("Not taken" in first) == missed


@pytest.mark.parametrize("query", [{}, {"unit": "week"}, {"minutes": 60}])
def test_every_drawing_of_the_pdf_has_a_text(client: FlaskClient, query: dict[str, object]) -> None:
    trail.store(trail.ordinary(), ringing("m", "09:10", None, "09:10:30"))
    make.sign_in(client, make.administrator())
    data = fetch(client, "pdf", **query).data
    root = pypdf.PdfReader(io.BytesIO(data)).trailer["/Root"]
    figures = list(elements(root["/StructTreeRoot"]["/K"], {"/Figure"}))
    assert len(figures) > 5
    assert [figure for figure in figures if not str(figure.get("/Alt", "")).strip()] == []


def test_drawings_of_files_have_the_light_colours_of_the_page() -> None:
    colours = assets.light_colours()
    sheet = (assets.STATIC / "app.css").read_text("utf-8")
    for name in (
        "call",
        "email",
        "chat",
        "ticket",
        "ready",
        "pause",
        "edge",
        "ink",
        "ink2",
        "line",
        "sunken",
    ):
        assert f"--{name}:light-dark({colours[name]}," in sheet
