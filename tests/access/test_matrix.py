"""Who gets which answer where: every route, every preset access, known and unknown ids, page and fragment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from dashboard.access import keys, presets
from dashboard.access.permissions import PRESETS, SECTIONS, Permission, Preset
from dashboard.models import Access, Activity, Team, TeamLead, TeamMember, User
from dashboard.reports import ready
from dashboard.sources.catalogue import SOURCES
from tests import make
from tests.pages import trail
from tests.pages.trail import DAY

P = Permission
ABSENT = 987_654
HTMX = {"HX-Request": "true", "HX-Target": "result"}
PUBLIC = {
    "api.description",
    "api.health",
    "htmx",
    "monitoring.metrics",
    "monitoring.ready",
    "signin.callback",
    "signin.create",
    "signin.forgotten",
    "signin.language",
    "signin.new_password",
    "signin.provider",
    "signin.second_step",
    "signin.setup",
    "signin.show",
    "static",
    "visitor",
}
READ = ("events", "tracing", "queue", *SOURCES)
BY_KEY = {**{f"api.{name}": "read" for name in READ}, "ingest.create": "ingest"}
BY_SECRET = {"connect.create": "connector"}  # of a connector, which is no API key
AREAS = {
    "accesses": (P.ACCESSES_VIEW, P.ACCESSES_EDIT),
    "calendars": (P.CALENDARS_VIEW, P.CALENDARS_EDIT),
    "channels": (P.CHANNELS_VIEW, P.CHANNELS_EDIT),
    "connectors": (P.KEYS_VIEW, P.KEYS_EDIT),
    "keys": (P.KEYS_VIEW, P.KEYS_EDIT),
    "managers": (P.KEYS_VIEW, P.KEYS_EDIT),
    "pauses": (P.PAUSES_VIEW, P.PAUSES_EDIT),
    "queues": (P.QUEUES_VIEW, P.QUEUES_EDIT),
    "sites": (P.KEYS_VIEW, P.KEYS_EDIT),
    "sources": (P.KEYS_VIEW, P.KEYS_EDIT),
    "systemevents": (P.SYSTEM_EVENTS_VIEW, P.SYSTEM_EVENTS_EDIT),
    "teams": (P.TEAMS_VIEW, P.TEAMS_EDIT),
    "users": (P.USERS_VIEW, P.USERS_EDIT),
}
LISTS = {P.RULES_OWN, P.RULES_VIEW, P.RULES_OVERSEE}
OWN = {P.RULES_OWN, P.RULES_EDIT}
OTHERS = {
    "audit": {P.AUDIT_VIEW},
    "audit.verify_now": {P.AUDIT_VERIFY},
    "events": {P.EVENTS_VIEW},
    "events.refused": {P.KEYS_VIEW},
    "exports": {P.SELF},
    "attendance": {P.TRACING_VIEW},
    "figures": {P.QUEUES_FIGURES},
    "home": {P.SELF},
    "keys.detail": {P.KEYS_VIEW, P.KEYS_EDIT},
    "home.change_sample": {P.EVENTS_IMPORT},
    "home.mark": {P.ACCESSES_EDIT},
    "home.sample": {P.EVENTS_IMPORT},
    "imports": {P.EVENTS_IMPORT},
    "inbox": {P.SELF},
    "interactions": {P.QUEUES_FIGURES},
    "interactions.erase_contact": {P.CONTACTS_ERASE},
    "users.erase": {P.CONTACTS_ERASE},
    "mydata": {P.SELF},
    "policy": {P.POLICY_EDIT},
    "general": {P.RULES_OPERATE},
    "retention": {P.RETENTION_EDIT},
    "sign_in": {P.ACCESSES_EDIT},
    "interactions.user_events": {P.TRACING_VIEW},
    "reports": set(ready.READERS),
    "dashboards": set(ready.READERS),
    "schedules": set(ready.READERS),
    "search": {P.SELF},
    "sessions": {P.SESSIONS_VIEW},
    "sources.show": {P.KEYS_VIEW},
    "signin": {P.SELF},
    "teamday": {P.TRACING_VIEW},
    "corrections": {P.TRACING_CORRECT},
    "visitors": {P.VISITORS_VIEW},
    "visitors.invite": {P.VISITORS_INVITE},
    "tracing": {P.SELF},
    "tracing.record_manual": OWN,
    "tracing.download": {P.TRACING_EXPORT_PDF, P.TRACING_EXPORT_DATA},
    "operations": {P.RULES_OPERATE},
    "deliveries": {P.RULES_TRACES},
    "deliveries.bulk": {P.CHANNELS_EDIT},
    "rules.index": LISTS,
    "rules.show": LISTS,
    "rules.bulk": LISTS,
    "rules.export": LISTS,
    "rules.delete": OWN,
    "rules.import_file": OWN,
    "rules.read_file": OWN,
    "rules.starter_set": OWN,
    "rules.adopt": {P.RULES_OVERSEE},
    "rules.choose_owner": {P.RULES_OVERSEE},
    "rules.transfer": {P.RULES_OVERSEE},
    "rules.groups_index": {P.RULES_VIEW},
    "rules.pause_group": {P.RULES_OPERATE},
    "rules": {P.RULES_EDIT},
    "ruleruns": {P.RULES_TRACES, P.RULES_OWN},
    "ruleruns.backtest": {P.RULES_BACKTEST},
    "ruleruns.order": {P.RULES_BACKTEST},
    "ruleruns.result": {P.RULES_BACKTEST},
    "ruleeditor": {P.RULES_OWN, P.RULES_EDIT},
    "ruleeditor.invite_visitors": {P.KEYS_EDIT},
    "ruleeditor.edit": {P.RULES_OWN, P.RULES_VIEW, P.RULES_OVERSEE},
    "ruleeditor.versions": {P.RULES_OWN, P.RULES_VIEW, P.RULES_OVERSEE},
}
# Each format of a trace has a right of its own; where there is no queue there are no figures.
ANSWERS = {
    "tracing.download": (200, 403),
    "tracing.pause": (404,),  # none begins at no time
    "interactions.index_file": (200, 403),
    "interactions.user_events_file": (200, 403),
    "figures.download": (200, 403),
    "figures.as_json": (200, 403),
    "attendance.download": (200, 403),
    "events.index_file": (200, 403),
    "events.refused_file": (200, 403),
    "events.refused_save_view": (404,),
    "ruleeditor.create_from_recipe": (404,),
    "ruleruns.subject_save_view": (404, 422),
    "mydata.index_save_view": (404,),
    "sessions.index_file": (200, 403),
    "sessions.actions_file": (200, 403),
    "users.index_file": (200, 403),
    "visitors.past_file": (200, 403),
    "visitors.invitations_file": (200, 403),
    "teamday.download": (200, 403),
    "teamday.download_comparison": (404,),
    "corrections.take_back": (404,),
}


def needs(endpoint: str, method: str) -> set[Permission]:
    """Return the permissions of which one is enough: that of seeing to look, that of editing for the rest."""
    endpoint = re.sub(
        "(index|subject|user_events|refused|actions)_(file|save_view|delete_view)$", r"\1", endpoint
    )
    area, _, verb = endpoint.partition(".")
    if area not in AREAS or endpoint in OTHERS:
        return OTHERS.get(endpoint) or OTHERS[area]
    view, edit = AREAS[area]
    if verb == "index":
        return {view}
    return {view, edit} if (verb, method) == ("edit", "GET") else {edit}


class Route(NamedTuple):
    endpoint: str
    method: str
    path: str


def routes(app: Flask) -> Iterator[Route]:
    """Yield every address of the application that a browser may ask for, with ids of nothing."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint not in PUBLIC and rule.endpoint not in BY_KEY | BY_SECRET:
            for method in sorted((rule.methods or set()) & {"GET", "POST", "PUT", "PATCH", "DELETE"}):
                yield Route(rule.endpoint, method, filled(rule, ABSENT))


