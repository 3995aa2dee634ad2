"""How a user wants to be told: by mail, by a channel, not in quiet hours, and who else when that fails."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.access.permissions import Permission
from dashboard.models import AuditEntry, Channel, Notification, Profile, User
from tests import make
from tests.pages import asks

P = Permission
URL = "/inbox/profiles"
FORM = {"name": "Shift", "email": "1", "quiet_from": "20:00", "quiet_to": "08:00", "quiet_days": ["6", "7"]}


@pytest.fixture
def me(client: FlaskClient) -> User:
    access = make.access([P.RULES_OUTWARD], ["all_users"])
    user: User = make.user("me", access=access, email="me@example.org")
    make.sign_in(client, user)
    return user


def channel(name: str = "Shift room", **fields: object) -> Channel:
    given = {"kind": "chat", "address": "https://chat.example/s3cret", "created_ts": 1, **fields}
    return Channel.create(name=name, **given)


def profile(user: User, name: str = "Shift", **fields: object) -> Profile:
    return Profile.create(user_id=user.id, name=name, **fields)


def test_the_first_profile_is_the_default_and_audited(client: FlaskClient, me: User) -> None:
    deputy, room = make.user("deputy", access=make.access()), channel()
    data = {**FORM, "channel": str(room.id), "fallback_id": str(deputy.id)}
    assert client.post(f"{URL}/new", data=data).status_code == 302
    row = Profile.get()
    assert (row.user_id, row.is_default, row.email, row.channel_id) == (me.id, True, True, room.id)
    assert (row.quiet_from, row.quiet_to, row.quiet_days, row.fallback_id) == (
        "20:00",
        "08:00",
        [6, 7],
        deputy.id,
    )
    assert asks.audited("profile.created").changes["quiet_days"] == [None, [6, 7]]
    page = client.get(URL).text
    assert "20:00–08:00, Sat, Sun" in page
    assert "Shift room" in page
    assert "s3cret" not in page + client.get(f"{URL}/{row.id}").text


def test_another_profile_is_made_the_default_alone(client: FlaskClient, me: User) -> None:
    first, second = profile(me, is_default=True), profile(me, "Holiday")
    for _ in range(2):
        assert client.post(f"{URL}/{second.id}/default").status_code == 302
    assert [row.id for row in Profile.select().where(Profile.is_default)] == [second.id]
    assert asks.audited("profile.updated").changes == {"is_default": [False, True]}
    assert client.get(f"{URL}/{first.id}").status_code == 200


def test_a_deletion_asks_first_and_leaves_a_default(client: FlaskClient, me: User) -> None:
    first, second = profile(me, is_default=True), profile(me, "Holiday")
    assert "Delete Shift?" in client.get(f"{URL}/{first.id}/delete").text
    assert Profile.select().count() == 2
    assert client.post(f"{URL}/{first.id}/delete").status_code == 302
    assert [(row.id, row.is_default) for row in Profile.select()] == [(second.id, True)]
    asks.audited("profile.deleted")


BAD = [
    ("name", "", "Enter 1 to 120 characters."),
    ("name", "tab\tinside", "Remove control characters."),
    ("channel", "999", "Choose an item from the list."),
    ("channel", "x", "Choose an item from the list."),
    ("fallback_id", "999", "Choose an item from the list."),
    ("quiet_from", "25:00", "Enter a time such as 20:00."),
    ("quiet_from", "", "Enter both times, or leave both empty."),
    ("quiet_to", "", "Enter both times, or leave both empty."),
    ("quiet_to", "20:00", "be the same. For whole days, select the days."),
    ("quiet_days", ["1", "2", "3", "4", "5", "6", "7"], "Keep at least one day."),
]


@pytest.mark.parametrize(("field", "value", "said"), BAD)
def test_a_bad_field_is_named_and_nothing_changes(
    client: FlaskClient, me: User, field: str, value: str, said: str
) -> None:
    answer = client.post(f"{URL}/new", data={**FORM, field: value})
    assert answer.status_code == 422
    assert said in answer.text
    assert f'href="#f-{field}"' in answer.text
    assert (Profile.select().count(), asks.entries()) == (0, 0)


def test_mail_needs_an_address(client: FlaskClient, me: User) -> None:
    User.update(email="").where(User.id == me.id).execute()
    answer = client.post(f"{URL}/new", data=FORM)
    assert (answer.status_code, "Your account has no email address." in answer.text) == (422, True)


def test_channels_are_offered_to_those_who_may_call_out(client: FlaskClient, me: User) -> None:
    room, off = channel(), channel("Closed room", active=False)
    page = client.get(f"{URL}/new").text
    assert "Shift room" in page
    assert "Closed room" not in page
    asks.sign_in_with(client, P.HOME_VIEW)
    assert "Shift room" not in client.get(f"{URL}/new").text
    for ident in (room.id, off.id):
        assert client.post(f"{URL}/new", data={"name": "x", "channel": str(ident)}).status_code == 422


def test_nobody_outside_the_scope_is_offered(client: FlaskClient) -> None:
    stranger = make.user("stranger", name="Strange Person", access=make.access())
    asks.sign_in_with(client, grants=())
    assert "Strange Person" not in client.get(f"{URL}/new").text
    assert client.post(f"{URL}/new", data={"name": "x", "fallback_id": str(stranger.id)}).status_code == 422


def test_later_of_two_editors_is_warned(client: FlaskClient, me: User) -> None:
    row = profile(me, quiet_days=[6])
    client.post(f"{URL}/{row.id}", data={**FORM, "version": "1"})
    late = client.post(f"{URL}/{row.id}", data={"name": "Mine", "quiet_days": ["1", "2"], "version": "1"})
    assert late.status_code == 422
    assert "<td>Sat, Sun</td><td>Mon, Tue</td>" in late.text
    assert Profile.get().name == "Shift"
    assert client.post(f"{URL}/{row.id}", data={"name": "Mine", "version": "2"}).status_code == 302
    assert (Profile.get().name, Profile.get().quiet_days) == ("Mine", [])


def test_profiles_of_others_are_not_found(client: FlaskClient, me: User) -> None:
    theirs = profile(make.user("other"), "Theirs", is_default=True)
    assert "Theirs" not in client.get(URL).text
    for url in (f"{URL}/{theirs.id}", f"{URL}/{theirs.id}/delete", f"{URL}/{2**31}"):
        assert client.get(url).status_code == 404
    for url in (f"{URL}/{theirs.id}", f"{URL}/{theirs.id}/delete", f"{URL}/{theirs.id}/default"):
        assert client.post(url, data=FORM).status_code == 404
    assert (Profile.get().name, asks.entries()) == ("Theirs", 0)


def test_hostile_text_is_shown_as_typed(client: FlaskClient, me: User) -> None:
    row = profile(me, asks.HOSTILE)
    for url in (URL, f"{URL}/{row.id}", f"{URL}/{row.id}/delete"):
        assert asks.SHOWN in client.get(url).text


def is_counted(page: str) -> bool:
    """Say whether the menu shows a number of new notifications."""
    return " hidden" not in page.partition('<span id="news" class="count hot"')[2].partition(">")[0]


def test_two_switches_are_kept_in_the_default_profile(app: Flask, client: FlaskClient, me: User) -> None:
    """Without a mail server or an address the switch of email is off and changes nothing."""
    Notification.create(user_id=me.id, title="Look", made_ms=1)
    User.update(email="").execute()
    assert client.post("/inbox/profile", data={"screen": "1"}).status_code == 302
    assert Profile.get().email, "mail comes as soon as there is a server"
    Profile.delete().execute()
    app.config["STOPA"] = replace(app.config["STOPA"], smtp_url="smtp://127.0.0.1:1")
    page = client.get("/inbox").text
    assert is_counted(page)
    assert " checked" not in client.get(f"{URL}/new").text.partition('name="email"')[2].partition(">")[0]
    assert client.post("/inbox/profile", data={"email": "1", "screen": "1"}).status_code == 302
    assert not Profile.select().exists(), "no address, so no mail"
    User.update(email="me@example.org").execute()
    assert " checked" in client.get(f"{URL}/new").text.partition('name="email"')[2].partition(">")[0]
    for screen, email in ((True, True), (False, False), (False, False), (True, False)):
        data = {"screen": "1"} if screen else {}
        client.post("/inbox/profile", data={**data, **({"email": "1"} if email else {})})
        [row] = list(Profile.select())
        assert (row.user_id, row.is_default, row.screen, row.email) == (me.id, True, screen, email)
        assert is_counted(client.get("/account").text) == screen
        assert ("Look" in client.get("/inbox").text) == screen
        assert "Look" in client.get("/inbox?view=all").text, "kept"
    assert AuditEntry.select().where(AuditEntry.action == "profile.created").count() == 2
    changes = [row.changes for row in AuditEntry.select().where(AuditEntry.action == "profile.updated")]
    assert changes == [{"screen": [True, False], "email": [True, False]}, {"screen": [False, True]}]
