"""Local paths, whatever is asked for, and answers in the reader's language."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.utils import redirect

from dashboard.access import presets
from dashboard.access.permissions import Permission as P
from dashboard.models import Access
from dashboard.web.page import Compact, local_path
from tests import make


@pytest.mark.parametrize(
    ("layout", "sent"),
    [
        ("<td>\n  {{ x }}\n</td>\n\n<td>", "<td>1</td><td>"),
        ("<td>\n  {% if x %}\n    <b>a</b>\n  {% endif %}\n  {{ x }}\n</td>", "<td><b>a</b>1</td>"),
        ("<b>a</b>\n  <i>b</i>\n  {{ x }}\n  c", "<b>a</b>\n<i>b</i>\n1\nc"),
        ("a {% if x %} b{% endif %} <p> c </p>", "a  b <p> c </p>"),
        (
            '<td id="{{ "a>b" }}"\n    {% if x %}hidden{% endif %}\n    class="n">\n  c',
            '<td id="a&gt;b" hidden class="n">c',
        ),
        ("<textarea>\n  {{ x }}</textarea>", "<textarea>\n1</textarea>"),
    ],
)
def test_line_breaks_of_the_layout_are_not_sent(app: Flask, layout: str, sent: str) -> None:
    """Those within a line of text stay, as they are blanks."""
    source = Compact(app.jinja_env).preprocess(layout, "page.html")
    assert source.count("\n") == layout.count("\n")
    env = app.jinja_env.overlay(autoescape=True)
    assert env.from_string(source).render(x=1) == sent


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/tracing?user=jana&date=2026-03-02#activities",
        "/a//b",
        "/ěšč",
        "/?next=https://evil.example",
        "/:80",
        "/@host",
    ],
)
def test_a_path_of_this_site_stays(target: str) -> None:
    assert local_path(target) == target


@pytest.mark.parametrize(
    "target",
    [
        None,
        "",
        "tracing",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "/\tevil",
        "/\n/evil.example",
        "/ /evil.example",
        "/\x00",
        "/\x7f",
        "https://evil.example",
        "HTTPS:evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "?next=/",
        "#",
        "/" + "a" * 2000,
    ],
)
def test_anything_else_is_the_default(target: str | None) -> None:
    assert local_path(target, "/home") == "/home"


@given(st.text(alphabet="/\\:@?#.\t\n\r %aé\x00", max_size=12))
def test_no_text_becomes_another_host(target: str) -> None:
    """As a browser reads it: backslashes are slashes, tabs and line breaks are nothing."""
    location = redirect(local_path(target)).headers["Location"]
    seen = location.replace("\\", "/").replace("\t", "").replace("\n", "").replace("\r", "")
    assert seen.startswith("/")
    assert not seen.startswith("//")


@pytest.mark.parametrize(
    ("language", "title"), [("cs", "Nenalezeno"), ("ja", "見つかりません"), ("en", "Not found")]
)
def test_errors_speak_the_readers_language(client: FlaskClient, language: str, title: str) -> None:
    answer = client.get("/nothing", headers={"Accept-Language": language})
    assert answer.status_code == 404
    assert f'<html lang="{language}">' in answer.text
    assert title in answer.text
    by_interface = client.get("/api/v1/nothing", headers={"Accept-Language": language})
    assert by_interface.json["error"] == title
    make.sign_in(client, make.user(locale=language, access=make.access()))
    inside = client.get("/users", headers={"Accept-Language": "en"})
    assert inside.status_code == 403
    assert f'<html lang="{language}">' in inside.text


def test_403_names_the_permission_and_the_roles_that_grant_it(client: FlaskClient) -> None:
    presets.make()
    make.user("boss", access=Access.get(Access.name == "Administrator"))
    make.user("gone", access=make.access(P, name="Nobody active"), deactivated_ts=1)
    make.user("clerk", access=make.access([P.ACCESSES_EDIT], name="Grants less"))
    make.sign_in(client, make.user("agent", access=make.access([P.TRACING_EXPORT_DATA])))
    page = client.get("/users").text
    assert "You need the permission “Users”. Users with these roles can grant it: Administrator." in page
    assert "Request ID" not in page
    assert (
        "You need one of these permissions: My rules, System rules, Employee rules."
        in client.get("/rules").text
    )
    assert "You need the permission “PDF export of user tracing”." in client.get("/tracing.pdf").text


@pytest.mark.parametrize(
    ("path", "parent"),
    [
        ("/users/987654", "/users"),
        ("/tracing/activities/987654", "/tracing"),
        ("/rules/nothing/here", "/rules"),
        ("/nowhere", None),
    ],
)
def test_404_leads_to_the_list_of_what_is_missing_where_the_viewer_may_open_it(
    client: FlaskClient, path: str, parent: str | None
) -> None:
    make.sign_in(client, make.user(access=make.access([P.USERS_VIEW, P.RULES_VIEW])))
    answer = client.get(path)
    main = answer.text.partition('<main id="main"')[2].partition('<div class="empty">')[2]
    wanted = [f'href="{parent}"'] if parent else []
    assert answer.status_code == 404
    assert re.findall('href="[^"]*"', main.partition("</section>")[0]) == [*wanted, 'href="/"']
