"""Wall screens: a key opens its dashboard alone, with its owner's rights, until it is withdrawn."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import time_machine
from flask.testing import FlaskClient

from dashboard.access import throttle
from dashboard.access.permissions import Permission
from dashboard.models import Access, AuditEntry, AuditSubject, Dashboard, Tile, User
from dashboard.pages.dashboards.shown import KEPT_NOW
from dashboard.reports import dashboards, result, tiles
from tests import make
from tests.api import Api
from tests.reports.calls import START, events

P = Permission
RIGHTS = (P.QUEUES_FIGURES, P.TRACING_VIEW, P.HOME_VIEW)
CALLS = "from=2026-03-02&to=2026-03-03&tz=UTC"
LINK = re.compile(r"<a\s|<form|<button|<input")


@pytest.fixture(autouse=True)
def now() -> Iterator[time_machine.Coordinates]:
    tiles.KEPT.clear()
    KEPT_NOW.clear()
    with time_machine.travel(START + 2 * 86_400, tick=False) as moved:
        yield moved


@pytest.fixture
def owner(client: FlaskClient) -> User:
    Api(client).take(events())
    return make.user("boss", access=make.access(RIGHTS, ["all_users", "all_queues"]))


def wall(owner: User, name: str = "Wall") -> tuple[Dashboard, str]:
    """Make a dashboard with a key; return it with the address of its wall screen."""
    row = Dashboard.create(user=owner, name=name, created_ts=0, refresh_s=30)
    rows = (
        {"kind": "figure", "report": "calls-by-queue", "width": 3, "query": CALLS, "title": "Calls"},
        {"kind": "table", "report": "abandoned", "width": 12, "query": CALLS},
        {"kind": "alarms", "width": 12},
    )
    for position, each in enumerate(rows, 1):
        Tile.create(dashboard=row, position=position, **each)
    return row, f"/dashboards/{row.id}?kiosk={dashboards.make_key(row)}"


def test_a_key_shows_the_dashboard_without_links_and_refreshes(client: FlaskClient, owner: User) -> None:
    row, url = wall(owner)
    answer = client.get(url)
    assert answer.status_code == 200
    assert '<p class="fig">7</p>' in answer.text
    assert "Nothing needs attention." in answer.text
    assert not LINK.search(answer.text)
    assert 'hx-trigger="every 30s"' in answer.text
    assert "Set-Cookie" not in answer.headers
    part = client.get(url, headers={"HX-Request": "true", "HX-Target": "wall"}).text
    assert part in answer.text
    assert part.startswith("<div")
    kiosk = AuditEntry.get(AuditEntry.action == "dashboard.viewed")
    assert (kiosk.actor_type, kiosk.actor_id) == ("kiosk", row.id)
    [seen] = AuditSubject.select().where(AuditSubject.seq == kiosk.seq)
    assert (seen.user_id, seen.start_ts) == (0, START + 39 * 3600)  # alarms may name everybody, on that day


def test_a_key_is_shown_once_and_stored_as_its_hash(client: FlaskClient, owner: User) -> None:
    row, _url = wall(owner)
    make.sign_in(client, owner)
    page = client.post(f"/dashboards/{row.id}/key").text
    [key] = set(re.findall(r"\?kiosk=([\w-]{43})", page))
    client.delete_cookie("stopa")
    assert client.get(f"/dashboards/{row.id}?kiosk={key}").status_code == 200
    stored = Dashboard.get_by_id(row.id)
    assert key not in repr(stored.__data__)
    made = AuditEntry.get(AuditEntry.action == "dashboard.kiosk_made")
    assert key not in repr(made.__data__)
    make.sign_in(client, owner)
    assert key not in client.get(f"/dashboards/{row.id}/edit").text


def test_a_key_opens_no_other_dashboard_and_no_other_address(client: FlaskClient, owner: User) -> None:
    _first, url = wall(owner)
    other, _other_url = wall(owner, "Other")
    key = url.partition("=")[2]
    assert client.get(f"/dashboards/{other.id}?kiosk={key}").status_code == 404
    for path in ("/", "/dashboards", f"/dashboards/{other.id}/edit", "/reports", "/tracing", "/users"):
        answer = client.get(path, query_string={"kiosk": key})
        assert answer.status_code in (302, 404), path
        assert answer.status_code == 404 or answer.headers["Location"].startswith("/sign-in"), path
    assert client.get("/api/v1/events", query_string={"kiosk": key}).status_code == 401
    assert client.get(f"/dashboards/{10**20}?kiosk={key}").status_code == 404
    assert client.post(url).status_code == 405
    for path in ("arrange", "tiles", "key"):
        answer = client.post(f"/dashboards/{other.id}/{path}?kiosk={key}")
        assert answer.headers["Location"].startswith("/sign-in"), path


@pytest.mark.parametrize("key", ["", "x", "x" * 43, "x" * 5000, "é", "%00"])
def test_a_wrong_key_is_not_found(client: FlaskClient, owner: User, key: str) -> None:
    row, _url = wall(owner)
    assert client.get(f"/dashboards/{row.id}?kiosk={key}").status_code in (400, 404)
    assert client.get(f"/dashboards/987654?kiosk={key}").status_code in (400, 404)


def test_a_wrong_key_is_refused_to_whoever_is_signed_in_too(client: FlaskClient, owner: User) -> None:
    row, url = wall(owner)
    make.sign_in(client, owner)
    assert client.get(f"/dashboards/{row.id}?kiosk=x").status_code == 404
    assert not LINK.search(client.get(url).text)


def test_a_withdrawn_or_replaced_key_is_refused(client: FlaskClient, owner: User) -> None:
    row, first = wall(owner)
    second = f"/dashboards/{row.id}?kiosk={dashboards.make_key(row)}"
    assert (client.get(first).status_code, client.get(second).status_code) == (404, 200)
    make.sign_in(client, owner)
    assert client.post(f"/dashboards/{row.id}/key/withdraw").status_code == 302
    client.post(f"/dashboards/{row.id}/key/withdraw")
    assert client.get(second).status_code == 404
    assert AuditEntry.select().where(AuditEntry.action == "dashboard.kiosk_withdrawn").count() == 1


def test_a_wall_shows_what_its_owner_may_see_at_that_moment(client: FlaskClient, owner: User) -> None:
    _row, url = wall(owner)
    assert "•••" in client.get(url).text, "contacts are masked"
    Access.update(permissions=[*RIGHTS, P.PII_UNMASK]).where(Access.id == owner.access_id).execute()
    assert "•••" not in client.get(url).text
    Access.update(permissions=[P.TRACING_VIEW]).where(Access.id == owner.access_id).execute()
    page = client.get(url).text
    assert "your role doesn&#39;t allow it" in page
    assert 'class="fig"' not in page
    Access.update(permissions=[P.CALENDARS_VIEW]).where(Access.id == owner.access_id).execute()
    assert client.get(url).status_code == 404
    Access.update(permissions=RIGHTS).where(Access.id == owner.access_id).execute()
    assert client.get(url).status_code == 200
    User.update(deactivated_ts=1).where(User.id == owner.id).execute()
    assert client.get(url).status_code == 404


def test_a_wall_speaks_its_owners_language(client: FlaskClient, owner: User) -> None:
    _row, url = wall(owner)
    User.update(locale="cs").where(User.id == owner.id).execute()
    page = client.get(url, headers={"Accept-Language": "ja"}).text
    assert '<html lang="cs"' in page


def test_wrong_keys_of_an_address_have_to_wait_and_the_right_one_does_not(
    client: FlaskClient, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "MAX_PER_ADDRESS", 3)
    row, url = wall(owner)
    codes = [client.get(f"/dashboards/{row.id}?kiosk=x{n}").status_code for n in range(5)]
    assert codes == [404, 404, 404, 429, 429]
    assert client.get(url).status_code == 200


def test_ten_screens_cost_one(client: FlaskClient, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    _row, url = wall(owner)
    count = []
    build = result.build
    monkeypatch.setattr(result, "build", lambda *given: count.append(1) or build(*given))
    for _screen in range(10):
        assert client.get(url).status_code == 200
    assert len(count) == 2, "one for each tile of a report"
