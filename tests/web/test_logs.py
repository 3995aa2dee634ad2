"""The log of a process: its level, a line for each request, and files while the database is away."""

from __future__ import annotations

import io
import json
import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from typing import Any

import peewee
import pytest
from flask import Flask

from dashboard.access import guard
from dashboard.db import database
from dashboard.settings import Settings
from dashboard.web import logs
from tests.api import custom


def test_at_debug_each_request_is_one_line_without_its_query(
    new_app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "stopa")  # and back again after the test
    logs.init(new_app, settings("debug"))
    client = new_app.test_client()
    answers = [
        client.get("/sign-in?next=/users%3Fq%3DNovak"),
        client.get("/nothing%0aERROR here"),
        client.post("/api/v1/events", json=custom()),
    ]
    lines = [record.getMessage() for record in caplog.records if record.name == "stopa.request"]
    lines = lines[1::2]  # the application of the tests has a log of its own inside
    assert [line.split()[1] for line in lines] == ["GET", "GET", "POST"]
    for line, answer in zip(lines, answers, strict=True):
        assert re.fullmatch(r"127\.0\.0\.1 \w+ '/[^\n]*' \d+ (\d+|-) B \d+ ms", line), line
        assert f" {answer.status_code} {answer.content_length} B " in line
        assert "Novak" not in line


def test_what_a_client_sent_begins_no_line_and_loses_none() -> None:
    sent = "é\r\nERROR \x1b[2J \ud800"
    record = logging.LogRecord("stopa", logging.WARNING, "", 0, "refused: %s", (sent,), None)
    assert logs._name_request(record)
    line = logs.TextFormatter(logs.TEXT).format(record)
    assert line.endswith(" - refused: é\\r\\nERROR \\x1b[2J \\ud800")
    line = logs.JsonFormatter().format(record)
    assert (line.count("\n"), json.loads(line)["message"]) == (0, "refused: é\r\nERROR \x1b[2J \\ud800")


def settings(level: str = "info", **more: Any) -> Settings:
    return Settings(database="sqlite:///x.db", secret_key="0" * 32, log_level=level, **more)


@contextmanager
def written() -> Iterator[io.StringIO]:
    """What the log writes to standard error, without the handlers and levels of the tests."""
    root, ours = logging.getLogger(), logging.getLogger("stopa")
    before, handlers, stream = (root.level, ours.level), root.handlers, io.StringIO()
    root.handlers = []
    try:
        with redirect_stderr(stream):
            yield stream
    finally:
        root.handlers = handlers
        root.setLevel(before[0])
        ours.setLevel(before[1])


@pytest.mark.parametrize("format_", ["text", "json"])
def test_lines_of_a_request_carry_its_number_and_a_slow_one_is_a_warning(
    new_app: Flask, format_: str
) -> None:
    @new_app.get("/slow")
    @guard.public
    def slow() -> str:
        time.sleep(0.03)
        logging.getLogger("stopa.test").error("one\ntwo %s", "řádek")
        return "done"

    with written() as stream:
        logs.init(new_app, settings(log_format=format_, slow_request_ms=20))
        client = new_app.test_client()
        client.get("/slow?name=Novak")
        client.get("/static/app.css").close()
        logging.getLogger("stopa.worker").warning("outside")
    text = stream.getvalue()
    assert "Novak" not in text
    assert "app.css" not in text
    if format_ == "text":
        inside, after = re.findall(r" stopa\.(?:test|request) ([0-9a-f]{16}) ", text)
        assert (inside, " stopa.worker - outside" in text) == (after, True)
        return
    error, warning, outside = map(json.loads, text.splitlines())
    assert (error["message"], error["level"], error["logger"]) == ("one\ntwo řádek", "error", "stopa.test")
    assert re.fullmatch(r"[0-9a-f]{16}", error["request"])
    assert (warning["request"], warning["level"]) == (error["request"], "warning")
    assert (warning["method"], warning["path"], warning["status"]) == ("GET", "/slow", 200)
    assert warning["ms"] >= 30
    assert (outside["request"], outside["message"]) == ("-", "outside")


@pytest.mark.parametrize(
    ("level", "stopa", "libraries"),
    [("debug", "DEBUG", "INFO"), ("info", "INFO", "INFO"), ("error", "ERROR", "ERROR")],
)
def test_the_level_is_that_of_the_setting(level: str, stopa: str, libraries: str) -> None:
    root, ours = logging.getLogger(), logging.getLogger("stopa")
    with written():
        logs.init(Flask("logging"), settings(level))
        assert (logging.getLevelName(ours.level), logging.getLevelName(root.level)) == (stopa, libraries)


def test_files_are_served_and_errors_have_their_style_while_the_database_is_away(app: Flask) -> None:
    database.close()
    database.initialize(peewee.SqliteDatabase("/no/such/folder/stopa.db"))
    client = app.test_client()
    for path in ("/static/app.css", "/static/vendor/htmx.js"):
        answer = client.get(path, headers={"Cookie": "stopa=some; stopa_form=thing"})
        assert answer.status_code == 200, path
        answer.close()
    page = client.get("/sign-in")
    assert page.status_code == 503
    assert "/static/app.css?v=" in page.text
