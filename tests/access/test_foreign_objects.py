"""What is outside the viewer's scope is as absent: same status, same page, for each role, route and form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from dashboard import clock
from dashboard.access.permissions import PRESETS, Preset
from dashboard.models import (
    Activity,
    Backtest,
    ExportFile,
    Interaction,
    Notification,
    Profile,
    Rule,
    Run,
    Source,
    Team,
    TeamLead,
    TeamMember,
    User,
)
from tests import make
from tests.access.test_matrix import ABSENT, HTMX, filled, person
from tests.notify import steps
from tests.pages import trail

pytestmark = pytest.mark.both_databases


@pytest.fixture(autouse=True)
def still() -> Iterator[None]:
    """Hold the clock, which stands in the tokens of forms."""
    with time_machine.travel(trail.at("2026-03-02 20:00"), tick=False):
        yield


Objects = dict[str, Any]
# The areas in which a role sees the object of a stranger.
SEES = {
    "Administrator": {"users", "teams", "interactions", "tracing", "ruleruns", "ruleeditor", "rules"},
    "Auditor": {"teams"},  # which teams there are, not who is in them
    "Team lead": {"interactions"},  # of all queues, without the names of other teams' members
}
HIDDEN_FROM = {"Agent", "Auditor", "Team lead"}  # roles whose scope holds no strangers
TABLES = (
    ExportFile,
    Notification,
    Profile,
    Interaction,
    Activity,
    Team,
    TeamMember,
    Rule,
    Backtest,
    Run,
    User,
)


def strangers_objects() -> Objects:
    """Make one object of each kind that belongs to a stranger, and return their ids by endpoint."""
    stranger = make.user("stranger")
    trail.store(trail.work("call", "c-1", "09:00", "09:10", "stranger", queue="foreign", direction="in"))
    rule = steps.rule(owner_id=stranger.id, name="Foreign rule")
    subject = f"interaction:{Source.get(Source.name == 'pbx').name}:c-1"
    now = clock.now_s()
    file = ExportFile.create(
        id="foreign-file",
        user_id=stranger.id,
        maker="tracing",
        format="csv",
        locale="en",
        name="foreign.csv",
        sha256="0" * 64,
        created_ts=now,
        expires_ts=now + 3600,
    )
    team = Team.create(name="Foreign team")
    TeamMember.create(team=team, user=stranger)
    backtest = Backtest.create(
        user_id=stranger.id,
        rule_id=rule.id,
        owner_id=stranger.id,
        name="Foreign",
        definition=rule.definition,
        days=1,
        start_ms=0,
        end_ms=1,
        created_ts=now,
    )
    profile = Profile.create(user_id=stranger.id, name="Foreign profile")
    return {
        "exports": file.id,
        "inbox.show": Notification.create(user_id=stranger.id, title="Foreign", made_ms=now * 1000).id,
        "inbox.follow": Notification.get().id,
        "inbox.profiles_edit": profile.id,
        "inbox.profiles_update": profile.id,
        "inbox.profiles_delete": profile.id,
        "inbox.default_profile": profile.id,
        "inbox.unmute": rule.id,
        "interactions": Interaction.get().id,
        "ruleeditor": rule.id,
        "rules": rule.id,
        "ruleruns": rule.id,
        "ruleruns.result": backtest.id,
        "ruleruns.run": steps.run(rule, subject=subject).id,
        "teams": team.id,
        "tracing.show": Activity.get().id,
        "tracing.record_manual": Activity.get().id,
        "users": stranger.id,
    }


def routes(app: Flask, objects: Objects) -> Iterator[tuple[str, str, str, str]]:
    """Yield endpoint, method, and the addresses of the stranger's object and of none."""
    for rule in app.url_map.iter_rules():
        area = rule.endpoint.partition(".")[0]
        ident = objects.get(rule.endpoint) or objects.get(area)
        if "ident" in rule.arguments and ident is not None and "group" not in rule.endpoint:
            for method in sorted((rule.methods or set()) & {"GET", "POST"}):
                yield rule.endpoint, method, filled(rule, ident), filled(rule, ABSENT)


def answered(client: FlaskClient, method: str, path: str) -> list[tuple[int, str, str]]:
    """Return what page and fragment answer, without their own address and the number of the request."""
    found = []
    for headers in ({}, HTMX):
        answer = client.open(path, method=method, headers=headers)
        text = re.sub(r"\b[0-9a-f]{16}\b", "", answer.text)
        for own in (path, quote(path, safe="")):
            text = text.replace(own, "PATH")
        found.append((answer.status_code, answer.headers.get("Location", ""), text))
    return found


def stored() -> list[list[tuple[Any, ...]]]:
    return [sorted(model.select().tuples(), key=str) for model in TABLES]


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_foreign_object_is_as_absent_and_stays_as_it_is(
    client: FlaskClient, app: Flask, preset: Preset
) -> None:
    viewer, objects = person(preset.name), strangers_objects()
    lead(viewer)
    make.sign_in(client, viewer)
    before, seen, asked = stored(), SEES.get(preset.name, set()), 0
    for endpoint, method, foreign, absent in routes(app, objects):
        if endpoint.partition(".")[0] in seen:
            continue
        answers = answered(client, method, foreign)
        assert answers == answered(client, method, absent), (endpoint, method)
        assert {status for status, _location, _text in answers} <= {403, 404}, (endpoint, method)
        asked += 1
    assert asked >= 9
    assert stored() == before


@pytest.mark.parametrize("preset", sorted(HIDDEN_FROM))
def test_the_name_of_a_foreign_user_is_on_no_page_of_what_is_seen(
    client: FlaskClient, app: Flask, preset: str
) -> None:
    viewer, objects = person(preset), strangers_objects()
    lead(viewer)
    make.sign_in(client, viewer)
    for _endpoint, method, foreign, _absent in routes(app, objects):
        if method == "GET":
            assert "Stranger" not in client.get(foreign).text, foreign


def lead(viewer: User) -> None:
    """Make a team that the viewer leads, with one member, beside the stranger's."""
    team = Team.create(name="Own team")
    TeamMember.create(team=team, user=make.user("member"))
    TeamLead.create(team=team, user=viewer)
