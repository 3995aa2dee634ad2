"""PDF, Excel and CSV of a trace: the rows and figures of the page, for its viewers; nothing in them runs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
import time_machine
from flask.testing import FlaskClient

from dashboard.access.permissions import Permission
from dashboard.db import database
from dashboard.events import record
from dashboard.exports import pdf
from dashboard.i18n.formats import duration
from dashboard.ingest import importer
from dashboard.models import ExportFile, Queue, User
from tests import make
from tests.pages import trail
from tests.pages.files import fetch, lines_of, sheets_of, text_of
from tests.pages.html import Page
from tests.pages.trail import DAY
from tests.test_sql_log import logged

pytestmark = pytest.mark.both_databases

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="the shared data is not on this machine")
FORMATS = ("csv", "xlsx", "pdf")
VIEWS = (
    {},
    {"unit": "week", "rows": "1"},
    {"kind": "chat"},
    {"kind": "pause"},
    {"sort": "-start", "state": "closed"},
)


@pytest.fixture(autouse=True)
def evening() -> Iterator[None]:
    with time_machine.travel(trail.at("2026-03-02 20:00"), tick=False):
        yield


def page_of(client: FlaskClient, user: str = "jana", **query: object) -> Page:
    asked = {"user": user, "date": DAY, "tz": "Europe/Prague", **query}
    answer = client.get("/tracing", query_string=asked)
    assert answer.status_code == 200
    return Page(answer.text)


def seconds(shown: str) -> int:
    hours, minutes, rest = map(int, shown.split(":"))
    return hours * 3600 + minutes * 60 + rest


def listed(page: Page) -> list[tuple[str, int, int, str]]:
    """Return (activity, seconds, seconds in the period, contact) of the page's rows."""
    return [
        (row[7].replace(row[8], ""), seconds(row[3]), seconds(row[4]), row[8])
        for name, row in page.rows.items()
        if re.fullmatch(r"ap?\d+", name)
    ]


def test_all_formats_carry_the_rows_of_the_page(client: FlaskClient) -> None:
    trail.store(trail.ordinary(), trail.work("call", "n", "2026-03-01 23:50", "00:10", direction="in"))
    make.sign_in(client, make.administrator())
    for query in VIEWS:
        wanted = listed(page_of(client, **query))
        assert wanted
        *lines, foot = lines_of(fetch(client, "csv", **query).data)
        assert [
            (line[7].replace(" · ", "· "), int(line[3]), int(line[4]), line[8]) for line in lines
        ] == wanted, query
        assert int(foot[4]) == sum(row[2] for row in wanted)
        _, *rows, total = sheets_of(fetch(client, "xlsx", **query).data)["Activities"]
        assert [
            (str(row[14]).replace(" · ", "· "), row[7], row[9], row[15] or "") for row in rows
        ] == wanted, query
        assert total[9] == int(foot[4])
        assert [line[0][:19] for line in lines] == [row[0].isoformat() for row in rows]  # type: ignore[attr-defined]
        assert all(datetime.fromisoformat(line[0]).utcoffset() for line in lines)


@pytest.mark.parametrize("format_", FORMATS)
def test_a_download_asks_the_database_nothing_twice(client: FlaskClient, format_: str) -> None:
    trail.store(trail.ordinary())
    make.sign_in(client, make.administrator())
    with logged(database.obj) as log:
        fetch(client, format_)
    reads = [query for query in log if re.search('FROM "(?:activity|interval|interaction|event)"', query.sql)]
    assert len(reads) > 3
    assert len(set(reads)) == len(reads)


def test_the_statistics_of_the_files_are_those_of_the_page(client: FlaskClient) -> None:
    trail.store(trail.ordinary())
    make.sign_in(client, make.administrator())
    rows = {row[0]: row[1:] for row in sheets_of(fetch(client, "xlsx").data)["Summary"]}
    expected = {
        "Calls · Handling time": 400,
        "Calls · Talk time": 300,
        "Emails · Handling time": 1200,
        "Chats · Handling time": 2400,
        "Chats · Sum of times": 3900,
        "Pauses · Total": 2700,
        "Pauses · Paid": 900,
        "Pauses · Unpaid": 1800,
        "Login time": 30600,
        "Ready time": 27000,
        "Busy": 3400,
        "Free": 23600,
        "Not ready": 900,
        "Work during pause": 600,
    }
    assert {name: rows[name][1] for name in expected} == expected
    assert {name: rows[f"{name} · Closed"][2] for name in ("Calls", "Emails", "Chats")} == {
        "Calls": 1,
        "Emails": 1,
        "Chats": 3,
    }
    printed = text_of(fetch(client, "pdf").data)
    shown = page_of(client).text
    for figure in ("8:30:00", "7:30:00", "6:33:20", "1:05:00", "0:45:00", "0:06:40", "12.6"):
        assert figure in printed, figure
        assert figure in shown, figure


