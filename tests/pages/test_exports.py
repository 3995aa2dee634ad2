"""Files made by a job: progress, the same content as at once, and the right asked for again each time."""

from __future__ import annotations

import hashlib
import html
import io
from collections.abc import Iterator

import pypdf
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook

from dashboard import clock
from dashboard.access.permissions import Permission
from dashboard.exports import pdf
from dashboard.jobs import worker
from dashboard.models import Access, AccessGrant, AuditEntry, Job, User
from dashboard.web import deliver
from tests import make
from tests.pages import trail
from tests.pages.html import Page
from tests.pages.trail import DAY

pytestmark = pytest.mark.both_databases

FORMATS = ("csv", "xlsx", "pdf")
TRACED = f"user=jana&date={DAY}&tz=Europe%2FPrague"
ADDRESS = f"user=jana&date={DAY}&tz=Europe/Prague"
AT_ONCE = dict(deliver.AT_ONCE)


@pytest.fixture(autouse=True)
def evening() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(trail.at("2026-03-02 20:00"), tick=False) as traveller:
        yield traveller


@pytest.fixture
def viewer(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> User:
    """A viewer of everything, jana's ordinary day, and every file too long to be made at once."""
    monkeypatch.setattr(deliver, "AT_ONCE", dict.fromkeys(FORMATS, 0))
    trail.store(trail.ordinary())
    user = make.user("viewer", access=make.access(Permission, ["all_users", "all_queues"]))
    make.sign_in(client, user)
    return user


def order(client: FlaskClient, format_: str, query: str = ADDRESS) -> str:
    """Ask for a file and return the address of its page."""
    answer = client.get(f"/tracing.{format_}?{query}")
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/exports/")
    return answer.headers["Location"]


def work(app: Flask) -> None:
    """What `flask worker` does: it has an application and no request."""
    with app.app_context():
        worker.drain(["export"])


def cells(format_: str, data: bytes) -> object:
    if format_ == "xlsx":
        return [
            list(sheet.iter_rows(values_only=True)) for sheet in load_workbook(io.BytesIO(data)).worksheets
        ]
    if format_ == "pdf":
        return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages]
    return data


def withdraw(access: Access, *rights: Permission) -> None:
    access.permissions = sorted(set(access.permissions) - {right.value for right in rights})
    access.save()


@pytest.mark.parametrize("locale", ["", "ja"])
def test_a_file_made_by_a_job_is_the_file_made_at_once(
    client: FlaskClient, app: Flask, viewer: User, monkeypatch: pytest.MonkeyPatch, locale: str
) -> None:
    User.update(locale=locale).where(User.id == viewer.id).execute()
    queries = dict.fromkeys(FORMATS, ADDRESS) | {"csv": f"{ADDRESS}&kind=chat&sort=-start"}
    pages = {
        format_: order(client, format_, queries[format_])
        for format_ in FORMATS
        if locale != "ja" or format_ == "pdf"
    }
    work(app)
    made = {format_: client.get(f"{page}/file") for format_, page in pages.items()}
    monkeypatch.setattr(deliver, "AT_ONCE", AT_ONCE)
    for format_, answer in made.items():
        at_once = client.get(f"/tracing.{format_}?{queries[format_]}")
        assert at_once.status_code == answer.status_code == 200
        assert cells(format_, answer.data) == cells(format_, at_once.data)
        for name in ("Content-Disposition", "Content-Type", "Cache-Control", "X-Content-Type-Options"):
            assert answer.headers[name] == at_once.headers[name]
        assert int(answer.headers["Content-Length"]) == len(answer.data)


def test_the_page_shows_progress_until_the_file_is_there(
    client: FlaskClient, app: Flask, viewer: User
) -> None:
    url = order(client, "csv")
    waiting = client.get(url)
    assert "<progress" in waiting.text
    assert waiting.headers["Refresh"] == f"3; url={url}"
    assert client.get(f"{url}/file").status_code == 404
    work(app)
    ready = client.get(url)
    assert "Refresh" not in ready.headers
    assert "The file is ready" in ready.text
    assert "7 rows." in ready.text
    for page in (waiting, ready):
        assert "<h1>User tracing · CSV export</h1>" in page.text
        assert page.text.count(f'href="/tracing?{html.escape(TRACED)}"') == 2, "the path and a button"
    assert f"{url}/file" in Page(ready.text).links()
    part = client.get(url, headers={"HX-Request": "true", "HX-Target": "progress"}).text.strip()
    assert part.startswith('<section class="panel" id="progress"')
    assert part in ready.text


def test_a_right_withdrawn_before_the_making_fails_visibly(
    client: FlaskClient, app: Flask, viewer: User
) -> None:
    url = order(client, "csv")
    withdraw(viewer.access, Permission.TRACING_EXPORT_DATA)
    work(app)
    job = Job.get(Job.kind == "export")
    assert (job.state, job.attempts) == ("failed", 1)
    assert "be created</h2>" in client.get(url).text
    assert client.get(f"{url}/file").status_code == 404


