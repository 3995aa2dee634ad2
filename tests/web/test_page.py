"""Local paths, whatever is asked for, and answers in the reader's language."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.utils import redirect

from dashboard.web.page import local_path
from tests import make


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
