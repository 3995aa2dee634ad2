"""Web sites in the settings: added, changed, deleted, and what their pages show of secret and set-up."""

from __future__ import annotations

import html
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.access import keys
from dashboard.access.permissions import Permission
from dashboard.models import AuditEntry, Queue, Site, Source, Visit
from tests.pages import asks

P = Permission
URL = "/settings/sites"
FORM = {
    "name": "Portal",
    "origins": "https://Portal.example:443/\nhttp://localhost:8080\n\nhttps://portal.example",
    "elements": "order-number\nsearch",
    "idle_s": "2:00",
    "chat": "url",
    "chat_url": "https://chat.example/start?visit={visit}&l={language}&p={page}&c={contact}",
    "privacy_url": "https://portal.example/privacy",
    "keep_days": "30",
}


@pytest.fixture
def editor(client: FlaskClient) -> FlaskClient:
    asks.sign_in_with(client, P.KEYS_VIEW, P.KEYS_EDIT)
    return client


def a_visit(site: Site, number: int, **more: object) -> Visit:
    token = f"visit{number:0>17}"
    made = {"started_ms": 1, "active_ms": 1, **more}
    visit: Visit = Visit.create(site=site, token=token, browser="b" * 22, **made)
    return visit


@pytest.mark.both_databases
def test_a_web_site_is_added_changed_and_deleted_and_its_secret_shown_once(
    editor: FlaskClient, app: Flask
) -> None:
    queue = Queue.create(name="web", label="Web", channel="webchat", created_ts=1)
    made = editor.post(f"{URL}/new", data={**FORM, "queue_id": queue.id})
    row = Site.get()
    assert (made.status_code, row.name, row.enabled) == (200, "Portal", False)
    assert row.origins == ["https://portal.example", "http://localhost:8080"]
    assert (row.elements, row.queue_id, row.idle_s) == (["order-number", "search"], queue.id, 120)
    assert (row.chat, row.keep_days, len(row.secret)) == ("url", 30, 43)
    assert row.secret in made.text
    shown, base = html.unescape(made.text), app.config["STOPA"].base_url
    for text in (
        f'src="{base}/visitor.js"\n  data-key="{row.key}"\n  data-elements="order-number, search"></script>',
        f"script-src {base};\nconnect-src {base};",
        'data-consent="not-needed"',
        "hash_hmac(",
    ):
        assert text in shown, text
    page = f"{URL}/{row.id}"
    assert "Web site" in editor.get("/settings/sources").text
    assert f'href="{page}"' in editor.get(f"/settings/sources/{row.source_id}").text
    a_visit(row, 1)
    a_visit(row, 2, away_ms=5)
    a_visit(row, 3, ended_ms=5)
    assert re.search(r"<dt>Open visits</dt>\s*<dd>\s*1\s*</dd>", editor.get(page).text)
    changed = editor.post(page, data={**FORM, "enabled": "1", "elements": "", "version": row.version})
    fresh = Site.get()
    assert (changed.status_code, changed.headers["Location"]) == (302, page)
    assert (fresh.enabled, fresh.elements, fresh.queue_id) == (True, [], None)
    assert (fresh.secret, fresh.key) == (row.secret, row.key)
    stale = editor.post(page, data={**FORM, "version": row.version})
    assert stale.status_code == 422
    for answer in (stale, editor.get(URL), editor.get(page), editor.get(f"{page}/delete")):
        assert row.secret not in answer.text
    other = editor.post(page, data={**FORM, "new_secret": "1", "version": fresh.version})
    assert (other.status_code, Site.get().secret in other.text) == (200, True)
    assert Site.get().secret != row.secret
    asks.fragment_is_block(editor, URL)
    assert editor.post(f"{page}/delete").status_code == 302
    assert (Site.select().count(), Visit.select().count()) == (0, 0)
    assert Source.select().where(Source.name == "Portal").count() == 1, "its events stay"
    for act in ("created", "deleted"):
        assert asks.audited(f"site.{act}").target_label == "Portal"
    for secret in (row.secret, fresh.secret):
        assert all(secret not in str(entry.__data__) for entry in AuditEntry.select())
    assert editor.post(f"{URL}/new", data=FORM).status_code == 200, "under the same name again"


