"""Dashboards: tiles with the reader's rights, arranging by buttons, sharing, and failures in one tile."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient

from dashboard.access.permissions import Permission
from dashboard.models import AuditEntry, Dashboard, Queue, Tile, User
from dashboard.pages.dashboards.shown import KEPT_NOW
from dashboard.reports import result, tiles
from dashboard.sources.run import TooLong
from tests import make
from tests.api import Api
from tests.reports.calls import PERIOD, START, events

pytestmark = pytest.mark.both_databases

P = Permission
RIGHTS = (P.QUEUES_FIGURES, P.TRACING_VIEW, P.REPORTS_SHARE)
CALLS = "from=2026-03-02&to=2026-03-03&tz=UTC"
assert PERIOD["from"] == ["2026-03-02"]


@pytest.fixture(autouse=True)
def now() -> Iterator[time_machine.Coordinates]:
    tiles.KEPT.clear()
    KEPT_NOW.clear()
    with time_machine.travel(START + 2 * 86_400, tick=False) as moved:
        yield moved


@pytest.fixture
def owner(client: FlaskClient) -> User:
    """The owner, signed in; two days of calls in two queues."""
    Api(client).take(events())
    user = make.user("boss", access=make.access(RIGHTS, ["all_users", "all_queues"]))
    make.sign_in(client, user)
    return user


def board(owner: User, *rows: dict[str, Any], **columns: Any) -> Dashboard:
    made = Dashboard.create(user=owner, name="Morning", created_ts=0, **columns)
    for position, row in enumerate(rows, 1):
        Tile.create(dashboard=made, position=position, **{"width": 3, "query": CALLS, **row})
    return made


FIGURE = {"kind": "figure", "report": "calls-by-queue", "title": "Calls"}
TABLE = {"kind": "table", "report": "calls-by-queue", "query": f"group=queue&{CALLS}", "width": 6}
CHART = {"kind": "chart", "report": "calls-by-queue", "query": f"group=day&chart=bar&{CALLS}", "width": 6}
TEXT = {"kind": "text", "text": "Be <kind>", "title": "Motto"}


def test_a_dashboard_is_added_by_its_form_and_arranged_next(client: FlaskClient, owner: User) -> None:
    form = {"name": "Morning", "refresh": "30", "shared": "access"}
    answer = client.post("/dashboards/new", data=form)
    row = Dashboard.get()
    assert answer.headers["Location"] == f"/dashboards/{row.id}/arrange"
    assert (row.user_id, row.refresh_s, row.access_id) == (owner.id, 30, owner.access_id)
    assert "Morning" in client.get("/dashboards").text
    assert AuditEntry.select().where(AuditEntry.action == "dashboard.created").count() == 1
    for bad in ({"refresh": "1"}, {"shared": "world"}, {"name": ""}):
        assert client.post("/dashboards/new", data={**form, **bad}).status_code == 422, bad


def test_tiles_show_figure_table_chart_and_text(client: FlaskClient, owner: User) -> None:
    row = board(owner, FIGURE, TABLE, CHART, TEXT)
    page = client.get(f"/dashboards/{row.id}").text
    assert re.search(r'<p class="big"><a href="/interactions\?[^"]*channel=call[^"]*">7</a>', page)
    assert f'<a class="sm" href="/reports/calls-by-queue?{CALLS.replace("&", "&amp;")}">' in page
    assert ">support</th>" in page
    assert 'class="chart"' in page
    assert "Be &lt;kind&gt;" in page
    assert "Tue 3 Mar 2026" in page
    part = client.get(f"/dashboards/{row.id}", headers={"HX-Request": "true", "HX-Target": "tiles"}).text
    assert part in page


def test_each_reader_sees_what_their_own_role_shows(client: FlaskClient, owner: User) -> None:
    row = board(owner, FIGURE, TABLE, shared="all")
    support = Queue.get(Queue.name == "support")
    reader = make.user("part", access=make.access(RIGHTS, ["all_users", ("queues", support.id)]))
    assert ">7</a>" in client.get(f"/dashboards/{row.id}").text
    make.sign_in(client, reader)
    page = client.get(f"/dashboards/{row.id}").text
    assert ">5</a>" in page
    assert "sales" not in page
    none = make.user("none", access=make.access([P.TRACING_VIEW]))
    make.sign_in(client, none)
    page = client.get(f"/dashboards/{row.id}").text
    assert page.count("your role doesn&#39;t allow it") == 2


@pytest.mark.parametrize(
    ("warn", "limit", "says"),
    [
        ("above", 6, "▲ above 6"),
        ("above", 7, "✓ limit 7"),
        ("below", 8, "▲ below 8"),
        ("below", 7, "✓ target 7"),
    ],
)
def test_a_figure_says_by_sign_and_word_whether_it_keeps_its_limit(
    client: FlaskClient, owner: User, warn: str, limit: float, says: str
) -> None:
    row = board(owner, {**FIGURE, "warn": warn, "limit": limit})
    assert says in client.get(f"/dashboards/{row.id}").text


def test_a_figure_is_compared_with_the_period_before(client: FlaskClient, owner: User) -> None:
    """Six calls on the first day, one on the second."""
    query = "from=2026-03-03&to=2026-03-03&tz=UTC"
    row = board(owner, {**FIGURE, "query": query})
    page = client.get(f"/dashboards/{row.id}").text
    assert "−5 to the period before" in page


def test_a_figure_has_a_line_up_to_the_present(client: FlaskClient, owner: User) -> None:
    """The second day goes on at 09:00 UTC: hours to come are not drawn as zero."""
    row = board(
        owner, {**FIGURE, "query": "period=yesterday&tz=UTC"}, {**FIGURE, "query": "period=today&tz=UTC"}
    )
    page = client.get(f"/dashboards/{row.id}").text
    lines = re.findall(r'aria-label="Calls, oldest first: ([^"]*)"', page)
    assert [len(line.split(", ")) for line in lines] == [24, 10]
    assert lines[0].split(", ")[10] == "1"


def test_a_tile_that_fails_or_is_slow_says_so_and_the_others_stand(
    client: FlaskClient, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = {**TABLE, "query": "colour=red"}
    gone = {**TABLE, "report": "987654"}
    row = board(owner, bad, gone, TABLE, CHART, FIGURE)
    build = result.build

    def broken(scope: Any, report: Any, given: Any, *rest: Any) -> Any:
        if given.get("chart") == ["bar"]:
            raise TooLong
        if given.get("measures"):
            raise ZeroDivisionError
        return build(scope, report, given, *rest)

    monkeypatch.setattr(result, "build", broken)
    answer = client.get(f"/dashboards/{row.id}")
    assert answer.status_code == 200
    for text in (tiles.BAD_QUERY, tiles.NO_REPORT, tiles.TOO_SLOW, tiles.BROKEN):
        assert text.replace("'", "&#39;") in answer.text, text
    assert ">support</th>" in answer.text


def test_results_are_kept_for_the_refresh_interval_by_reader(
    client: FlaskClient, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = board(owner, TABLE, shared="all")
    count = []
    build = result.build
    monkeypatch.setattr(result, "build", lambda *given: count.append(1) or build(*given))
    for _visit in range(3):
        client.get(f"/dashboards/{row.id}")
    assert len(count) == 1
    client.get("/language/cs")
    client.get(f"/dashboards/{row.id}")
    assert len(count) == 2, "another language is another result"
    client.get("/language/en")
    make.sign_in(client, make.user("other", access=make.access(RIGHTS, ["all_users"])))
    client.get(f"/dashboards/{row.id}")
    assert len(count) == 3, "another reader is another result"
    Tile.update(query=CALLS).execute()
    client.get(f"/dashboards/{row.id}")
    assert len(count) == 4, "a changed tile is read anew"


def test_alarms_need_the_right_to_home(client: FlaskClient, owner: User) -> None:
    row = board(owner, {"kind": "alarms", "width": 12})
    assert "Your role doesn&#39;t allow this." in client.get(f"/dashboards/{row.id}").text
    access = make.access([*RIGHTS, P.HOME_VIEW], ["all_users", "all_queues"])
    User.update(access=access).where(User.id == owner.id).execute()
    page = client.get(f"/dashboards/{row.id}").text
    assert "Needs attention" in page
    assert "Nothing right now." in page


MOVES = [
    ("left", 1, "BACD", {}),
    ("left", 0, "ABCD", {}),
    ("right", 1, "ACBD", {}),
    ("right", 3, "ABCD", {}),
    ("wider", 0, "ABCD", {"A": 4}),
    ("wider", 3, "ABCD", {"D": 12}),
    ("narrower", 3, "ABCD", {"D": 8}),
    ("narrower", 0, "ABCD", {"A": 3}),
    ("remove", 2, "ABD", {}),
]


@pytest.mark.parametrize(("verb", "at", "order", "widths"), MOVES)
def test_buttons_arrange_the_tiles(
    client: FlaskClient, owner: User, verb: str, at: int, order: str, widths: dict[str, int]
) -> None:
    rows = [{**TEXT, "title": name, "width": 12 if name == "D" else 3} for name in "ABCD"]
    row = board(owner, *rows)
    tile = list(Tile.select().order_by(Tile.position))[at]
    answer = client.post(f"/dashboards/{row.id}/arrange", data={"op": f"{verb}:{tile.id}"})
    assert answer.status_code == 302
    found = list(Tile.select().order_by(Tile.position, Tile.id))
    assert "".join(each.title for each in found) == order
    for name, width in widths.items():
        assert next(each.width for each in found if each.title == name) == width
    page = client.get(f"/dashboards/{row.id}/arrange").text
    assert [page.index(f"{name}: move left") for name in order] == sorted(
        page.index(f"{name}: move left") for name in order
    )


@pytest.mark.parametrize("op", ["", "left", "left:x", "explode:1", "left:", "left:0"])
def test_a_button_that_does_not_exist_changes_nothing(client: FlaskClient, owner: User, op: str) -> None:
    row = board(owner, TEXT)
    assert client.post(f"/dashboards/{row.id}/arrange", data={"op": op}).status_code == 422
    assert client.post(f"/dashboards/{row.id}/arrange", data={"op": "left:987654"}).status_code == 404


def test_a_tile_is_added_and_its_contents_are_chosen(client: FlaskClient, owner: User) -> None:
    row = board(owner)
    url = f"/dashboards/{row.id}/tiles"
    answer = client.post(url, data={"kind": "figure", "report": "calls-by-queue"})
    tile = Tile.get()
    assert answer.headers["Location"] == f"{url}/{tile.id}"
    page = client.get(f"{url}/{tile.id}").text
    assert "Answered" in page
    form = {
        "title": "Abandoned",
        "report": "calls-by-queue",
        "period": "today",
        "query": "queue=support",
        "measure": "sum:is_abandoned",
        "warn": "above",
        "limit": "1:30",
        "version": "1",
    }
    assert client.post(f"{url}/{tile.id}", data=form).status_code == 302
    tile = Tile.get()
    assert (tile.title, tile.query, tile.measure, tile.warn, tile.limit) == (
        "Abandoned",
        "period=today&queue=support",
        "sum:is_abandoned",
        "above",
        90,
    )
    stale = client.post(f"{url}/{tile.id}", data={**form, "title": "Late"})
    assert (stale.status_code, Tile.get().title) == (422, "Abandoned")
    assert "someone else changed this" in stale.text
    assert 'name="version" value="2"' in stale.text
    bad = [
        ({"report": "nonsense"}, "report"),
        ({"period": "ever"}, "period"),
        ({"query": "colour=red"}, "query"),
        ({"query": "support"}, "query"),
        ({"measure": "sum:nonsense"}, "measure"),
        ({"limit": ""}, "limit"),
        ({"limit": "x"}, "limit"),
        ({"warn": "sometimes"}, "warn"),
    ]
    for changed, field in bad:
        answer = client.post(f"{url}/{tile.id}", data={**form, **changed})
        assert answer.status_code == 422, changed
        assert f'href="#f-{field}"' in answer.text, changed
    for data in ({"kind": "video"}, {"kind": "table", "report": "nonsense"}):
        assert client.post(url, data=data).status_code == 422, data
    client.post(url, data={"kind": "text"})
    assert Tile.select().count() == 2


def test_a_dashboard_has_room_for_a_limited_number_of_tiles(client: FlaskClient, owner: User) -> None:
    row = board(owner, *[TEXT] * 24)
    answer = client.post(f"/dashboards/{row.id}/tiles", data={"kind": "text"})
    assert answer.status_code == 422
    assert "room for 24 tiles" in answer.text


def test_only_owner_and_administrators_change_a_shared_dashboard(client: FlaskClient, owner: User) -> None:
    row = board(owner, TEXT, shared="all")
    tile = Tile.get()
    reader = make.user("eva", access=make.access([P.QUEUES_FIGURES], ["all_users", "all_queues"]))
    make.sign_in(client, reader)
    page = client.get(f"/dashboards/{row.id}").text
    assert "Arrange" not in page
    base = f"/dashboards/{row.id}"
    for path in (f"{base}/edit", f"{base}/arrange", f"{base}/tiles/{tile.id}", f"{base}/delete"):
        assert client.get(path).status_code == 404, path
    for path in (f"{base}/arrange", f"{base}/tiles", f"{base}/key", f"{base}/key/withdraw", f"{base}/delete"):
        assert client.post(path, data={"op": f"remove:{tile.id}", "kind": "text"}).status_code == 404, path
    assert Tile.select().count() == 1
    Dashboard.update(shared="private").execute()
    assert client.get(base).status_code == 404
    answer = client.post("/dashboards/new", data={"name": "Mine", "refresh": "30", "shared": "all"})
    assert answer.status_code == 422, "sharing needs its right"
    make.sign_in(client, make.administrator())
    assert client.get(f"{base}/edit").status_code == 200


def test_a_look_is_audited_once_in_a_while(client: FlaskClient, owner: User) -> None:
    row = board(owner, TABLE)
    for _visit in range(2):
        client.get(f"/dashboards/{row.id}")
    [entry] = list(AuditEntry.select().where(AuditEntry.action == "dashboard.viewed"))
    assert (entry.actor_id, entry.target_id) == (owner.id, str(row.id))


@pytest.mark.parametrize("ident", ["0", "999999", "99999999999999999999", "x"])
def test_unknown_ids_are_not_found(client: FlaskClient, owner: User, ident: str) -> None:
    for path in ("", "/edit", "/arrange", "/tiles/1"):
        assert client.get(f"/dashboards/{ident}{path}").status_code == 404, path


def test_the_page_says_of_when_its_oldest_tile_is(
    client: FlaskClient, owner: User, now: time_machine.Coordinates
) -> None:
    row = board(owner, TABLE)
    assert "As of 09:00:00" in client.get(f"/dashboards/{row.id}").text
    now.shift(20)
    assert "As of 09:00:00" in client.get(f"/dashboards/{row.id}").text, "the result is kept"
    tiles.KEPT.clear()
    assert "As of 09:00:20" in client.get(f"/dashboards/{row.id}").text