@pytest.mark.parametrize("loss", ["right", "scope", "view"])
def test_a_right_withdrawn_before_the_download_is_refused(
    client: FlaskClient, app: Flask, viewer: User, loss: str
) -> None:
    url = order(client, "xlsx")
    work(app)
    assert client.get(f"{url}/file").status_code == 200
    if loss == "scope":
        viewer.access.grants[0].delete_instance()
    else:
        withdraw(
            viewer.access, Permission.TRACING_EXPORT_DATA if loss == "right" else Permission.TRACING_VIEW
        )
    assert client.get(f"{url}/file").status_code == 403


NARROWED = {
    "contacts": lambda access: withdraw(access, Permission.PII_UNMASK),
    "queues": lambda access: access.grants.where(AccessGrant.kind == "all_queues").get().delete_instance(),
    "users": lambda access: access.grants.where(AccessGrant.kind == "all_users").get().delete_instance(),
}


@pytest.mark.parametrize("loss", NARROWED)
def test_a_file_of_a_list_is_refused_to_who_would_see_less_of_it_now(
    client: FlaskClient, app: Flask, viewer: User, loss: str
) -> None:
    answer = client.get(f"/interactions.csv?from={DAY}&to={DAY}")
    url = answer.headers["Location"]
    work(app)
    assert client.get(f"{url}/file").status_code == 200
    NARROWED[loss](viewer.access)
    assert client.get(f"{url}/file").status_code == 403
    viewer.access.permissions = sorted(Permission)
    viewer.access.save()
    for kind in ("all_users", "all_queues"):
        AccessGrant.create(access=viewer.access, kind=kind)
    assert client.get(f"{url}/file").status_code == 200


def test_nobody_elses_file_is_found(client: FlaskClient, app: Flask, viewer: User) -> None:
    url = order(client, "csv")
    work(app)
    make.sign_in(client, make.administrator())
    for path in (
        url,
        f"{url}/file",
        "/exports/absent",
        "/exports/absent/file",
        f"/exports/{'x' * 300}",
    ):
        assert client.get(path).status_code == 404, path
    client.delete_cookie("stopa")
    assert client.get(f"{url}/file").headers["Location"].startswith("/sign-in?next=/exports/")


def test_a_file_is_kept_for_a_day(
    client: FlaskClient, app: Flask, viewer: User, evening: time_machine.Traveller
) -> None:
    url = order(client, "csv")
    work(app)
    evening.shift(24 * 3600 - 1)
    make.sign_in(client, viewer)
    assert client.get(f"{url}/file").status_code == 200
    evening.shift(1)
    assert client.get(url).status_code == client.get(f"{url}/file").status_code == 404


def test_a_deactivated_user_gets_no_file(client: FlaskClient, app: Flask, viewer: User) -> None:
    first = order(client, "csv")
    work(app)
    order(client, "csv")
    User.update(deactivated_ts=clock.now_s()).where(User.id == viewer.id).execute()
    work(app)
    assert [job.state for job in Job.select().where(Job.kind == "export").order_by(Job.id)] == [
        "done",
        "failed",
    ]
    assert client.get(f"{first}/file").headers["Location"].startswith("/sign-in")


def test_too_many_rows_end_the_job_at_once(
    client: FlaskClient, app: Flask, viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list may grow between the question and the making; trying again would not help."""
    url = order(client, "pdf")
    monkeypatch.setattr(pdf, "LIMIT", 3)
    work(app)
    job = Job.get(Job.kind == "export")
    assert (job.state, job.attempts) == ("failed", 1)
    assert "3" in job.error
    assert "be created</h2>" in client.get(url).text


def test_a_file_made_twice_is_one_file(client: FlaskClient, app: Flask, viewer: User) -> None:
    url = order(client, "csv")
    work(app)
    first = client.get(f"{url}/file").data
    Job.update(state="waiting").where(Job.kind == "export").execute()
    work(app)
    assert client.get(f"{url}/file").data == first


def test_orders_and_downloads_are_in_the_audit_log(client: FlaskClient, app: Flask, viewer: User) -> None:
    url = order(client, "csv", f"{ADDRESS}&password=hunter2")
    work(app)
    data = client.get(f"{url}/file").data
    ordered, downloaded = (
        AuditEntry.get(AuditEntry.action == action) for action in ("tracing.exported", "export.downloaded")
    )
    assert ordered.details == {"user": "jana", "unit": "day", "date": DAY, "tz": "Europe/Prague", "rows": 7}
    for entry in (ordered, downloaded):
        assert (entry.actor_type, entry.actor_id, entry.crud, entry.outcome) == (
            "user",
            viewer.id,
            "r",
            "success",
        )
        assert (entry.target_type, entry.target_id) == ("export", url.rpartition("/")[2])
        assert entry.target_label == f"stopa-tracing-jana-{DAY}.csv"
        assert entry.request_id
        assert entry.ip == "127.0.0.1"
    assert downloaded.details == {"rows": 7, "sha256": hashlib.sha256(data).hexdigest()}
