"""Words that events carry are shown in the reader's language: channels, directions, who ended a call."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from dashboard.access.permissions import Permission
from dashboard.models import Event, Run
from tests.pages.asks import sign_in_with
from tests.pages.html import Page
from tests.rules.engine import LOG, event, rule, take

CONDITIONS = {
    "all": [
        {"field": "queue.channel", "op": "one_of", "value": ["call"]},
        {"field": "data.ended_by", "op": "one_of", "value": ["agent"]},
        {"field": "data.direction", "op": "one_of", "value": ["in"]},
        {"field": "user", "op": "is_empty"},
    ]
}
WORDS = {
    "cs": ("Hovor", "operátor", "příchozí"),
    "ja": ("通話", "オペレーター", "着信"),
    "en": ("Call", "agent", "in"),
}


@pytest.mark.parametrize("language", ["en", "cs", "ja"])
def test_no_page_of_a_run_shows_a_stored_word(client: FlaskClient, language: str) -> None:
    made = rule(LOG, types=["call.closed"], **{"if": CONDITIONS})
    data = {"direction": "in", "ended_by": "agent"}
    take(event("call.closed", interaction="c", user="jana", queue="support", data=data))
    sign_in_with(client, Permission.RULES_VIEW, Permission.RULES_TRACES)
    number = Event.get(Event.type == "call.closed").id
    urls = [
        f"/rules/{made.id}/try?event={number}",
        f"/rules/{made.id}/why?event={number}",
        f"/runs/{Run.get().id}",
    ]
    for url in urls:
        text = Page(client.get(url, headers={"Accept-Language": language}).text).text
        for word in WORDS[language]:
            assert word in text, (url, word)
        if language != "en":
            assert re.findall(r"(?<![\w.-])(call|agent|in)(?![\w.-])", text, re.ASCII) == [], url
