"""Headers of every answer, what is switched off, and what a client's own headers cannot do."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboard.access.guard import public
from dashboard.models import AuditEntry
from tests import make
from tests.pages import trail
from tests.pages.html import Page

EVIL = "evil.example"


@pytest.fixture
def broken(new_app: Flask) -> Flask:
    """The application with a page and an address of the interface that fail."""

    @public
    def boom() -> str:
        raise RuntimeError("secret detail of ours")

    new_app.add_url_rule("/boom", "boom", boom)
    new_app.add_url_rule("/api/v1/boom", "api-boom", boom)
    return new_app


def answers(client: FlaskClient) -> dict[str, TestResponse]:
    """Return an answer of every kind: pages, fragments, files, errors."""
    htmx = {"HX-Request": "true", "HX-Target": "result"}
    return {
        "page": client.get("/tracing"),
        "fragment": client.get("/tracing", headers=htmx),
        "file": client.get("/tracing.csv"),
        "redirect": client.get("/language/en"),
        "not found": client.get("/nothing"),
        "wrong method": client.delete("/tracing"),
        "bad address": client.get("/tracing?date=x"),
        "bad form": client.post("/users/new", data={}),
        "interface": client.get("/api/v1/events"),
        "interface, not found": client.get("/api/v1/nothing"),
        "crash": client.get("/boom"),
        "health": client.get("/healthz"),
        "static, not found": client.get("/static/nothing.css"),
        "options": client.options("/tracing"),
        "head": client.head("/tracing"),
    }


def test_every_answer_carries_the_headers(broken: Flask) -> None:
    client = broken.test_client()
    make.sign_in(client, make.administrator())
    found = answers(client)
    client.delete_cookie("stopa")
    found |= {
        "sign-in": client.get("/sign-in"),
        "401": client.get("/users"),
        "public file": client.get("/tracing.pdf"),
    }
    for name, answer in found.items():
        headers = answer.headers
        policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'", name
        assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'", name
        assert policy["font-src"] == "'self'", name
        assert "unsafe" not in headers["Content-Security-Policy"], name
        assert headers["X-Content-Type-Options"] == "nosniff", name
        assert headers["Cache-Control"] == "no-store", name
        assert {"HX-Request", "Cookie", "Accept-Language"} <= set(headers["Vary"].split(", ")), name
        assert headers["Referrer-Policy"] == "same-origin", name
        assert "charset=utf-8" in headers["Content-Type"] or answer.mimetype == "application/json", name
        assert "Access-Control-Allow-Origin" not in headers, name
        assert "Strict-Transport-Security" not in headers, name


def test_static_files_may_be_kept_when_their_address_names_their_content(client: FlaskClient) -> None:
    make.administrator(password="correct horse")
    page = Page(client.get("/sign-in").text)
    style = next(one.attributes["href"] for one in page.elements if one.attributes.get("rel") == "stylesheet")
    kept, asked_again, script = (
        _closed(client.get(url)) for url in (style, "/static/app.css", "/static/vendor/htmx.js")
    )
    assert kept.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert kept.headers["X-Content-Type-Options"] == "nosniff"
    assert asked_again.headers["Cache-Control"] == "no-cache"
    assert script.mimetype == "text/javascript"
    for path in ("../wsgi.py", "%2e%2e/wsgi.py", "..%2fwsgi.py", "/etc/passwd", ".git/config"):
        assert client.get(f"/static/{path}").status_code == 404, path


def _closed(answer: TestResponse) -> TestResponse:
    assert answer.status_code == 200
    answer.close()
    return answer


def test_internal_error_shows_its_number_and_nothing_else(
    broken: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    client = broken.test_client()
    for path in ("/boom?debug=1", "/api/v1/boom"):
        caplog.clear()
        answer = client.get(path)
        assert answer.status_code == 500
        for word in ("secret detail", "Traceback", "RuntimeError", "werkzeug", ".py"):
            assert word not in answer.text, word
        (logged,) = caplog.records
        number = logged.getMessage().split()[1]
        assert len(number) == 16
        assert number in answer.text
    assert answer.json["request"] == number


def test_a_line_break_in_an_address_is_one_line_of_the_log(
    broken: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    @public
    def worse(name: str) -> str:
        raise RuntimeError

    broken.add_url_rule("/boom/<name>", "worse", worse)
    broken.test_client().get("/boom/a%0aERROR%20forged%20%1b[31m")
    (logged,) = caplog.records
    assert "\n" not in logged.getMessage()
    assert "\x1b" not in logged.getMessage()


@pytest.mark.parametrize(
    "path",
    ["/console", "/.git/config", "/.env", "/wsgi.py", "/server-status", "/admin", "/static/", "/exports/"],
)
def test_nothing_is_found_that_is_not_offered(client: FlaskClient, path: str) -> None:
    make.sign_in(client, make.administrator())
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "PROPFIND", "PUT", "QUERY"])
def test_no_other_method_is_answered(client: FlaskClient, method: str) -> None:
    make.sign_in(client, make.administrator())
    for path in ("/tracing", "/sign-in", "/api/v1/events", "/"):
        answer = client.open(path, method=method, headers={"X-Probe": "mirror"})
        assert answer.status_code == 405
        assert "mirror" not in answer.text


def test_a_header_does_not_change_the_method(client: FlaskClient) -> None:
    make.sign_in(client, make.administrator())
    override = {"X-HTTP-Method-Override": "POST", "X-Method-Override": "POST"}
    assert client.get("/sign-out", headers=override, query_string={"_method": "POST"}).status_code == 405
    assert client.get("/account").status_code == 200


def test_the_host_that_a_client_names_is_in_no_page_or_redirect(app: Flask) -> None:
    trail.store(trail.ordinary())
    headers = {
        "Host": EVIL,
        "X-Forwarded-Host": EVIL,
        "X-Forwarded-Proto": "https",
        "Forwarded": f"host={EVIL}",
    }
    token = make.sign_in(app.test_client(), make.administrator())
    cookie = {"Cookie": f"stopa={token}"}
    signed_out = ["/", "/sign-in", "/users", "/nothing", "/language/en?next=/users", "/tracing?user=jana"]
    for path in (*signed_out, "/account", "/tracing.csv", "/healthz"):
        for more in ({}, cookie):
            answer = app.test_client().get(path, headers={**headers, **more})
            assert EVIL not in answer.text, path
            assert EVIL not in answer.headers.get("Location", ""), path
            assert "Strict-Transport-Security" not in answer.headers
    doubled = app.test_client().get("/settings//keys", headers={**headers, **cookie})
    assert doubled.status_code == 404


def test_each_answer_has_a_number_of_its_own(client: FlaskClient) -> None:
    make.sign_in(client, make.user(access=make.access()))
    for path in ("/users", "/queues"):
        assert client.get(path).status_code == 403
    first, second = AuditEntry.select()
    assert first.request_id != second.request_id


def test_a_text_that_no_database_keeps_is_refused_everywhere(client: FlaskClient) -> None:
    make.sign_in(client, make.administrator())
    for path in (
        "/tracing?user=a%00b",
        "/exports/%00",
        "/language/%00",
        "/users?q=%00",
        "/tracing.csv?x=%00",
        "/%00",
    ):
        answer = client.get(path)
        assert answer.status_code == 400, path
        assert answer.headers["Cache-Control"] == "no-store"
    for form in ({"login": "a\0b", "password": "x"}, {"login": "x", "password": "a\0"}):
        assert client.post("/sign-in", data=form).status_code == 400