def filled(rule: Rule, ident: int) -> str:
    path = rule.rule
    for name in rule.arguments:
        for form in (f"<int:{name}>", f"<{name}>"):
            path = path.replace(form, str(ident))
    assert "<" not in path
    return path


def person(preset: str, login: str = "viewer") -> User:
    presets.make()
    return make.user(login, access=Access.get(Access.name == preset))


def test_every_route_declares_its_permission(app: Flask) -> None:
    """A view without a mark, or with another than the table here, fails; a new page adds its line."""
    for rule in app.url_map.iter_rules():
        marks = getattr(app.view_functions[rule.endpoint], "permissions", None)
        if rule.endpoint in PUBLIC:
            assert not marks, rule
        elif rule.endpoint in BY_KEY | BY_SECRET:
            assert marks == (f"key:{(BY_KEY | BY_SECRET)[rule.endpoint]}",), rule
        else:
            for method in (rule.methods or set()) & {"GET", "POST"}:
                assert set(marks or ()) == needs(rule.endpoint, method), (rule, method)


def test_every_permission_has_a_check_box(app: Flask) -> None:
    offered = [choice.permission for section in SECTIONS for choice in section.choices]
    assert sorted(offered) == sorted(set(Permission) - {P.SELF})


def test_unauthenticated_requests_are_redirected_to_sign_in(client: FlaskClient, app: Flask) -> None:
    make.administrator(password="correct horse")
    for route in routes(app):
        plain = client.open(route.path, method=route.method)
        assert (plain.status_code, plain.headers["Location"].partition("?")[0]) == (302, "/sign-in"), route
        part = client.open(route.path, method=route.method, headers=HTMX)
        assert (part.status_code, part.text) == (401, ""), route
        assert part.headers["HX-Redirect"].startswith("/sign-in"), route


@pytest.mark.both_databases
def test_the_administrator_opens_every_page(client: FlaskClient, app: Flask) -> None:
    opens_only_its_pages(client, app, next(each for each in PRESETS if each.name == "Administrator"))


