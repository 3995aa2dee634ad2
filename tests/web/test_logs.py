"""The log of a process: its level, a line for each request, and files while the database is away."""

from __future__ import annotations

import logging
import re

import peewee
import pytest
from flask import Flask

from dashboard.db import database
from dashboard.web import logs
from tests.api import custom


def test_at_debug_each_request_is_one_line_without_its_query(
    new_app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "stopa")  # and back again after the test
    logs.init(new_app, "debug")
    client = new_app.test_client()
    answers = [
        client.get("/sign-in?next=/users%3Fq%3DNovak"),
        client.get("/nothing%0aERROR here"),
        client.post("/api/v1/events", json=custom()),
    ]
    lines = [record.getMessage() for record in caplog.records if record.name == "stopa.request"]
    assert [line.split()[1] for line in lines] == ["GET", "GET", "POST"]
    for line, answer in zip(lines, answers, strict=True):
        assert re.fullmatch(r"127\.0\.0\.1 \w+ '/[^\n]*' \d+ (\d+|-) B \d+ ms [0-9a-f]{16}", line), line
        assert f" {answer.status_code} {answer.content_length} B " in line
        assert "Novak" not in line


@pytest.mark.parametrize(
    ("level", "stopa", "libraries"),
    [("debug", "DEBUG", "INFO"), ("info", "INFO", "INFO"), ("error", "ERROR", "ERROR")],
)
def test_the_level_is_that_of_the_setting(level: str, stopa: str, libraries: str) -> None:
    root, ours = logging.getLogger(), logging.getLogger("stopa")
    before, handlers = (root.level, ours.level), root.handlers
    root.handlers = []  # basicConfig() does nothing beside those of pytest
    try:
        logs.init(Flask("logging"), level)
        assert (logging.getLevelName(ours.level), logging.getLevelName(root.level)) == (stopa, libraries)
    finally:
        root.handlers = handlers
        root.setLevel(before[0])
        ours.setLevel(before[1])


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