def test_the_figures_by_day_are_those_of_the_page(client: FlaskClient) -> None:
    trail.store(trail.ordinary(), trail.work("call", "n", "2026-03-01 23:50", "00:10", direction="in"))
    make.sign_in(client, make.administrator())
    sheets = sheets_of(fetch(client, "xlsx", unit="week").data)
    assert list(sheets) == ["Summary", "By day", "Activities", "About"]
    shown = {cells[0]: cells[1:] for cells in page_of(client, unit="week").rows.values()}
    head, monday, *_others, total = sheets["By day"]
    seconds_at = [at for at, title in enumerate(head) if str(title).endswith("(seconds)")]
    counts_at = [at for at, title in enumerate(head) if "Closed" in str(title) or "Edited" in str(title)]
    for found, cells in ((monday, shown["Mon 2"]), (total, shown["Week"])):
        assert [found[at] for at in seconds_at] == [seconds(cell) for cell in cells if ":" in cell]
        assert [found[at] for at in counts_at] == [int(cell) for cell in cells if ":" not in cell]
    *lines, foot = lines_of(fetch(client, "csv", unit="week", table="days").data)
    both = sorted([*seconds_at, *counts_at])
    assert [list(map(int, line[1:-1])) for line in lines] == [
        [row[at] for at in both] for row in sheets["By day"][1:-1]
    ]
    assert list(map(int, foot[1:-1])) == [total[at] for at in both]
    assert lines[0][0] == "2026-03-02"
    printed = text_of(fetch(client, "pdf", unit="week").data)
    assert "By day" in printed
    assert "By day" not in text_of(fetch(client, "pdf").data)
    assert fetch(client, "csv", table="weeks").status_code == 422


def test_counts_of_user_events_are_in_files_on_request(client: FlaskClient) -> None:
    trail.store(trail.ordinary())
    make.sign_in(client, make.administrator())
    for format_ in ("xlsx", "pdf"):
        found = {}
        for events in ("", "1"):
            data = fetch(client, format_, events=events).data
            found[events] = str(sheets_of(data)) if format_ == "xlsx" else text_of(data)
        assert ["Agent signed in" in found[events] for events in ("", "1")] == [False, True], format_


def test_files_say_whose_which_period_as_of_when_and_by_whom(client: FlaskClient) -> None:
    trail.store(trail.ordinary())
    make.sign_in(client, make.administrator())
    web = Queue.get(Queue.name == "web").id
    meta = dict(
        row[:2] for row in sheets_of(fetch(client, "xlsx", kind="chat", queue=web).data)["About"] if row[1]
    )
    assert meta["User"] == "jana (jana)"
    assert meta["Start"] == "2026-03-02T00:00:00+01:00"
    assert meta["Length in hours"] == "24"
    assert meta["As of"] == "2026-03-02T20:00:00+01:00"
    assert meta["Exported by"] == "Admin"
    assert meta["Filter"] == "Chats, web"
    printed = text_of(fetch(client, "pdf").data)
    for fact in ("jana", "Europe/Prague", "2 Mar 2026 20:00:00", "Admin"):
        assert fact in printed, fact
    names = [fetch(client, format_, unit="week").headers["Content-Disposition"] for format_ in FORMATS]
    assert names == [f'attachment; filename="stopa-tracing-jana-2026-03-02.{format_}"' for format_ in FORMATS]


@pytest.mark.parametrize(
    ("right", "may"),
    [
        (None, ()),
        (Permission.TRACING_EXPORT_PDF, ("pdf",)),
        (Permission.TRACING_EXPORT_DATA, ("csv", "xlsx")),
    ],
)
def test_each_format_has_its_right(
    client: FlaskClient, right: Permission | None, may: tuple[str, ...]
) -> None:
    trail.store(trail.ordinary())
    rights = [Permission.TRACING_VIEW, *([right] if right else [])]
    viewer = make.user(access=make.access(rights, ["all_users", "all_queues"]))
    make.sign_in(client, viewer)
    offered = {url.partition("?")[0] for url in page_of(client).links() if url.startswith("/tracing.")}
    assert offered == {f"/tracing.{format_}" for format_ in may}
    for format_ in FORMATS:
        assert fetch(client, format_).status_code == (200 if format_ in may else 403), format_


def test_a_file_is_refused_like_the_page(client: FlaskClient) -> None:
    trail.store(trail.ordinary(), trail.ordinary("petr"))
    petr: User = User.get(User.login == "petr")
    assert fetch(client, "csv").headers["Location"].startswith("/sign-in?next=/tracing.csv")
    viewer = make.user(access=make.access(Permission, [("users", petr.id), "all_queues"]))
    make.sign_in(client, viewer)
    for format_ in FORMATS:
        assert fetch(client, format_, "petr").status_code == 200
        assert (
            fetch(client, format_, "jana").status_code == fetch(client, format_, "nobody").status_code == 404
        )
        assert client.post(f"/tracing.{format_}").status_code == 405


