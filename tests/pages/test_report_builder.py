"""The builder of reports by plain forms, and whose reports are read, changed and deleted by whom."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from dashboard.access.permissions import Permission
from dashboard.models import AuditEntry, Queue, SavedQuery
from dashboard.reports.ready import READERS
from dashboard.sources.catalogue import SOURCES
from tests.api import Api
from tests.pages.reports import PERIOD, rows_of, save, sign_in
from tests.reports.calls import events

P = Permission


@pytest.fixture
def stored(client: FlaskClient) -> None:
    Api(client).take(events())


def test_numbers_of_other_sources_lead_to_their_rows_in_the_builder(
    client: FlaskClient, stored: None
) -> None:
    sign_in(client)
    links = re.findall(
        r'<a href="(/reports/new\?[^"]*)">(\d+)</a>', client.get(f"/reports/team-overview?{PERIOD}").text
    )
    for link, number in links:
        page = client.get(link.replace("&amp;", "&"), follow_redirects=True)
        assert page.status_code == 200
        assert f"{number} row" in page.text, link
    assert links


def test_an_unknown_source_is_named(client: FlaskClient) -> None:
    sign_in(client)
    page = client.get("/reports/new?source=passwords")
    assert (page.status_code, "source: " in page.text) == (400, True)
    assert client.get("/reports/new.csv?source=passwords").status_code == 404
    assert client.post("/reports/new", data={"source": "passwords"}).status_code == 400


def test_an_unsaved_report_is_no_report_to_delete_or_change(client: FlaskClient) -> None:
    sign_in(client)
    for path in ("/reports/new/delete", "/reports/new/edit"):
        assert client.post(f"{path}?source=interactions").status_code == 404, path


def test_more_conditions_than_a_query_takes_are_refused_by_name(client: FlaskClient, stored: None) -> None:
    sign_in(client)
    for name in ("any", "none"):
        many = "&".join([f"{name}=activities:id=1"] * 1500)
        answer = client.get(f"/reports/calls-by-queue.json?{many}")
        assert (answer.status_code, list(answer.json["errors"])) == (400, [name])


def test_the_builder_makes_a_report_without_scripts(client: FlaskClient, stored: None) -> None:
    """Source, groups, measures, a filter in two steps, then the name: each step by a plain form."""
    user = sign_in(client)
    page = client.get("/reports/new", follow_redirects=True)
    assert page.request.args.to_dict(flat=False) == {"source": ["user_events"], "measures": ["count"]}
    page = client.get(
        "/reports/new?was=user_events&source=interactions&show=figures&measures=count", follow_redirects=True
    )
    assert page.request.args.to_dict(flat=False) == {"source": ["interactions"], "measures": ["count"]}
    page = client.get(
        f"/reports/new?was=interactions&source=interactions&group=queue&group=&measures=count"
        f"&measures=sum%3Ais_abandoned&measures=&field=outcome&op=filter&period=&{PERIOD}",
        follow_redirects=True,
    )
    assert '<input type="hidden" name="field" value="outcome">' in page.text
    page = client.get(page.request.url + "&with=&value=abandoned&op=show", follow_redirects=True)
    sent = page.request.args.to_dict(flat=False)
    assert (sent["outcome"], sent["group"], "field" in sent) == (["abandoned"], ["queue"], False)
    assert "Result: Abandoned" in page.text
    assert ">2<" in page.text.replace("</a>", "<")
    answer = client.post(
        "/reports/new", data={**sent, "was": "interactions", "report_name": "Lost", "show": "figures"}
    )
    assert answer.status_code == 303
    row = SavedQuery.get()
    assert (row.user_id, row.name, row.source, row.shared) == (user.id, "Lost", "interactions", "private")
    assert "outcome=abandoned" in row.query
    assert rows_of(client.get(answer.headers["Location"]))[1:] == [["support", "2", "2"], ["Total", "2", "2"]]


def test_rows_have_columns_and_no_groups(client: FlaskClient, stored: None) -> None:
    sign_in(client)
    page = client.get(
        f"/reports/new?source=interactions&was=interactions&show=rows&measures=count&group=queue&{PERIOD}",
        follow_redirects=True,
    )
    sent = page.request.args.to_dict(flat=False)
    assert "measures" not in sent
    assert sent["columns"][:2] == ["id", "channel"]
    assert "7 rows" in page.text


def test_a_report_without_a_name_is_not_saved(client: FlaskClient) -> None:
    sign_in(client)
    for name in ("", " ", "x" * 121, "a\nb"):
        answer = client.post(
            "/reports/new", data={"source": "interactions", "measures": "count", "report_name": name}
        )
        assert answer.status_code == 422
        assert 'id="e-report_name"' in answer.text
    bad = client.post(
        "/reports/new", data={"source": "interactions", "measures": "sum:x", "report_name": "A"}
    )
    assert bad.status_code == 422
    assert not SavedQuery.select().exists()


def test_a_report_is_edited_copied_and_deleted_by_its_owner(client: FlaskClient, stored: None) -> None:
    sign_in(client)
    path = save(client, "source=interactions&group=queue&measures=count")
    page = client.get(f"{path}/edit", follow_redirects=True)
    assert 'name="version" value="1"' in page.text
    sent = {**page.request.args.to_dict(flat=False), "report_name": "Other", "version": "1"}
    assert client.post(f"{path}/edit", data=sent).status_code == 303
    assert client.post(f"{path}/edit", data=sent).status_code == 409
    copied = client.post(f"{path}/copy")
    assert copied.status_code == 303
    assert {row.name for row in SavedQuery.select()} == {"Other", "Copy of Other"}
    assert client.post(f"{path}/delete").status_code == 303
    assert client.get(path).status_code == 404
    actions = [
        row.action for row in AuditEntry.select().order_by(AuditEntry.id) if row.action != "report.viewed"
    ]
    assert actions[-4:] == ["report.created", "report.updated", "report.created", "report.deleted"]


def test_sharing_needs_its_right(client: FlaskClient) -> None:
    sign_in(client)
    refused = client.post(
        "/reports/new",
        data={"source": "interactions", "measures": "count", "report_name": "A", "report_shared": "all"},
    )
    assert (refused.status_code, SavedQuery.select().count()) == (422, 0)
    sign_in(client, P.REPORTS_SHARE)
    save(client, "source=interactions&measures=count", shared="all")
    assert SavedQuery.get().shared == "all"


def test_a_shared_report_runs_with_the_rights_of_its_reader(client: FlaskClient, stored: None) -> None:
    sign_in(client, P.REPORTS_SHARE)
    path = save(client, f"source=interactions&group=queue&measures=count&{PERIOD}", "Team", "all")
    assert rows_of(client.get(path))[-1] == ["Total", "7"]
    sales = Queue.get(Queue.name == "sales")
    sign_in(client, grants=["all_users", ("queues", sales.id)])
    assert "Shared with me 1" in client.get("/reports").text
    assert rows_of(client.get(path))[1:] == [["sales", "2"], ["Total", "2"]]
    lines = client.get(f"{path}.csv").text
    assert "support" not in lines
    assert client.get(f"{path}/edit").status_code == 404
    assert client.post(f"{path}/edit", data={"report_name": "x"}).status_code == 404
    assert client.post(f"{path}/delete").status_code == 404


ABOUT_JANA = [
    "user=jana",
    'filter={"all": [{"any": [{"field": "user", "op": "is", "value": "jana"}]}]}',
    "any=user_events:user=jana",
]


@pytest.mark.parametrize("about", ABOUT_JANA)
def test_a_shared_query_for_a_user_out_of_scope_finds_nobody(
    client: FlaskClient, stored: None, about: str
) -> None:
    sign_in(client, P.REPORTS_SHARE)
    path = save(client, f"source=activities&group=user&measures=count&{about}&{PERIOD}", "About one", "all")
    assert "jana" in [row[0] for row in rows_of(client.get(path))]
    sign_in(client, grants=["all_queues"])
    for suffix in ("", ".csv", ".json"):
        answer = client.get(f"{path}{suffix}")
        assert (answer.status_code, "outside your scope" in answer.text) == (400, True), suffix
        assert "jana" not in answer.text, suffix
    assert client.post(f"{path}/copy").status_code == 400
    assert "jana" in client.get(f"{path}?user=jana").text  # what the reader typed is repeated


def test_the_form_keeps_what_it_has_no_fields_for(client: FlaskClient, stored: None) -> None:
    sign_in(client)
    query = f"source=interactions&group=day&measures=running:count&sort=day&limit=5&q=c0x&{PERIOD}"
    page = client.get(f"/reports/new?{query}").text
    for name, value in (("limit", "5"), ("q", "c0x"), ("tz", "UTC")):
        assert f'<input type="hidden" name="{name}" value="{value}">' in page
    for value in ("running:count", "day"):
        assert f'<option value="{value}" selected>' in page


def test_a_filter_that_is_being_added_can_be_cancelled(client: FlaskClient, stored: None) -> None:
    sign_in(client)
    page = client.get("/reports/new?source=interactions&measures=count&field=talk").text
    assert "Minutes and seconds" in page
    assert "/reports/new?source=interactions&amp;measures=count" in page
    page = client.get(
        "/reports/new?source=interactions&measures=count&field=talk&with=blank:1", follow_redirects=True
    )
    assert page.request.args.to_dict() == {"source": "interactions", "measures": "count", "talk__blank": "1"}


@pytest.mark.parametrize("source", sorted(SOURCES))
def test_the_builder_shows_each_source_as_figures_and_as_rows(
    client: FlaskClient, stored: None, source: str
) -> None:
    sign_in(client, *READERS)
    for show in ("figures", "rows"):
        path = f"/reports/new?source={source}&was={source}&show={show}&{PERIOD}"
        page = client.get(path, follow_redirects=True)
        assert page.status_code == 200, (show, page.text[-2000:])
        assert "Preview: 2 Mar 2026 – 3 Mar 2026" in page.text
