"""The tracing page: what was asked, days of every length, and links that answer."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from dashboard import clock
from dashboard.access import scope as scopes
from dashboard.access.permissions import Permission
from dashboard.tracing import trace as traces
from tests import make
from tests.pages import trail
from tests.pages.html import Page
from tests.pages.trail import DAY
from tests.pages.watch import HTMX, ask, ask_part, watcher


@pytest.fixture(autouse=True)
def evening() -> Iterator[None]:
    with time_machine.travel(trail.at("2026-03-02 20:00"), tick=False):
        yield


def seconds(shown: str) -> int:
    hours, minutes, rest = map(int, shown.split(":"))
    return hours * 3600 + minutes * 60 + rest


def test_a_day_shows_its_figures_and_every_activity(client: FlaskClient) -> None:
    trail.store(trail.ordinary())
    watcher(client)
    answer = ask(client)
    assert answer.status_code == 200
    page = Page(answer.text)
    assert len([row for row in page.rows if row.startswith("a")]) == 7
    for figure in ("8:30:00", "7:30:00", "6:33:20", "1:05:00", "0:40:00", "0:06:40", "0:05:00", "12.6%"):
        assert figure in page.text, figure


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_a_trace_is_only_read(client: FlaskClient, method: str) -> None:
    watcher(client)
    answer = getattr(client, method)("/tracing")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


BAD = (
    ("date", "2026-02-30"),
    ("date", "2026-3-2"),
    ("date", "1969-12-31"),
    ("date", "2101-01-01"),
    ("date", "9999-12-31"),
    ("date", "٢٠٢٦-٠٣-٠٢"),
    ("date", "2026-03-02' OR 1=1"),
    ("tz", "Mars/Olympus"),
    ("tz", "../../etc/passwd"),
    ("tz", "localtime"),
    ("tz", "x" * 5000),
    ("unit", "year"),
    ("minutes", "7"),
    ("minutes", "-5"),
    ("kind", "fax"),
    ("state", "gone"),
    ("queue", "support"),
    ("queue", "²"),
    ("queue", "1;select 1"),
    ("sort", "id;select 1"),
    ("after", "1.2"),
    ("before", "x.y.z"),
)


def test_a_bad_value_is_named_and_all_else_is_kept(client: FlaskClient) -> None:
    trail.store(trail.ordinary())
    viewer = watcher(client)
    viewer.access.permissions = sorted(Permission)
    viewer.access.save()
    kept = {"unit": "day", "minutes": "60", "tz": "Asia/Tokyo", "date": DAY, "kind": "call"}
    for field, value in BAD:
        query = {**kept, field: value}
        answer, part = ask(client, **query), ask_part(client, "result", **query)
        page = Page(answer.text)
        assert (answer.status_code, part.status_code) == (422, 422), (field, value)
        notes = [
            one.attributes["id"] for one in page.elements if one.attributes.get("id", "").startswith("e-")
        ]
        assert notes == [f"e-{field}"]
        assert f'id="e-{field}"' in part.text
        for name in {"minutes", "tz", "date"} - {field}:
            assert set(page.values(name)) == {kept[name]}, (field, value, name)
        file = client.get("/tracing.csv", query_string={"user": "jana", field: value})
        assert (file.status_code, file.mimetype) == (422, "text/html"), (field, value)


def test_several_bad_values_are_all_named(client: FlaskClient) -> None:
    watcher(client)
    answer = ask(client, None, date="x", tz="y", unit="z", minutes="w")
    assert answer.status_code == 422
    assert set(re.findall(r'id="e-(\w+)"', answer.text)) == {"date", "tz", "unit", "minutes"}


@pytest.mark.parametrize(
    "query", [{}, {"minutes": "60"}, {"unit": "week"}, {"kind": "chat", "sort": "-start"}]
)
def test_a_fragment_is_the_block_of_the_page(client: FlaskClient, query: dict[str, str]) -> None:
    trail.store(trail.ordinary())
    watcher(client)
    page = ask(client, **query).text
    result = ask_part(client, "result", **query).text
    beside = re.compile(r"<title>.*?<div id=\"live\".*?</div>\n", re.DOTALL)
    assert beside.search(result)
    assert beside.sub("", result).strip() in page
    listed = ask_part(client, "activities", **query).text
    assert listed.startswith('<section class="panel long" id="activities"')
    assert listed.replace("autofocus", "").strip() in page


def test_history_and_unknown_targets_get_the_whole_page(client: FlaskClient) -> None:
    watcher(client)
    whole = ask(client, None).text
    for headers in ({"HX-Target": "nav"}, {"HX-Target": "result", "HX-History-Restore-Request": "true"}):
        answer = client.get(f"/tracing?date={DAY}&tz=Europe/Prague", headers={**HTMX, **headers})
        assert answer.text.startswith("<!doctype html>")
        assert "HX-Request" in answer.headers["Vary"]
    assert whole.startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("unit", "date", "hours"),
    [
        ("day", "2025-03-30", 23),
        ("day", "2025-10-26", 25),
        ("week", "2025-03-24", 167),
        ("week", "2025-10-20", 169),
        ("day", "2025-10-27", 24),
    ],
)
def test_days_are_as_long_as_the_clock_made_them(
    client: FlaskClient, unit: str, date: str, hours: int
) -> None:
    span = (clock.week if unit == "week" else clock.day)(
        clock.local_date(trail.at(f"{date} 12:00"), "Europe/Prague"), "Europe/Prague"
    )
    trail.store(trail.stay(span.start, span.end))
    watcher(client)
    answer = ask(client, unit=unit, date=date, hours="24")
    assert f"{hours}:00:00" in Page(answer.text).text
    for minutes in ("60", "15", "5"):
        assert ask(client, date=date, minutes=minutes).status_code == 200
    if hours == 25:
        assert [mark for mark in ("02 +2", "02 +1") if mark not in answer.text] == []


def test_a_night_shift_is_cut_at_local_midnight_and_adds_up(client: FlaskClient) -> None:
    trail.store(
        trail.stay("2025-10-25 22:00", "2025-10-26 06:00"),
        trail.work("call", "n", "2025-10-25 23:30", "2025-10-26 02:30", queue="support", direction="in"),
    )
    watcher(client)
    shown = {date: Page(ask(client, date=date).text) for date in ("2025-10-25", "2025-10-26")}
    assert "2:00:00" in shown["2025-10-25"].text
    assert "7:00:00" in shown["2025-10-26"].text
    (row,) = (row for name, row in shown["2025-10-26"].rows.items() if name.startswith("a"))
    whole, inside = seconds(row[3]), seconds(row[4])
    (before,) = (seconds(row[4]) for name, row in shown["2025-10-25"].rows.items() if name.startswith("a"))
    assert before == 1800
    assert before + inside == whole


def test_the_zone_changes_where_days_begin_and_never_the_sums(client: FlaskClient) -> None:
    """Tokyo's day of the same 24 hours as Prague's has the same figures; the default is the user's zone."""
    trail.store(trail.ordinary())
    viewer = watcher(client)
    zones = {"Europe/Prague": DAY, "Africa/Lagos": DAY, "Europe/Berlin": DAY}
    figures = []
    for zone, date in zones.items():
        day = traces.read(
            scopes.whole(),
            "jana",
            clock.day(clock.local_date(trail.at("12:00"), zone), zone),
            zone,
            clock.now_s(),
        )
        assert day is not None
        shown = Page(ask(client, tz=zone, date=date).text)
        figures.append((day.figures, shown.rows.keys()))
    assert figures[0] == figures[1] == figures[2]
    viewer.timezone = "Asia/Tokyo"
    viewer.save()
    assert "17:00:00" in ask(client, tz=None).text  # 09:00 in Prague
    assert "09:00:00" in ask(client).text