def test_hidden_work_is_as_blank_in_files_as_on_the_page(client: FlaskClient) -> None:
    trail.store(
        trail.stay("08:00", "16:00"),
        trail.work(
            "call",
            "secret-1",
            "09:00",
            "09:10",
            queue="supportline",
            direction="in",
            contact={"name": "Eva Malá", "phone": "+420601234567"},
        ),
        trail.work("chat", "open-1", "11:00", "11:30", queue="web", channel="webchat"),
    )
    web = Queue.get(Queue.name == "web").id
    make.sign_in(client, make.user(access=make.access(Permission, ["all_users", ("queues", web)])))
    files = {format_: fetch(client, format_).data for format_ in FORMATS}
    texts = {
        "csv": files["csv"].decode(),
        "pdf": text_of(files["pdf"]),
        "xlsx": str(sheets_of(files["xlsx"])),
    }
    for format_, text in texts.items():
        for word in ("supportline", "Eva", "+420601234567", "secret-1", "Call, inbound"):
            assert word not in text, (format_, word)
        assert "hidden" in text, format_
    *_, foot = lines_of(files["csv"])
    assert int(foot[4]) == 2400
    assert "0:40:00" in texts["pdf"]


@pytest.mark.parametrize(
    ("is_file", "said"), [(True, "No end recorded (file ends at 2 Mar 2026"), (False, "Ongoing")]
)
def test_what_a_file_leaves_open_is_not_called_ongoing(client: FlaskClient, is_file: bool, said: str) -> None:
    record.source("pbx", is_file=is_file)
    trail.store(
        trail.stay("19:00", None), trail.work("call", "c", "19:30", None), trail.pause("Lunch", "19:40", None)
    )
    make.sign_in(client, make.administrator())
    page = Page(client.get(f"/tracing?user=jana&date={DAY}&tz=Europe/Prague").text)
    shown = [" ".join(cells[10].split()) for name, cells in page.rows.items() if re.match(r"ap?\d", name)]
    assert ["Ongoing" in cell for cell in shown] == [not is_file] * 2
    inferred = Page(client.get(f"/tracing?user=jana&date={DAY}&tz=Europe/Prague&flagged=1").text)
    assert sum(bool(re.match(r"ap?\d", name)) for name in inferred.rows) == 2 * is_file
    for format_ in FORMATS:
        data = fetch(client, format_).data
        text = {"csv": bytes.decode, "xlsx": lambda given: str(sheets_of(given)), "pdf": text_of}[format_](
            data
        )
        flat = re.sub(r"\s", "", text)
        assert flat.count(re.sub(r"\s", "", said)) == 2, format_
        assert ("Ongoing" in text) == (not is_file), format_


def test_more_rows_than_a_pdf_takes_are_told_and_no_job_is_left(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    trail.store(trail.ordinary())
    make.sign_in(client, make.administrator())
    monkeypatch.setattr(pdf, "LIMIT", 3)
    answer = fetch(client, "pdf")
    assert answer.status_code == 413
    assert "A PDF can hold up to 3 rows. Export to Excel or CSV." in answer.text
    assert ExportFile.select().count() == 0
    assert fetch(client, "csv").status_code == 200


@needs_shared
def test_files_of_an_imported_log_carry_its_figures(client: FlaskClient) -> None:
    """Agent/1126 of a real queue log, in New York: talk, closed calls and login as its reference says."""
    log = SHARED / "queue_log_real" / "reconstructed.queue_log"
    expected = json.loads((SHARED / "queue_log_real" / "expected.json").read_text())[log.name]
    agent = expected["agents"]["Agent/1126"]
    importer.run(log, "queue_log", "asterisk", "America/New_York", None, lambda done: None)
    make.sign_in(client, make.administrator())
    talk = closed = login = listed_talk = 0
    for date in ("2018-11-29", "2018-12-03"):
        query = {"user": "Agent/1126", "unit": "week", "date": date, "tz": "America/New_York"}
        figures = {
            row[0]: row for row in sheets_of(client.get("/tracing.xlsx", query_string=query).data)["Summary"]
        }
        talk += figures["Calls · Talk time"][2]  # type: ignore[operator]
        closed += figures["Calls · Closed"][3]  # type: ignore[operator]
        login += figures["Login time"][2]  # type: ignore[operator]
        *lines, _ = lines_of(client.get("/tracing.csv", query_string={**query, "kind": "call"}).data)
        listed_talk += sum(int(line[5] or 0) for line in lines)
        printed = text_of(client.get("/tracing.pdf", query_string=query).data)
        for figure in (figures["Calls · Talk time"][2], figures["Login time"][2]):
            assert not figure or duration(figure) in printed
    assert listed_talk == agent["talk_s"]
    assert closed == agent["completed"]
    assert talk == agent["talk_s"]
    assert login == agent["login_s"]


@pytest.mark.parametrize("format_", FORMATS)
def test_a_day_that_has_not_come_has_no_file(client: FlaskClient, format_: str) -> None:
    trail.store(trail.ordinary())
    make.sign_in(client, make.administrator())
    assert fetch(client, format_, date="2026-03-03").status_code == 404
    assert fetch(client, format_, date="2026-03-09", unit="week").status_code == 404
