"""Reports for the tests of their pages: who reads them, saving by the form, and the cells of a result."""

from __future__ import annotations

import html
import re
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboard.access.permissions import Permission
from dashboard.models import User
from tests import make

P = Permission
PERIOD = "from=2026-03-02&to=2026-03-03&tz=UTC"
ALL_RIGHTS = (P.QUEUES_FIGURES, P.TRACING_VIEW, P.TRACING_EXPORT_DATA, P.TRACING_EXPORT_PDF)


def sign_in(client: FlaskClient, *permissions: Permission, grants: list[Any] | None = None) -> User:
    access = make.access([*ALL_RIGHTS, *permissions], grants or ["all_users", "all_queues"])
    user = make.user(access=access)
    make.sign_in(client, user)
    return user


def rows_of(page: TestResponse) -> list[list[str]]:
    """Return the texts of the cells of the result's rows, those of groups and the total included."""
    assert page.status_code == 200, page.text
    body = page.text.partition('aria-labelledby="tb"')[2].partition("</section>")[0]
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", body, re.S)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S) for row in rows]
    return [[" ".join(re.sub("<[^>]+>", " ", cell).split()) for cell in row] for row in cells]


def links_of(text: str) -> dict[str, str]:
    """Return where the links of a page lead, by their texts."""
    links = re.findall(r'<a\b[^>]*href="([^"]+)"[^>]*>(.*?)</a>', text, re.S)
    return {" ".join(re.sub("<[^>]+>", " ", inner).split()): html.unescape(url) for url, inner in links}


def save(client: FlaskClient, query: str, name: str = "Mine", shared: str = "private") -> str:
    """Save a report by the form and return its address."""
    answer = client.post(
        f"/reports/new?{query}", data={**_form(query), "report_name": name, "report_shared": shared}
    )
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def _form(query: str) -> dict[str, list[str]]:
    given: dict[str, list[str]] = {}
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        given.setdefault(name, []).append(value)
    return given