def test_what_goes_on_says_so_and_runs_to_now(client: FlaskClient) -> None:
    trail.store(trail.stay("19:00", None), trail.work("call", "c", "19:30", None, direction="in"))
    watcher(client)
    page = Page(ask(client).text)
    (row,) = (row for name, row in page.rows.items() if name.startswith("a"))
    assert row[3] == "0:30:00"
    assert "Ongoing" in row[10]
    assert "1:00:00" in page.text
    later = ask(client, date="2026-03-10").text
    assert ("Still to come" in later, "Go to the last day" in later) == (True, True)
    assert "signed in" not in later


def test_an_empty_day_leads_to_the_last_active_one(client: FlaskClient) -> None:
    trail.store(
        trail.stay("2026-02-20 08:00", "2026-02-20 09:00"),
        trail.work("chat", "c", "2026-02-18 08:00", "2026-02-18 09:00", channel="sms"),
    )
    watcher(client)
    for date, last in (
        ("2026-02-28", "2026-02-20"),
        ("2026-02-19", "2026-02-18"),
        ("2030-01-01", "2026-02-20"),
    ):
        links = Page(ask(client, date=date).text).links()
        assert any(f"date={last}" in url for url in links), date
    assert "Go to the last day" not in ask(client, date="2026-02-01").text


