"""Pages without rows: what they are for, and where they lead on."""

from __future__ import annotations

import html
import re

from flask import Flask
from flask.testing import FlaskClient

from dashboard.access import presets
from dashboard.events import record
from dashboard.ingest.schema import NewEvent
from dashboard.models import Access
from tests import make

BESIDE = (
    "/events/refused",
    "/inbox?view=all",
    "/inbox?view=snoozed",
    "/reports/calls-by-queue",
    "/rules/groups",
    "/rules?list=employees",
    "/rules?list=system",
    "/tracing?user=boss&unit=week",
)
ON_THE_PAGE = {"/rules/groups"}  # where a form adds the first row
BRING = "/import"


def blocks(client: FlaskClient, path: str) -> list[tuple[str, list[str]]]:
    """Return of each empty block of a page its sentence and the addresses of its buttons."""
    found = re.findall(r'<div class="empty">(.*?)</div>', client.get(path).text, re.S)
    return [
        (
            " ".join(html.unescape(text) for text in re.findall(r"<p>(.*?)</p>", each, re.S)),
            [html.unescape(url) for url in re.findall(r'<a class="btn" href="([^"]+)"', each)],
        )
        for each in found
    ]


def test_every_empty_page_of_a_new_site_says_what_it_is_for_and_leads_on(
    client: FlaskClient, app: Flask
) -> None:
    make.sign_in(client, make.administrator("boss"))
    targets: dict[str, str] = {}
    for path in (*(place.path for place in app.extensions["places"]), *BESIDE):
        for text, urls in blocks(client, path):
            assert len(text) >= 20, path
            assert len(urls) == (path not in ON_THE_PAGE), path
            targets |= dict.fromkeys(urls, path)
    assert len(targets) > 12
    for url, path in targets.items():
        assert client.get(url).status_code == 200, (url, path)
        assert url != path


def test_pages_of_what_sources_sent_lead_to_data_only_before_the_first_event(client: FlaskClient) -> None:
    make.sign_in(client, make.administrator("boss"))
    paths = ("/tracing?user=boss", "/team", "/attendance", "/interactions", "/events?type=call.closed")
    for path in (*paths, "/figures", "/interactions/user-events", "/reports/calls-by-queue"):
        [(text, urls)] = blocks(client, path)
        assert urls == [BRING], path
        assert "Nothing has been recorded." in text
    presets.make()
    make.sign_in(client, make.user("jana", access=Access.get(Access.name == "Agent")))
    [(text, urls)] = blocks(client, "/tracing")
    assert ("Your administrator brings data in." in text, urls) == (True, [])
    record.append(record.source("pbx").id, [NewEvent("1", "custom.ping", 1_772_000_000_000)])
    make.sign_in(client, make.user("chief", access=Access.get(Access.name == "Administrator")))
    for path in paths:
        [(text, urls)] = blocks(client, path)
        assert "Nothing has been recorded." not in text, path
        assert BRING not in urls
    assert blocks(client, "/interactions")[0][1] == ["/interactions?period=last_90_days"]
    assert blocks(client, "/interactions?period=last_90_days")[0][1] == []
    assert blocks(client, "/interactions?channel=call")[0][1] == ["/interactions"]