def test_what_no_web_site_can_be_is_refused_at_its_field(editor: FlaskClient) -> None:
    editor.post(f"{URL}/new", data=FORM)
    keys.make("pbx", "pbx", "ingest")
    for changes, problem in (
        ({}, "This web site exists already. Choose another name."),
        ({"name": "pbx"}, "Something else sends events of this source. Choose another name."),
        ({"name": "stopa"}, "This is the name of Stopa's own events. Choose another."),
        ({"name": ""}, "Enter 1 to 60 characters."),
        ({"origins": ""}, "Enter at least one address."),
        ({"origins": "portal.example"}, "portal.example: The address must start with https:// or http://."),
        ({"origins": "https://a.example/x"}, "https://a.example/x: leave out what follows the host."),
        ({"origins": "https://a.example?x"}, "https://a.example?x: leave out what follows the host."),
        ({"origins": "https://*.example"}, "https://*.example: The address has no valid host."),
        (
            {"origins": "\n".join(f"https://p{number}.example" for number in range(21))},
            "Enter at most 20 lines.",
        ),
        ({"elements": "order number"}, "order number: Names have no spaces and no commas."),
        ({"idle_s": "5"}, "Enter a duration from 0:00:10 to 0:30:00, such as 0:00:20"),
        ({"chat": "phone"}, "Choose what opens."),
        ({"chat_url": ""}, "Enter the address of the chat."),
        ({"chat_url": "javascript:alert(1)"}, "The address must start with https:// or http://."),
        ({"chat_url": "https://c.example/{name}"}, "There is no placeholder {name}."),
        ({"privacy_url": "data:text/html,x"}, "The address must start with https:// or http://."),
        ({"keep_days": "0"}, "Enter a whole number from 1 to 3650."),
        ({"queue_id": "999"}, "Choose a queue from the list."),
    ):
        answer = editor.post(f"{URL}/new", data={**FORM, **changes})
        assert (answer.status_code, problem in html.unescape(answer.text)) == (422, True), problem
    assert Site.select().count() == 1
    assert editor.get(f"{URL}/999").status_code == 404


def test_who_may_not_edit_keys_sees_the_list_and_changes_nothing(client: FlaskClient) -> None:
    asks.refuses_strangers(client, URL)
    queue = Queue.create(name="web", label="Web", channel="webchat", created_ts=1)
    asks.refuses_posts(client, f"{URL}/new", P.KEYS_VIEW)
    assert client.get(URL).status_code == 200
    hostile = Source.create(name=asks.HOSTILE, created_ts=1)
    site = Site.create(source=hostile, key="k", origins=["https://p.example"], secret="s" * 43, created_ts=1)
    for url in (URL, f"{URL}/{site.id}"):
        text = client.get(url).text
        assert asks.HOSTILE not in text
        assert asks.SHOWN in text
    assert client.post(f"{URL}/{site.id}/delete").status_code == 403
    more = {P.VISITORS_VIEW: "/visitors", P.RULES_OUTWARD: f"/rules/recipes/visitors/{site.id}"}
    rights = (P.KEYS_VIEW, P.KEYS_EDIT, P.RULES_EDIT, P.RULES_VIEW)
    for given in (set(), {P.VISITORS_VIEW}, set(more)):
        for grants, inside in ((asks.EVERYTHING, True), (["all_users", ("queues", queue.id)], False)):
            asks.sign_in_with(client, *rights, *given, grants=grants)
            text = client.get(f"{URL}/{site.id}").text
            shown = {url for url in more.values() if f'class="btn" href="{url}"' in text}
            assert shown == ({more[each] for each in given} if inside else set()), (given, grants)
            for url in shown:
                assert client.get(url).status_code == 200