@pytest.mark.parametrize(
    ("date", "zone"),
    [
        ("1970-01-02", "Pacific/Kiritimati"),
        ("2100-12-31", "Pacific/Pago_Pago"),
        ("2011-12-30", "Pacific/Apia"),
    ],
)
def test_the_ends_of_the_calendar_and_skipped_days_are_days(
    client: FlaskClient, date: str, zone: str
) -> None:
    trail.store(trail.stay("2011-12-29 08:00", None))
    watcher(client)
    for view in ({}, {"unit": "week"}, {"minutes": "60"}, {"hours": "24"}):
        page = ask(client, date=date, tz=zone, **view)
        assert page.status_code == 200
        links = [url for url in Page(page.text).links() if url.startswith("/tracing?")]
        for url in links if "unit" in view else links[:4]:
            assert client.get(url).status_code == 200, url


def test_every_link_of_the_page_answers(client: FlaskClient) -> None:
    trail.store(trail.ordinary(), trail.stay("2026-03-01 08:00", "2026-03-01 09:00"))
    viewer = watcher(client)
    viewer.access.permissions = sorted([*viewer.access.permissions, "tracing.export_data"])
    viewer.access.save()
    links: set[str] = set()
    for query in ({}, {"unit": "week"}, {"minutes": "15"}, {"kind": "chat"}, {"date": "2026-02-28"}):
        links |= set(Page(ask(client, **query).text).links())
    assert len(links) > 40
    for url in sorted(links):
        if not url.startswith("/language/"):  # changes what the viewer reads; tested with the sign-in
            assert client.get(url).status_code == 200, url


def test_an_inferred_end_is_marked(client: FlaskClient, app: Flask) -> None:
    trail.store(trail.stay("08:00", "10:00"), trail.work("call", "c", "09:00", None, direction="in"))
    watcher(client)
    inferred = Page(ask(client, flagged="1").text)
    whole = Page(ask(client).text)
    marked = [name for name, row in whole.rows.items() if "No end recorded (signed out" in "".join(row)]
    assert [name for name in inferred.rows if name.startswith("a")] == marked == ["a1"]


def test_a_full_week_of_400_bars_is_a_short_page_in_japanese(client: FlaskClient) -> None:
    events = []
    for day in range(7):
        date = f"2026-02-{23 + day}" if day < 6 else "2026-03-01"
        events += trail.stay(f"{date} 08:00", f"{date} 18:00")
        events += trail.pause("昼休み", f"{date} 12:00", f"{date} 12:30")
        events += trail.pause("休憩", f"{date} 15:00", f"{date} 15:15", paid=True)
        for n in range(53):
            kind, start = ("call", "email", "chat")[n % 3], trail.at(f"{date} 08:05") + n // 3 * 2000
            contact = {"name": f"山田 太郎 {n}"}
            name = {"queue": "support", "direction": "in"} if kind == "call" else {"queue": "web"}
            events += trail.work(
                kind, f"{day}-{n}", start + n % 3 * 60, start + 1500, contact=contact, **name
            )
    trail.store(events)
    make.sign_in(client, make.administrator())
    page = client.get("/tracing?user=jana&unit=week&date=2026-02-25", headers={"Accept-Language": "ja"})
    assert page.text.count('class="bar-a') >= 400
    assert len(page.data) < 150_000
