"""Names that others collected to break pages and spreadsheets: shown as typed, run nowhere."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pypdf
import pytest
import time_machine
from flask.testing import FlaskClient
from openpyxl import load_workbook

from dashboard.models import Contact, PauseType, Queue, User
from tests import make
from tests.pages import trail
from tests.pages.files import fetch, text_of
from tests.pages.html import Page
from tests.pages.trail import DAY

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="the shared data is not on this machine")


@pytest.fixture(autouse=True)
def evening() -> Iterator[None]:
    with time_machine.travel(trail.at("2026-03-02 20:00"), tick=False):
        yield


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
            trail.work(
                "chat",
                f"x{n}",
                trail.at("00:10") + n,
                trail.at("00:10") + n + 60,
                queue=f"q{n}",
                channel="webchat",
                contact={"name": f"contact {n}"},
            )
            for n in range(len(texts))
        ),
        *(
            trail.event(
                "ticket.updated",
                trail.at("00:10") + n,
                interaction=f"t{n}",
                number=f"T-{n}",
                title=f"title {n}",
            )
            for n in range(len(texts))
        ),
        *trail.pause("lunch", "12:00", "12:30"),
    )
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
        '<img src="file:///etc/passwd">',
        "<script>alert(1)</script>",
        "=1+1",
        '<link rel=attachment href="file:///etc/passwd">',
        "{{ 7 * 7 }}",
        "url(http://127.0.0.1:9/)",
    ]
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
