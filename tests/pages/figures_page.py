"""What tests of the page of figures share: a viewer, and the table by the heads of its rows."""

from __future__ import annotations

import re
from typing import Any

from flask.testing import FlaskClient

from dashboard.access.permissions import Permission
from tests import make

P = Permission


def sign_in(client: FlaskClient, *permissions: Permission, grants: list[Any] | None = None) -> None:
    access = make.access([P.QUEUES_FIGURES, *permissions], grants or ["all_users", "all_queues"])
    make.sign_in(client, make.user(access=access))


TAG = re.compile("<[^>]+>")


def table(client: FlaskClient, query: str) -> dict[str, list[str]]:
    """Return the rows of the table by their head."""
    page = client.get(f"/figures?{query}" if "tz=" in query else f"/figures?tz=UTC&{query}")
    assert page.status_code == 200, page.text
    body = page.text.partition('aria-labelledby="tb"')[2].partition("</section>")[0]
    rows = re.findall(r"<tr><th scope=\"row\"[^>]*>(.*?)</th>(.*?)</tr>", body, re.S)
    return {
        re.sub("<[^>]+>", "", head): [
            re.sub("<[^>]+>", "", cell) for cell in re.findall("<td.*?</td>", cells)
        ]
        for head, cells in rows
    }
