"""A full day is two pages of PDF and a full week at most ten, also in the languages with long words."""

from __future__ import annotations

import io
import re

import pypdf
import pytest
import time_machine
from flask.testing import FlaskClient

from dashboard.models import User
from dashboard.web import deliver
from tests import make
from tests.pages import trail
from tests.pages.files import fetch

KINDS = (
    ("call", {"queue": "Support CZ", "direction": "in", "contact": {"phone": "+420601234567"}}),
    ("email", {"queue": "Support e-mail", "contact": {"email": "novak@example.org"}}),
    ("chat", {"queue": "Messengers", "channel": "messenger", "contact": {"phone": "+420601234567"}}),
    ("email", {"queue": "Support e-mail", "contact": {"name": "Jana Nováková"}}),
    ("call", {"direction": "out", "contact": {"phone": "+420601234567"}}),
)
ROWS = 78
WEEK = 5


def full_day(date: int) -> list[trail.NewEvent]:
    """Return the events of 77 activities and a pause."""
    day = trail.at(f"2026-03-{date:02} 08:00")
    events = trail.stay(day, day + 36_000) + trail.pause("Lunch", day + 18_000, day + 19_000)
    for n in range(ROWS - 1):
        kind, more = KINDS[n % len(KINDS)]
        start = day + 300 + 440 * n
        events += trail.work(kind, f"{kind}-{date}-{n}", start, start + 360 + n, **more)
        if kind == "call":
            events.append(trail.event("call.connected", start + 6, interaction=f"call-{date}-{n}"))
    return events


def printed(client: FlaskClient, **query: object) -> tuple[list[str], list[bool]]:
    """Return the text of each page, and which are upright."""
    pages = pypdf.PdfReader(io.BytesIO(fetch(client, "pdf", **query).data)).pages
    return [page.extract_text() for page in pages], [
        page.mediabox.height > page.mediabox.width for page in pages
    ]


def test_a_full_day_takes_two_pages_and_a_full_week_ten(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "AT_ONCE", {"pdf": ROWS * WEEK})
    with time_machine.travel(trail.at("2026-03-09 08:00"), tick=False):
        trail.store(*[full_day(date) for date in range(2, 2 + WEEK)])
        viewer = make.administrator()
        make.sign_in(client, viewer)
        for locale, unit, heading in (
            ("cs", "day", "Kontakt"),
            ("ja", "day", "連絡先"),
            ("ja", "week", "連絡先"),
        ):
            User.update(locale=locale).where(User.id == viewer.id).execute()
            pages, upright = printed(client, unit=unit)
            front = [False, False] if unit == "week" else []
            assert upright == front + [True] * (len(pages) - len(front)), (locale, unit)
            assert len(pages) <= (10 if unit == "week" else 2), (locale, unit)
            assert [page.count(heading) for page in pages] == list(map(int, upright)), (
                "each list has its heading"
            )
            starts = [re.findall(r"^[01]\d:\d\d:\d\d", page, re.MULTILINE) for page in pages[len(front) :]]
            assert sum(map(len, starts)) == ROWS * (WEEK if unit == "week" else 1), "a start begins each row"
            assert min(map(len, starts)) > 2, "no page holds little but the total"