@pytest.mark.parametrize(
    "preset", [each for each in PRESETS if each.name != "Administrator"], ids=lambda preset: preset.name
)
def test_each_built_in_role_opens_only_its_pages(client: FlaskClient, app: Flask, preset: Preset) -> None:
    opens_only_its_pages(client, app, preset)


def opens_only_its_pages(client: FlaskClient, app: Flask, preset: Preset) -> None:
    """403 without the permission, whatever the id, page or fragment; never an error of ours."""
    viewer = person(preset.name)
    rights = preset.permissions | {P.SELF}
    make.sign_in(client, viewer)
    for route in routes(app):
        if route.endpoint == "signin.delete" or route.path.endswith(".pdf"):
            continue  # ends the session; drawn in the tests of exports
        may = bool(rights & needs(route.endpoint, route.method))
        plain = client.open(route.path, method=route.method)
        part = client.open(route.path, method=route.method, headers=HTMX) if route.method == "GET" else plain
        if not may:
            assert (plain.status_code, part.status_code) == (403, 403), route
        elif f"/{ABSENT}" in route.path:
            assert (plain.status_code, part.status_code) == (404, 404), route
        else:
            assert plain.status_code in ANSWERS.get(route.endpoint, (200, 302, 422)), route
            assert part.status_code == plain.status_code, route


SEES = {
    "Administrator": {"viewer", "member", "stranger"},
    "Agent": {"viewer"},
    "Auditor": {"viewer"},
    "Payroll": {"viewer", "member", "stranger"},
    "Quality": {"viewer", "member", "stranger"},
    "Team lead": {"viewer", "member"},
}
CONTENT = {"Administrator": {"viewer", "member", "stranger"}, "Team lead": {"viewer", "member"}}
FILES = {name: {"csv", "xlsx"} for name in ("Administrator", "Agent", "Payroll")}


@pytest.mark.both_databases
@pytest.mark.parametrize("preset", sorted(SEES))
def test_each_built_in_role_sees_its_users_and_gets_404_for_others(client: FlaskClient, preset: str) -> None:
    viewer = person(preset)
    for login in ("viewer", "member", "stranger"):
        trail.store(
            trail.work("call", f"c-{login}", "09:00", "09:10", login, queue="support", direction="in")
        )
    team = Team.create(name="Team")
    TeamMember.create(team=team, user=User.get(User.login == "member"))
    TeamLead.create(team=team, user=viewer)
    make.sign_in(client, viewer)
    calls = {row.user_id: row.id for row in Activity.select()}
    for login in ("viewer", "member", "stranger", "absent"):
        query = {"user": login, "date": DAY}
        wanted = 200 if login in SEES[preset] else 404
        for headers in ({}, HTMX):
            assert client.get("/tracing", query_string=query, headers=headers).status_code == wanted, login
        for format_ in ("csv", "xlsx"):
            allowed = format_ in FILES.get(preset, ())
            given = client.get(f"/tracing.{format_}", query_string=query).status_code
            hidden_first = (
                preset == "Team lead" and wanted == 404
            )  # out of scope before any right is asked for
            assert given == (wanted if allowed or hidden_first else 403), (login, format_)
        found = User.get_or_none(User.login == login)
        ident = calls.get(found.id, ABSENT) if found else ABSENT
        content = {"viewer"} | CONTENT.get(preset, set())
        detail = client.get(f"/tracing/activities/{ident}").status_code
        assert detail == (200 if login in content else 404), login


@pytest.mark.both_databases
def test_lists_of_users_show_only_those_in_scope(client: FlaskClient) -> None:
    viewer = person("Auditor")
    stranger = make.user("stranger", name="Strange Person")
    make.sign_in(client, viewer)
    assert "Strange Person" not in client.get("/users").text
    assert client.get(f"/users/{viewer.id}").status_code == 200
    foreign, absent = client.get(f"/users/{stranger.id}"), client.get(f"/users/{ABSENT}")
    assert foreign.status_code == absent.status_code == 404


def test_api_keys_open_the_api_but_no_page(client: FlaskClient, app: Flask) -> None:
    tokens = {allow: keys.make(allow, "pbx", allow) for allow in ("read", "ingest")}
    for rule in app.url_map.iter_rules():
        if rule.endpoint in BY_KEY:
            method, path = ("POST" if rule.endpoint == "ingest.create" else "GET"), rule.rule
            assert client.open(path, method=method).status_code == 401
            for allow, token in tokens.items():
                answer = client.open(path, method=method, headers={"Authorization": f"Bearer {token}"})
                assert (answer.status_code == 403) == (allow != BY_KEY[rule.endpoint]), (rule, allow)
                assert answer.status_code < 500
            by_query = client.open(path, method=method, query_string={"key": token, "access_token": token})
            assert by_query.status_code == 401
    for token in tokens.values():
        bearer = {"Authorization": f"Bearer {token}"}
        assert client.post("/connect/pbx", headers=bearer).status_code == 401
    make.sign_in(client, make.administrator())
    assert client.get("/api/v1/events").status_code == 401, "a cookie is no key"
    client.delete_cookie("stopa")
    for token in tokens.values():
        assert client.get("/users", headers={"Authorization": f"Bearer {token}"}).status_code == 302
