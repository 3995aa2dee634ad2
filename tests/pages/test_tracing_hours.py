"""Hours of a day limit plot, figures, list, files and API alike; the list is headed by hour."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from urllib.parse import parse_qs

import pytest
import time_machine
from flask.testing import FlaskClient

from dashboard import clock
from dashboard.models import User
from dashboard.pages.tracing import listing
from dashboard.tracing.types import period_span
from tests import make
from tests.api import Api
from tests.pages import trail
from tests.pages.files import fetch, lines_of, sheets_of, text_of
from tests.pages.html import Page
from tests.pages.trail import DAY
from tests.pages.watch import ask_part

ADDRESS = f"/tracing?user=jana&date={DAY}&tz=Europe/Prague"


@pytest.fixture(autouse=True)
def evening() -> Iterator[None]:
    with time_machine.travel(trail.at("2026-03-02 20:00"), tick=False):
        yield


@pytest.fixture
def viewer(client: FlaskClient) -> FlaskClient:
    trail.store(trail.ordinary())
    make.sign_in(client, make.administrator())
    return client


def seconds(shown: str) -> int:
    hours, minutes, rest = map(int, shown.split(":"))
    return hours * 3600 + minutes * 60 + rest


@pytest.mark.parametrize("on", [date(2026, 3, 2), date(2026, 3, 29), date(2026, 10, 25)])
def test_the_hours_of_a_day_are_its_parts(on: date) -> None:
    zone, whole = "Europe/Prague", clock.day(on, "Europe/Prague")
    labels = sorted({slot.label for slot in clock.hours(whole, zone)})
    spans = [period_span("day", on, zone, f"{hour}:00", f"{int(hour) + 1:02}:00") for hour in labels]
    assert spans[0].start == whole.start
    assert spans[-1].end == whole.end
    assert all(one.end == two.start for one, two in pairwise(spans))
    assert period_span("day", on, zone, "", "") == period_span("day", on, zone, "00:00", "24:00") == whole


FAULTS = (
    ("9:00", "", {}, "from"),
    ("24:01", "", {}, "from"),
    ("٠٩:00", "", {}, "from"),
    ("", "10", {}, "to"),
    ("10:00", "10:00", {}, "to"),
    ("10:00", "09:00", {}, "to"),
    ("24:00", "", {}, "from"),
    ("10:00", "11:00", {"unit": "week"}, "from"),
    ("02:00", "03:00", {"date": "2026-03-29"}, "to"),
)


def test_faulty_hours_are_named(viewer: FlaskClient) -> None:
    api = Api(viewer)
    for since, until, more, field in FAULTS:
        query = {"user": "jana", "date": DAY, "tz": "Europe/Prague", "from": since, "to": until, **more}
        answer = viewer.get("/tracing", query_string=query)
        assert answer.status_code == 422, query
        assert Page(answer.text).having(id=f"e-{field}"), query
        assert viewer.get("/tracing.csv", query_string=query).status_code == 422
        refused = api.get("/api/v1/tracing", **query)
        assert refused.status_code == 422, query
        assert field in refused.json["errors"], query


def test_page_files_and_api_are_limited_alike(viewer: FlaskClient) -> None:
    api = Api(viewer)
    limited = {"from": "09:00", "to": "11:20"}
    page = Page(viewer.get(f"{ADDRESS}&from=09:00&to=11:20").text)
    part = Page(ask_part(viewer, "activities", **limited).text)
    names = [name for name in page.rows if re.fullmatch(r"ap?\d+", name)]
    assert len(names) == 4  # the call, the pause, and the chats that began before 11:20
    assert [name for name in part.rows if re.fullmatch(r"ap?\d+", name)] == names
    foot = next(cells for cells in page.rows.values() if cells and cells[0] == "Total")
    work = 400 + 900 + 1200 + 600
    assert seconds(foot[4]) == work
    assert "09:00–11:20 · 2:20:00 signed in" in page.text
    *lines, total = lines_of(fetch(viewer, "csv", **limited).data)
    assert (len(lines), int(total[4])) == (4, work)
    sheets = sheets_of(fetch(viewer, "xlsx", **limited).data)
    assert len(sheets["Activities"]) == 4 + 2
    assert {row[0]: row for row in sheets["Summary"]}["Login time"][2] == 8400
    assert sheets["By day"][1][1:-1] == sheets["By day"][2][1:-1]
    assert {row[0]: row[1] for row in sheets["About"]}["Length in hours"] == "2.33333"
    assert "09:00–11:20" in text_of(fetch(viewer, "pdf", **limited).data)
    answer = api.get("/api/v1/tracing", user="jana", date=DAY, tz="Europe/Prague", **limited).json
    assert len(answer["activities"]) == 3
    assert answer["statistics"]["login"] == 8400


def test_hours_lead_to_their_part_and_back(viewer: FlaskClient) -> None:
    def hours_of(query: str) -> dict[str, str]:
        found = Page(viewer.get(ADDRESS + query).text).having(**{"class": "hr"})
        return {one.attributes["aria-label"]: one.attributes["href"] for one in found}

    names = [f"{hour:02}:00–{hour + 1:02}:00" for hour in range(8, 17)]
    for query in ("", "&hours=24", "&sort=-start"):
        assert list(hours_of(query)) == names, query
    assert parse_qs(hours_of("&sort=-start&hours=24")[names[1]].partition("?")[2]) == {
        "user": ["jana"],
        "unit": ["day"],
        "date": [DAY],
        "tz": ["Europe/Prague"],
        "from": ["09:00"],
        "to": ["10:00"],
        "sort": ["-start"],
    }
    assert list(hours_of("&from=09:00&to=10:00")) == [names[2]], "the hour itself is no link"
    limited = Page(viewer.get(f"{ADDRESS}&from=09:00&to=10:00").text)
    assert [text for text in limited.texts if text in names] == [names[0], names[2]], "hours before and after"
    assert "09:00–10:00" in limited.text
    assert "Whole day" in limited.text
    minutes = Page(viewer.get(f"{ADDRESS}&minutes=60").text)
    assert [
        one.attributes["aria-label"] for one in minutes.having(**{"class": "b"}) if one.tag == "a"
    ] == names
    assert Page(viewer.get(f"{ADDRESS}&from=18:00&to=19:00").text).text.count("Show the whole day") == 1


def test_today_stays_today_in_an_hour_of_it(client: FlaskClient) -> None:
    trail.store(trail.stay("12:00", None))
    make.sign_in(client, make.administrator())
    for hours in ("", "&from=13:00&to=14:00", "&from=21:00&to=22:00"):
        page = Page(client.get(ADDRESS + hours).text)
        assert page.having(id="step-today")[0].attributes.get("aria-disabled") == "true", hours
        assert any(url.startswith("/tracing/correct") for url in page.links()), hours
    page = Page(client.get(f"{ADDRESS}&from=13:00&to=14:00").text)
    assert "Signed in since 12:00:00" in page.text


def test_ringing_and_duration_lead_from_start_to_end(viewer: FlaskClient) -> None:
    call = {"queue": "support", "interaction": "r-1"}
    trail.store(
        trail.event("call.offered", "13:00", **call),
        trail.event("call.accepted", "13:00:12", **call, direction="in"),
        trail.event("call.connected", "13:00:12", **call),
        trail.event("call.closed", "13:05:00", **call),
        trail.event("call.offered", "13:10", queue="support", interaction="r-2"),
        trail.event("call.rejected", "13:10:09", queue="support", interaction="r-2"),
    )
    page = Page(viewer.get(f"{ADDRESS}&kind=call&from=13:00").text)
    rows = [cells for name, cells in page.rows.items() if re.fullmatch(r"a\d+", name)]
    assert [cells[2] for cells in rows] == ["0:00:12", "0:00:09"]
    for cells in rows:
        assert seconds(cells[0]) + seconds(cells[2]) + seconds(cells[3]) == seconds(cells[1])
    *lines, _ = lines_of(fetch(viewer, "csv", kind="call", **{"from": "13:00"}).data)
    assert [line[2] for line in lines] == ["12", "9"]


@pytest.mark.parametrize("sort", ["", "-start"])
def test_hours_head_the_list_and_free_time_stands_once_between_its_rows(
    viewer: FlaskClient, monkeypatch: pytest.MonkeyPatch, sort: str
) -> None:
    whole = Page(viewer.get(f"{ADDRESS}&sort={sort}").text)
    free = [(cells[0], cells[1]) for cells in whole.rows.values() if "Free" in cells and cells[0]]
    free = [each for each in free if re.fullmatch(r"\d\d:\d\d:\d\d", each[0])]
    expected = [("08:05:00", "09:00:00"), ("09:06:40", "10:00:00"), ("10:15:00", "11:00:00")]
    expected += [("11:40:00", "12:00:00"), ("12:40:00", "16:20:00")]
    assert free == (expected[::-1] if sort else expected)
    heads = [cells[0] for cells in whole.rows.values() if len(cells) == 1]
    assert "11:003 activities · 0:40:00 busy" in [re.sub(r"\s+", " ", head) for head in heads]
    filtered = Page(viewer.get(f"{ADDRESS}&kind=chat").text)
    assert [cells for cells in filtered.rows.values() if "Free" in cells and ":" in cells[0]] == []
    for size in (1, 2, 3):
        monkeypatch.setattr(listing, "PAGE", size)
        for way in ("next", "prev"):
            seen, url = [], f"{ADDRESS}&sort={sort}"
            if way == "prev":
                while following := Page(viewer.get(url).text).link(rel="next"):
                    url = following
            while url:
                page = Page(viewer.get(url).text)
                found = [cells[0] for cells in page.rows.values() if "Free" in cells and ":" in cells[0]]
                seen = [*seen, *found] if way == "next" else [*found, *seen]
                url = page.link(rel=way) or ""
            assert seen == [each[0] for each in free], (size, way)


def test_the_list_of_a_week_is_folded_to_its_days_until_it_is_opened_or_filtered(viewer: FlaskClient) -> None:
    trail.store(trail.work("email", "sunday", "2026-03-08 09:00", "2026-03-08 09:30", queue="mail"))
    with time_machine.travel(trail.at("2026-03-08 20:00"), tick=False):
        make.sign_in(viewer, User.get(User.login == "admin"))
        folded = Page(viewer.get(f"{ADDRESS}&unit=week").text)
        heads = [re.sub(r"\s+", " ", cells[0]) for cells in folded.rows.values() if len(cells) == 1]
        assert heads == [
            "Monday 2 March 20267 activities · 1:06:40 busy",
            "Sunday 8 March 20261 activity · 0:30:00 busy",
        ]
        for query, rows in (("", 0), ("&rows=1", 8), ("&kind=email", 2)):
            page = Page(viewer.get(f"{ADDRESS}&unit=week{query}").text)
            assert sum(bool(re.fullmatch(r"ap?\d+", name)) for name in page.rows) == rows, query
            assert ("List all activities" in page.text) == (rows == 0)
        foot = next(cells for cells in folded.rows.values() if cells and cells[0] == "Total")
        assert foot[7] == "8 activities"
