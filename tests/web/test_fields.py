"""Fields of resource pages: what they make of what a browser sends, and of what is stored."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict

from dashboard.web.fields import (
    Check,
    Choice,
    ChoiceOfId,
    Form,
    Ids,
    Password,
    TextLine,
    WholeNumber,
    WriteOnly,
    time_zone,
)

CHANNELS = {"call": "Call", "email": "E-mail"}
LEFT_OUT = None


class SampleForm(Form):
    name = TextLine("Name", 10)
    note = TextLine("Note", 10, needed=False)
    code = TextLine("Code", 4, fits=str.isupper, problem="Write capitals.")
    zone = time_zone("Zone", needed=False)
    limit = WholeNumber("Limit", 1, 60, default=20)
    most = WholeNumber("Most", 1, 60, needed=False)
    channel = Choice("Channel", CHANNELS, default="call", problem="Choose a channel.")
    access = ChoiceOfId("Access", none="None", problem="Choose an access.")
    teams = Ids("Teams", name="team")
    paid = Check("Paid")
    secret = WriteOnly("Secret")
    password = Password("Password")


@pytest.fixture(autouse=True)
def request_of_a_page(app: Flask) -> Iterator[None]:
    with app.test_request_context():
        yield


def sent(**changes: str | list[str] | None) -> SampleForm:
    """Return the form as sent with some fields changed, or left out where the value is None."""
    fields: dict[str, str | list[str] | None] = {"name": "Ann", "code": "AB", "limit": "5", "channel": "call"}
    fields |= changes
    pairs = [
        (name, each)
        for name, value in fields.items()
        if value is not None
        for each in ([value] if isinstance(value, str) else value)
    ]
    form = SampleForm(
        MultiDict(pairs), data={"channel": "fax", "name": "Stored", "secret": "x", "version": 3}
    )
    form.access.offer([(7, "Agents")])
    return form


GOOD = [
    ("name", "  Ann ", "Ann"),
    ("note", LEFT_OUT, ""),
    ("code", "ABCD", "ABCD"),
    ("zone", "Europe/Prague", "Europe/Prague"),
    ("zone", "", ""),
    ("limit", "60", 60),
    ("most", "", None),
    ("channel", "fax", "fax"),  # what is stored stays allowed
    ("access", "7", 7),
    ("access", "", None),
    ("team", ["1", "x", "0", "2"], frozenset({1, 2})),
    ("paid", "1", True),
    ("paid", LEFT_OUT, False),
    ("secret", " s ", "s"),
    ("secret", LEFT_OUT, ""),
    ("password", " p ", " p "),
]


@pytest.mark.parametrize(("name", "value", "stored"), GOOD)
def test_a_good_value_becomes_what_is_stored(
    name: str, value: str | list[str] | None, stored: object
) -> None:
    form = sent(**{name: value})
    assert form.validate(), form.problems
    assert form.values()["teams" if name == "team" else name] == stored


BAD = [
    ("name", "", "Enter 1 to 10 characters."),
    ("name", LEFT_OUT, "Enter 1 to 10 characters."),
    ("name", "x" * 11, "Enter 1 to 10 characters."),
    ("name", "a\tb", "Remove control characters."),
    ("note", "x" * 11, "Enter 0 to 10 characters."),
    ("code", "ab", "Write capitals."),
    ("code", "", "Write capitals."),
    ("code", "ABCDE", "Write capitals."),
    ("zone", "Mars/Base", "Choose a time zone from the list, such as Europe/Prague."),
    ("limit", "", "Enter a whole number from 1 to 60."),
    ("limit", "0", "Enter a whole number from 1 to 60."),
    ("limit", "１０", "Enter a whole number from 1 to 60."),
    ("limit", "1e1", "Enter a whole number from 1 to 60."),
    ("most", "61", "Enter a whole number from 1 to 60."),
    ("channel", "pigeon", "Choose a channel."),
    ("channel", LEFT_OUT, "Choose a channel."),
    ("access", "8", "Choose an access."),
    ("access", "x", "Choose an access."),
]


@pytest.mark.parametrize(("name", "value", "problem"), BAD)
def test_a_bad_value_has_one_message_and_is_shown_as_typed(
    name: str, value: str | None, problem: str
) -> None:
    form = sent(**{name: value})
    assert not form.validate()
    assert form.problems == {name: problem}
    if name in ("name", "limit") and value:
        assert str(form[name].value) == value


def test_what_is_write_only_is_never_shown() -> None:
    form = sent(secret="typed", password="typed")
    assert (form.secret.value, form.password.value) == ("", "")
    assert (SampleForm(data={"secret": "stored"}).secret.value, form.secret.data) == ("", "typed")


@pytest.mark.parametrize(("typed", "version"), [("3", 3), ("", 0), ("-1", 0), ("99999999999", 0), (None, 0)])
def test_a_version_that_is_none_is_zero(typed: str | None, version: int) -> None:
    assert sent(version=typed).version.data == version


def test_an_error_of_the_whole_form_stands_beside_those_of_fields() -> None:
    form = sent(name="")
    form.validate()
    form.reject("", "Not now.")
    form.reject("teams", "Too many.")
    assert form.problems == {
        "name": "Enter 1 to 10 characters.",
        "team": "Too many.",
        "": "Not now.",
    }
