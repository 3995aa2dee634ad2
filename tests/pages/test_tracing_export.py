"""PDF, Excel and CSV of a trace: the rows and figures of the page, for its viewers; nothing in them runs."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pypdf
import pytest
import time_machine
from flask.testing import FlaskClient
from openpyxl import load_workbook
from werkzeug.test import TestResponse

from dashboard.access.permissions import Permission
from dashboard.exports import pdf
from dashboard.i18n.formats import duration
from dashboard.ingest import importer
from dashboard.models import Contact, ExportFile, PauseType, Queue, User
from tests import make
from tests.pages import trail
from tests.pages.html import Page
from tests.pages.trail import DAY

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="the shared data is not on this machine")
FORMATS = ("csv", "xlsx", "pdf")
VIEWS = ({}, {"unit": "week"}, {"kind": "chat"}, {"kind": "pause"}, {"sort": "-start", "state": "closed"})


@pytest.fixture(autouse=True)
def evening() -> Iterator[None]:
    with time_machine.travel(trail.at("2026-03-02 20:00"), tick=False):
        yield


def fetch(client: FlaskClient, format_: str, user: str = "jana", **query: object) -> TestResponse:
    asked = {"user": user, "date": DAY, "tz": "Europe/Prague", **query}
    return client.get(f"/tracing.{format_}", query_string=asked)


def page_of(client: FlaskClient, user: str = "jana", **query: object) -> Page:
    asked = {"user": user, "date": DAY, "tz": "Europe/Prague", **query}
    answer = client.get("/tracing", query_string=asked)
    assert answer.status_code == 200
    return Page(answer.text)


def lines_of(data: bytes) -> list[list[str]]:
    """Return the rows of a CSV without heading; the last one holds the totals."""
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))[1:]


def sheets_of(data: bytes) -> dict[str, list[tuple[object, ...]]]:
    book = load_workbook(io.BytesIO(data))
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets}


def text_of(data: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages)


def seconds(shown: str) -> int:
    hours, minutes, rest = map(int, shown.split(":"))
    return hours * 3600 + minutes * 60 + rest


def listed(page: Page) -> list[tuple[str, int, int, str]]:
    """Return (activity, seconds, seconds in the period, about) of the page's rows."""
    return [
        (row[6].replace(row[7], ""), seconds(row[2]), seconds(row[3]), row[7])
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
        assert [(line[6], int(line[2]), int(line[3]), line[7]) for line in lines] == wanted, query
        assert int(foot[3]) == sum(row[2] for row in wanted)
        _, *rows, total = sheets_of(fetch(client, "xlsx", **query).data)["List"]
        assert [(row[12], row[5], row[7], row[13] or "") for row in rows] == wanted, query
        assert total[7] == int(foot[3])
        assert [line[0][:19] for line in lines] == [row[0].isoformat() for row in rows]  # type: ignore[attr-defined]
        assert all(datetime.fromisoformat(line[0]).utcoffset() for line in lines)


def test_the_statistics_of_the_files_are_those_of_the_page(client: FlaskClient) -> None:
    trail.store(trail.ordinary())
    make.sign_in(client, make.administrator())
    rows = {row[0]: row[1:] for row in sheets_of(fetch(client, "xlsx").data)["Statistics"]}
    expected = {
        "Calls · Handling time": 400, "Calls · Talk time": 300, "E-mails · Handling time": 1200,
        "Chats · Handling time": 2400, "Chats · Sum of times": 3900, "Pauses · Total": 2700,
        "Pauses · Paid": 900, "Pauses · Unpaid": 1800, "Login time": 30600, "Ready time": 27000,
        "Busy": 3400, "Free": 23600, "Not ready": 900, "Work during pause": 600,
    }  # fmt: skip
    assert {name: rows[name][1] for name in expected} == expected
    assert {name: rows[f"{name} · Closed"][2] for name in ("Calls", "E-mails", "Chats")} == {
        "Calls": 1, "E-mails": 1, "Chats": 3,
    }  # fmt: skip
    printed = text_of(fetch(client, "pdf").data)
    shown = page_of(client).text
    for figure in ("8:30:00", "7:30:00", "6:33:20", "1:05:00", "0:45:00", "0:06:40", "12.6"):
        assert figure in printed, figure
        assert figure in shown, figure


def test_files_say_whose_which_period_as_of_when_and_by_whom(client: FlaskClient) -> None:
    trail.store(trail.ordinary())
    make.sign_in(client, make.administrator())
    web = Queue.get(Queue.name == "web").id
    meta = dict(
        row[:2] for row in sheets_of(fetch(client, "xlsx", kind="chat", queue=web).data)["Meta"] if row[1]
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
        trail.work("call", "secret-1", "09:00", "09:10", queue="supportline", direction="in",
                   contact={"name": "Eva Malá", "phone": "+420601234567"}),
        trail.work("chat", "open-1", "11:00", "11:30", queue="web", channel="webchat"),
    )  # fmt: skip
    web = Queue.get(Queue.name == "web").id
    make.sign_in(client, make.user(access=make.access(Permission, ["all_users", ("queues", web)])))
    files = {format_: fetch(client, format_).data for format_ in FORMATS}
    texts = {
        "csv": files["csv"].decode(), "pdf": text_of(files["pdf"]), "xlsx": str(sheets_of(files["xlsx"])),
    }  # fmt: skip
    for format_, text in texts.items():
        for word in ("supportline", "Eva", "+420601234567", "secret-1", "Call, inbound"):
            assert word not in text, (format_, word)
        assert "hidden" in text, format_
    *_, foot = lines_of(files["csv"])
    assert int(foot[3]) == 2400
    assert "0:40:00" in texts["pdf"]


def test_more_rows_than_a_pdf_takes_are_told_and_no_job_is_left(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    trail.store(trail.ordinary())
    make.sign_in(client, make.administrator())
    monkeypatch.setattr(pdf, "LIMIT", 3)
    answer = fetch(client, "pdf")
    assert answer.status_code == 413
    assert "At most 3 rows fit into a PDF. Take Excel or CSV." in answer.text
    assert ExportFile.select().count() == 0
    assert fetch(client, "csv").status_code == 200


def hostile() -> list[str]:
    """Return texts that others collected to break spreadsheets and pages, one line each, printable."""
    naughty = json.loads((SHARED / "naughty_strings" / "blns.json").read_text())
    triggers = json.loads((SHARED / "formula_injection" / "owasp_triggers.json").read_text())
    formulas = (SHARED / "formula_injection" / "csv-payload.txt").read_text().splitlines()
    found = [*formulas, *_strings(triggers), *naughty]
    return [text for text in dict.fromkeys(found) if text.strip() and "\0" not in text and len(text) < 180]


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for part in parts for text in _strings(part)]


def poisoned(texts: list[str]) -> None:
    """Make a day on which every name is one of the texts: user, queue, pause, contact, title."""
    trail.store(
        trail.stay("00:00", "19:00"),
        *(
            trail.work("chat", f"x{n}", trail.at("00:10") + n, trail.at("00:10") + n + 60, queue=f"q{n}",
                       channel="webchat", contact={"name": f"contact {n}"})
            for n in range(len(texts))
        ),
        *(
            trail.event("ticket.updated", trail.at("00:10") + n, interaction=f"t{n}", number=f"T-{n}",
                        title=f"title {n}")
            for n in range(len(texts))
        ),
        *trail.pause("lunch", "12:00", "12:30"),
    )  # fmt: skip
    for n, text in enumerate(texts):
        Queue.update(label=text).where(Queue.name == f"q{n}").execute()
        Contact.update(name=text).where(Contact.name == f"contact {n}").execute()
    PauseType.insert(name="lunch", label=texts[0]).on_conflict_ignore().execute()
    PauseType.update(label=texts[0]).where(PauseType.name == "lunch").execute()
    User.update(name=texts[1]).where(User.login == "jana").execute()


@needs_shared
def test_hostile_names_run_nowhere(client: FlaskClient) -> None:
    texts = hostile()
    poisoned(texts)
    make.sign_in(client, make.administrator())
    page = client.get(f"/tracing?user=jana&date={DAY}&tz=Europe/Prague")
    assert page.status_code == 200
    found = Page(page.text)
    assert {one.tag for one in found.elements} & {
        "iframe",
        "object",
        "embed",
        "audio",
        "video",
        "math",
    } == set()
    assert [
        one
        for one in found.elements
        if one.tag == "script" and not one.attributes.get("src", "").startswith("/static/")
    ] == []
    for one in found.elements:
        assert [name for name in one.attributes if name.startswith("on")] == []
        assert (
            not one.attributes.get("href", "")
            .lower()
            .lstrip()
            .startswith(("javascript:", "data:", "vbscript:"))
        )
        assert not one.attributes.get("src", "").startswith(("x", "h", "j"))
    data = fetch(client, "xlsx").data
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        for name in parts.namelist():
            if name.endswith(".xml"):
                assert not re.search(rb"<f[ >/]", parts.read(name)), name
            assert b'TargetMode="External"' not in parts.read(name)
    assert {
        cell.data_type
        for sheet in load_workbook(io.BytesIO(data)).worksheets
        for row in sheet
        for cell in row
    } <= {"n", "s", "d", "inlineStr"}
    lines = list(csv.reader(io.StringIO(fetch(client, "csv").data.decode("utf-8-sig"), newline="")))
    for line in lines:
        for cell in line:
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")), cell
    queues = {line[8].removeprefix("'") for line in lines}
    assert len(queues & set(texts)) > len(texts) * 0.9


@needs_shared
def test_hostile_names_are_printed_as_typed_and_fetch_nothing(client: FlaskClient) -> None:
    texts = [
        '<img src="file:///etc/passwd">', "<script>alert(1)</script>", "=1+1",
        '<link rel=attachment href="file:///etc/passwd">', "{{ 7 * 7 }}", "url(http://127.0.0.1:9/)",
    ]  # fmt: skip
    poisoned(texts)
    make.sign_in(client, make.administrator())
    data = fetch(client, "pdf", kind="chat").data
    printed = re.sub(r"\s", "", text_of(data))
    for text in texts:
        assert re.sub(r"\s", "", text) in printed, text
    reader = pypdf.PdfReader(io.BytesIO(data))
    assert "root:" not in printed
    assert dict(reader.attachments) == {}
    assert all(not page.images for page in reader.pages)


@needs_shared
def test_files_of_an_imported_log_carry_its_figures(client: FlaskClient) -> None:
    """Agent/1126 of a real queue log, in New York: talk, closed calls and login as its reference says."""
    log = SHARED / "queue_log_real" / "reconstructed.queue_log"
    expected = json.loads((SHARED / "queue_log_real" / "expected.json").read_text())[log.name]
    agent = expected["agents"]["Agent/1126"]
    importer.run(log, "queue_log", "asterisk", "America/New_York", {}, lambda done: None)
    make.sign_in(client, make.administrator())
    talk = closed = login = listed_talk = 0
    for date in ("2018-11-29", "2018-12-03"):
        query = {"user": "Agent/1126", "unit": "week", "date": date, "tz": "America/New_York"}
        figures = {
            row[0]: row
            for row in sheets_of(client.get("/tracing.xlsx", query_string=query).data)["Statistics"]
        }
        talk += figures["Calls · Talk time"][2]  # type: ignore[operator]
        closed += figures["Calls · Closed"][3]  # type: ignore[operator]
        login += figures["Login time"][2]  # type: ignore[operator]
        *lines, _ = lines_of(client.get("/tracing.csv", query_string={**query, "kind": "call"}).data)
        listed_talk += sum(int(line[4] or 0) for line in lines)
        printed = text_of(client.get("/tracing.pdf", query_string=query).data)
        for figure in (figures["Calls · Talk time"][2], figures["Login time"][2]):
            assert not figure or duration(figure) in printed
    assert listed_talk == agent["talk_s"]
    assert closed == agent["completed"]
    assert talk == agent["talk_s"]
    assert login == agent["login_s"]
