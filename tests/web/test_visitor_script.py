"""How the scripts of portals are served: small, to every site, kept by browsers, without a session."""

from __future__ import annotations

import gzip

import pytest
from flask.testing import FlaskClient

from dashboard.settings import ROOT
from tests import make

SCRIPTS = {"/visitor.js": 4096, "/visitor-box.js": 4096}  # most bytes


@pytest.mark.parametrize("path", SCRIPTS)
def test_a_script_of_portals_is_small_and_kept_and_may_be_loaded_by_every_site(
    client: FlaskClient, path: str
) -> None:
    make.sign_in(client, make.administrator())
    answer = client.get(path, headers={"Origin": "https://portal.example"})
    assert len(answer.data) < SCRIPTS[path]
    headers = answer.headers
    assert (answer.status_code, answer.mimetype) == (200, "text/javascript")
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "public, max-age=3600, stale-while-revalidate=86400"
    assert headers["Vary"] == "Accept-Encoding"
    assert "Set-Cookie" not in headers
    assert "Content-Security-Policy" not in headers, "it belongs to the page that loads it"
    again = client.get(path, headers={"If-None-Match": headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == headers["ETag"]
    assert client.get(f"{path}x").status_code == 404
    assert client.post(path).status_code == 405


def test_a_script_is_what_stands_in_its_file_without_comments(client: FlaskClient) -> None:
    for path in SCRIPTS:
        source = (ROOT / "static" / path[1:]).read_text("utf-8")
        lines = [line.strip() for line in source.splitlines()]
        wanted = "\n".join(line for line in lines if line and not line.startswith("//"))
        plain = {}
        for accepted in (None, "gzip, br", "identity", "gzip;q=0", "br"):
            headers = {} if accepted is None else {"Accept-Encoding": accepted}
            answer = client.get(path, headers=headers)
            packed = answer.headers.get("Content-Encoding") == "gzip"
            assert packed == (accepted in (None, "gzip, br")), accepted
            assert (gzip.decompress(answer.data) if packed else answer.data).decode() == wanted
            plain[packed] = answer.headers["ETag"]
        assert plain[True] != plain[False]
