"""The pages of reports: page, Excel, PDF, CSV and JSON hold the same figures, within the viewer's scope."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook

from dashboard.access import presets
from dashboard.access.permissions import PRESETS, Permission
from dashboard.models import Access, AuditEntry
from dashboard.reports import ready
from tests import make
from tests.api import Api
from tests.pages.files import text_of
from tests.pages.html import Page
from tests.pages.reports import PERIOD, links_of, rows_of, save, sign_in
from tests.reports.calls import AS_OF, events

P = Permission


@pytest.fixture
def stored(client: FlaskClient) -> None:
    Api(client).take(events())


def test_the_page_shows_groups_with_their_totals_and_the_total(client: FlaskClient, stored: None) -> None:
    sign_in(client)
    rows = rows_of(client.get(f"/reports/calls-by-queue?{PERIOD}&compare="))
    assert rows[0][:4] == ["Day", "Interactions", "Answered", "Abandoned"]
    assert [row[:4] for row in rows[1:]] == [
        ["sales"],
        ["2 Mar 2026", "1", "1", "0"],
        ["3 Mar 2026", "1", "1", "0"],
        ["All", "2", "2", "0"],
        ["support"],
        ["2 Mar 2026", "5", "3", "2"],
        ["3 Mar 2026", "0", "0", "0"],
        ["All", "5", "3", "2"],
        ["Total", "7", "5", "2"],
    ]


FIGURES = ["calls-by-queue", "team-overview", "rejections", "talk-by-user", "accepted-rejected-ignored"]


@pytest.mark.parametrize("key", FIGURES)
def test_page_excel_pdf_csv_and_json_hold_the_same_figures(
    client: FlaskClient, stored: None, key: str
) -> None:
    sign_in(client)
    query = f"{PERIOD}&compare="
    page = rows_of(client.get(f"/reports/{key}?{query}"))
    lines = list(csv.reader(io.StringIO(client.get(f"/reports/{key}.csv?{query}").data.decode("utf-8-sig"))))
    book = load_workbook(io.BytesIO(client.get(f"/reports/{key}.xlsx?{query}").data))
    paper = text_of(client.get(f"/reports/{key}.pdf?{query}").data).split()
    found = client.get(f"/reports/{key}.json?{query}").json
    groups = len(found["columns"]) - len(found["totals"])
    names = [each["name"] for each in found["columns"]]
    counts = [n for n, name in enumerate(names) if name.startswith(("count", "sum:is_"))]
    flat = [row for row in page[1:] if len(row) > 1 and row[0] not in ("All", "Total")]
    shown = [[row[n - (groups > 1)] for n in counts] for row in flat]
    total = [page[-1][n - (groups > 1)] for n in counts]
    files = [line for line in lines[1:] if len(line) == len(lines[0])]
    assert sorted([line[n] for n in counts] for line in files[:-1]) == sorted(shown)
    assert [files[-1][n] for n in counts] == total
    assert sorted([str(row[names[n]]) for n in counts] for row in found["rows"]) == sorted(shown)
    assert [str(found["totals"][names[n]]) for n in counts] == total
    sheet = list(book.worksheets[0].iter_rows(values_only=True))
    head = next(n for n, row in enumerate(sheet) if lines[0][counts[0]] in row)
    at = [sheet[head].index(lines[0][n]) for n in counts]
    excel = [[str(row[n]) for n in at] for row in sheet[head + 1 :]]
    assert sorted(excel[: len(shown)]) == sorted(shown)
    assert excel[len(shown)] == total
    for cell in (cell for row in page[1:] for cell in row[1:] if cell != "–"):
        assert cell in paper


def test_each_number_leads_to_as_many_rows(client: FlaskClient, stored: None) -> None:
    sign_in(client)
    page = client.get(f"/reports/calls-by-queue?{PERIOD}&compare=").text
    links = re.findall(r'<a href="(/interactions\?[^"]*)">(\d+)</a>', page)
    assert len(links) > 8
    for link, number in links:
        rows = client.get(link.replace("&amp;", "&")).text
        assert re.search(rf">{number} interactions?<", rows), link


def test_the_period_before_stands_beside_each_figure(client: FlaskClient, stored: None) -> None:
    sign_in(client)
    page = client.get("/reports/calls-by-queue?from=2026-03-03&to=2026-03-03&tz=UTC")
    assert rows_of(page)[-1][1] == "1 −5"
    assert "Compared with 2 Mar 2026" in page.text


def test_a_fragment_is_the_result_alone(client: FlaskClient, stored: None) -> None:
    with time_machine.travel(AS_OF, tick=False):
        sign_in(client)
        path = f"/reports/calls-by-queue?{PERIOD}"
        part = client.get(path, headers={"HX-Request": "true", "HX-Target": "result"}).text
        assert part.startswith('<div id="result">')
        assert part in client.get(path).text
        assert "Channel: Call· Received: Yes· Queue: any" in part


LABELS = {
    "group": "Group by",
    "measures": "Measures",
    "sort": "Order",
    "period": "Period",
    "from": "From",
    "tz": "Time zone",
    "queue": "Queue",
    "talk": "Talk time",
    "columns": "Columns",
}
HOSTILE = [
    "group=queue';DROP TABLE event",
    "measures=sum:password_hash",
    "measures=sum:queue",
    "sort=nothing",
    "period=ever",
    "from=yesterday",
    "tz=Mars",
    "compare=never",
    "chart=pie",
    "chart=heat",
    "limit=0",
    "limit=9999999999999999999999",
    "after=zzz",
    "password_hash=1",
    "queue=absent",
    "talk__contains=1",
    "talk__gte=abc",
    "queue__blank=2",
    "columns=queue",
]


@pytest.mark.parametrize("query", HOSTILE)
def test_what_cannot_be_used_is_400_with_its_name(client: FlaskClient, stored: None, query: str) -> None:
    sign_in(client)
    name = query.partition("=")[0]
    page = client.get(f"/reports/calls-by-queue?{query}")
    label = LABELS.get(name.partition("__")[0], name)
    assert (page.status_code, f"{label}: " in page.text) == (400, True), page.text[-3000:]
    new = client.get(
        f"/reports/new?source=interactions&measures=count&group=queue&{query}", follow_redirects=True
    )
    assert new.status_code == 400 or name in ("columns", "measures", "group"), query
    assert client.get(f"/reports/calls-by-queue.csv?{query}").status_code == 400
    answer = client.get(f"/reports/calls-by-queue.json?{query}")
    assert (answer.status_code, name in answer.json["errors"]) == (400, True)


@pytest.mark.parametrize("name", ["endpoint", "values", "_method", "_external", "_scheme", "report", "self"])
def test_parameters_with_names_of_the_framework_break_no_report(
    client: FlaskClient, stored: None, name: str
) -> None:
    sign_in(client)
    assert client.get(f"/reports/calls-by-queue?{name}=x").status_code == 400


def test_what_was_searched_is_masked_in_the_audit_log(client: FlaskClient, stored: None) -> None:
    sign_in(client)
    client.get("/reports/events-of-interaction?q=%2B420123456789")
    entry = AuditEntry.get(AuditEntry.action == "report.viewed")
    assert entry.details["q"] == "+420 ••• ••• 789"
    sign_in(client, P.PII_UNMASK)
    path = save(client, "source=interactions&columns=id&contact__contains=%2B420123456789")
    client.post(
        f"{path}/edit",
        data={
            "source": "interactions",
            "report_name": "B",
            "version": "1",
            "columns": "id",
            "contact__contains": "+420123456780",
        },
    )
    client.get(path)
    client.get(f"{path}.csv")
    logged = [f"{each.details}{each.changes}" for each in AuditEntry.select()]
    assert [each for each in logged if "1234567" in each] == []
    assert len([each for each in logged if "contact__contains" in each]) >= 3


@pytest.mark.parametrize("path", ["nothing", "0", "99999", "-1", "9" * 40, "a b"])
@pytest.mark.parametrize("suffix", ["", ".csv", ".json", "/edit"])
def test_unknown_reports_are_404(client: FlaskClient, path: str, suffix: str) -> None:
    sign_in(client)
    assert client.get(f"/reports/{path}{suffix}").status_code == 404


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_no_role_sees_anything_outside_its_scope_in_a_ready_made_report(
    client: FlaskClient, stored: None, preset: Any
) -> None:
    presets.make()
    make.sign_in(client, make.user("viewer", access=Access.get(Access.name == preset.name)))
    whole = "all_users" in preset.grants
    for report in ready.REPORTS:
        page = client.get(f"/reports/{report.key}?{PERIOD}")
        may = report.source.permission in preset.permissions
        if not preset.permissions & set(ready.READERS):
            assert page.status_code == 403
            continue
        assert page.status_code == (200 if may else 404), report.key
        result = page.text.partition('id="result"')[2]
        if not whole:
            assert "jana" not in result, report.key
            assert "petr" not in result, report.key
        if "all_queues" not in preset.grants:
            assert "support" not in result, report.key
            assert "+420601" not in result, report.key
        lines = client.get(f"/reports/{report.key}.csv?{PERIOD}")
        assert lines.status_code == (
            200 if may and P.TRACING_EXPORT_DATA in preset.permissions else 403 if may else 404
        )
        assert whole or lines.status_code != 200 or "jana" not in lines.text, report.key


def test_masked_contacts_are_said(client: FlaskClient, stored: None) -> None:
    sign_in(client)
    page = client.get(f"/reports/abandoned?{PERIOD}").text
    assert "+420601234562" not in page
    assert "Contact details are masked." in page
    sign_in(client, P.PII_UNMASK)
    assert "+420601234562" in client.get(f"/reports/abandoned?{PERIOD}").text.replace(" ", "")


def test_exports_need_their_rights_and_are_recorded(client: FlaskClient, stored: None) -> None:
    access = make.access([P.QUEUES_FIGURES], ["all_users", "all_queues"])
    make.sign_in(client, make.user(access=access))
    for format_ in ("csv", "xlsx", "pdf", "json"):
        assert client.get(f"/reports/calls-by-queue.{format_}").status_code == 403
    assert "Excel export" not in client.get("/reports/calls-by-queue").text
    sign_in(client)
    client.get(f"/reports/calls-by-queue.csv?{PERIOD}")
    entry = AuditEntry.select().order_by(AuditEntry.id.desc()).first()
    assert (entry.action, entry.details["report"]) == ("report.exported", "calls-by-queue")


EDIFY = {  # question: the links that are followed from Home, by their texts
    "accepted, rejected and ignored": ["Figures", "Reports", "Accepted, rejected and ignored by queue"],
    "user events of an interaction": ["Figures", "Reports", "User events of an interaction"],
    "average talk by user": ["Figures", "Reports", "Average talk time by user"],
}


@pytest.mark.parametrize("question", EDIFY)
def test_the_questions_about_user_events_are_answered_in_four_clicks(
    client: FlaskClient, stored: None, question: str
) -> None:
    sign_in(client, P.HOME_VIEW)
    path = "/"
    for step in EDIFY[question]:
        path = links_of(client.get(path).text)[step]
    rows = rows_of(client.get(f"{path}?{PERIOD}"))
    if question.startswith("accepted"):
        assert ["petr", "Rejected", "2", "2"] in rows
    if question.startswith("user events"):
        rows = rows_of(client.get(f"{path}?{PERIOD}&interaction.id=c0"))
        assert [row[2] for row in rows[1:]] == ["Accepted", "Connected", "Disconnected", "Closed"]
    if question.startswith("average"):
        assert [row[:3] for row in rows if row[0].startswith("jana")] == [["jana", "5 +5", "0:01:36"]]


def test_the_list_names_reports_by_origin(client: FlaskClient, app: Flask) -> None:
    sign_in(client)
    save(client, "source=interactions&measures=count", "My own one")
    page = Page(client.get("/reports").text)
    texts = client.get("/reports").text
    assert re.search(r"Ready-made \d+.*Mine 1", texts, re.S)
    assert "My own one" in texts
    assert page.links()


def test_each_row_leads_to_its_page(client: FlaskClient, stored: None) -> None:
    sign_in(client)
    for key, path in (("abandoned", "/interactions/"), ("agent-day-sheet", "/tracing/activities/")):
        page = client.get(f"/reports/{key}?{PERIOD}").text.partition('aria-labelledby="tb"')[2]
        links = [url for url in links_of(page).values() if url.startswith(path)]
        assert links, key
        assert {client.get(link).status_code for link in links} == {200}, key


def test_paper_has_room_for_one_figure_of_the_period_before(client: FlaskClient, stored: None) -> None:
    sign_in(client)
    query = "from=2026-03-03&to=2026-03-03&tz=UTC"
    head = client.get(f"/reports/calls-by-queue.csv?{query}").text.splitlines()[0]
    paper = " ".join(text_of(client.get(f"/reports/calls-by-queue.pdf?{query}").data).split())
    assert head.count(", before") == 8
    assert paper.count("before") == 2  # in the table and in that of the groups
