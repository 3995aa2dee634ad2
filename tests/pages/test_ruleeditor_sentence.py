"""The sentence above the editor says what has been typed, and "…" for what has not."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from dashboard.access import scope as scopes
from dashboard.pages.ruleeditor import form, preview
from tests import make

NOTIFY = {"do": "notify", "title": "T", "to": {"roles": ["owner"]}}
MAIL = {"do": "email", "subject": "S", "text": "T"}
PRIORITY = {"field": "data.priority", "op": "is", "value": "high"}

# What is typed besides the event type → what the sentence says after "When “Ticket created” occurs, ".
TYPED: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({}, "then … (choose an action)."),
    "an action without a name": ({"then": [{"do": ""}]}, "then … (choose an action)."),
    "a second action without a name": (
        {"then": [NOTIFY, {"do": ""}]},
        "then notify the rule's owner, then … (choose an action).",
    ),
    "a notification to nobody": ({"then": [{**NOTIFY, "to": {}}]}, "then notify nobody yet."),
    "a notification without a title": (
        {"then": [{**NOTIFY, "title": ""}]},
        "then notify the rule's owner.",
    ),
    "an email to nobody": ({"then": [MAIL]}, "then send an email to nobody yet."),
    "a webhook without a channel": ({"then": [{"do": "webhook"}]}, "then call … (choose a channel)."),
    "a chat without a channel": (
        {"then": [{"do": "chat", "text": "T"}]},
        "then write to … (choose a channel).",
    ),
    "tags without a tag": ({"then": [{"do": "tag", "tags": []}]}, "then add the tags …."),
    "an event without a name": ({"then": [{"do": "emit"}]}, "then record the event …."),
    "a condition without a value": (
        {"if": {"all": [{"field": "data.priority", "op": "is", "value": ""}]}, "then": [NOTIFY]},
        "if Priority is … (incomplete), then notify the rule's owner.",
    ),
    "a condition without an operator": (
        {"if": {"all": [{"field": "data.priority", "op": ""}]}, "then": [NOTIFY]},
        "if Priority … (incomplete), then notify the rule's owner.",
    ),
    "a condition without a field": (
        {"if": {"all": [{"field": "", "op": ""}]}, "then": [NOTIFY]},
        "if … (incomplete), then notify the rule's owner.",
    ),
    "an open condition among others": (
        {
            "if": {"all": [PRIORITY, {"any": [PRIORITY, {"field": "data.priority", "op": ""}]}]},
            "then": [NOTIFY],
        },
        "if Priority is high and (Priority is high or Priority … (incomplete)), then notify the rule's owner",
    ),
    "an empty group": (
        {"if": {"all": [PRIORITY, {"any": []}]}, "then": [NOTIFY]},
        "then notify the rule's owner",
    ),
}


@pytest.mark.parametrize("name", TYPED)
def test_sentence_says_only_what_is_typed(name: str, app: Flask) -> None:
    raw, expected = TYPED[name]
    scope = scopes.of_user(make.administrator())
    typed = form.typed({"types": ["ticket.created"], **raw})["definition"]
    with app.test_request_context():
        said = preview.sentence(typed, scope)
    assert said.startswith("When “Ticket created” occurs, ")
    assert expected in said
