"""How much a browser loads: style, script and font, the first view, and every page of a site of 500 users."""

from __future__ import annotations

import gzip

from flask import Flask
from flask.testing import FlaskClient

from dashboard.models import Team, TeamMember
from dashboard.web import assets
from tests import make

KB = 1024


def packed(data: bytes) -> int:
    return len(gzip.compress(data, 9))


def test_style_script_and_first_view_are_small(client: FlaskClient) -> None:
    make.sign_in(client, make.administrator())
    style, script = ((assets.STATIC / name).read_bytes() for name in ("app.css", "app.js"))
    font = (assets.STATIC / "inter.woff2").stat().st_size
    assert (len(style) <= 40 * KB, packed(style) <= 9 * KB, len(script) <= 2 * KB) == (True, True, True)
    texts = (client.get("/").data, style, script, assets.HTMX.read_bytes())
    assert sum(map(packed, texts)) + font <= 130 * KB


def test_no_page_of_a_site_of_500_users_is_long(app: Flask, client: FlaskClient) -> None:
    admin = make.administrator()
    make.sign_in(client, admin)
    team = Team.create(name="Everybody")
    for number in range(500):
        user = make.user(f"agent{number}", name=f"Nováková-Přibyslavská, Kateřina {number}")
        TeamMember.create(team=team, user=user)
    paths = [
        rule.rule.replace("<int:ident>", str(team.id))
        for rule in app.url_map.iter_rules()
        if "GET" in rule.methods and (not rule.arguments or rule.endpoint == "teams.edit")
    ]
    pages = {path: client.get(path) for path in paths if not path.startswith(("/static", "/api"))}
    sizes = {path: len(page.data) for path, page in pages.items() if page.mimetype == "text/html"}
    assert len(sizes) > 40
    assert {path: size for path, size in sizes.items() if size > 150 * KB} == {}
