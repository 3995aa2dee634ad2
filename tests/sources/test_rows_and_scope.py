"""Rows page by page, what a viewer's scope hides, and parameters that cannot be used."""

from __future__ import annotations

from typing import Any

import pytest

from dashboard.access import scope
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.models import Activity, Contact, Event, Interaction, Queue, Source, User
from dashboard.sources import answer, run
from dashboard.sources.catalogue import SOURCES
from dashboard.sources.compiler import Sql
from dashboard.sources.parameters import parse
from dashboard.sources.query import QueryError
from tests import make

pytestmark = pytest.mark.both_databases

NOW = 1_767_225_600 + 40 * 86_400  # 2026-02-10 00:00 UTC
DAY_MS = 86_400_000


def ask(viewer: Scope, source: str, **given: Any) -> answer.Answer:
    listed = {name: [value] if isinstance(value, str) else value for name, value in given.items()}
    query = parse(SOURCES[source], listed, "UTC", NOW, answer.names(viewer))
    return answer.answer(viewer, query, NOW)


@pytest.fixture
def people(db: object) -> dict[str, Any]:
    """Store calls: eight of jana in support, four of petr in sales, one of jana in sales."""
    source = Source.create(name="pbx", created_ts=0)
    jana, petr = make.user("jana"), make.user("petr")
    support, sales = make.queue("support"), make.queue("sales")
    contact = Contact.create(key="pbx:1", name="Nováková", phone="+420123456789")
    work = [(jana, support)] * 8 + [(petr, sales)] * 4 + [(jana, sales)]
    for number, (user, queue) in enumerate(work, start=1):
        at = NOW - number * 3600
        Interaction.create(
            id=number, source=source, external_id=f"c{number}", channel="call", first_ms=at * 1000,
            queue_id=queue.id, contact_id=contact.id, talk_s=number * 10, outcome="answered",
            completed_by=user.id, wait_s=number % 3,
        )  # fmt: skip
        Activity.create(
            id=number, interaction_id=number, user_id=user.id, source_id=source.id, channel="call",
            state="closed", queue_id=queue.id, contact_id=contact.id, title=f"Call {number}", start_ts=at,
            end_ts=at + 60, closed_ts=at + 60, talk_s=number * 10, handling_s=60,
        )  # fmt: skip
        Event.create(
            id=number, source_id=source.id, external_id=f"e{number}", type="call.accepted", time_ms=at * 1000,
            recorded_ms=0, user_id=user.id, interaction=f"c{number}",
        )  # fmt: skip
    return {"jana": jana, "petr": petr, "support": support, "sales": sales}


def limited(users: list[User], queues: list[Queue] | None, viewer: User, *more: Permission) -> Scope:
    return Scope(
        viewer.id,
        frozenset(more),
        frozenset(user.id for user in users),
        None if queues is None else frozenset(queue.id for queue in queues),
    )


@pytest.mark.parametrize("sort", ["", "start", "-talk", "talk", "-handling"])
def test_pages_hold_each_row_once_in_order(people: dict[str, Any], sort: str) -> None:
    seen: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = ask(scope.whole(), "activities", sort=sort, limit="5", after=cursor, period="last_30_days")
        seen += page.rows
        cursor = page.next
        assert (page.count, page.count_exact) == (13, True)
    assert len({row["id"] for row in seen}) == len(seen) == 13
    name = sort.lstrip("-") or "start"
    assert [row[name] for row in seen] == sorted((row[name] for row in seen), reverse=sort[:1] in ("", "-"))


def test_work_outside_the_queues_of_a_viewer_keeps_its_time_and_no_content(people: dict[str, Any]) -> None:
    lead = make.user("lead")
    viewer = limited([people["jana"]], [people["support"]], lead)
    found = ask(viewer, "activities", columns="user,queue,title,contact,talk,interaction.id,queue.name")
    assert found.count == 9  # petr's work is not there
    hidden = [row for row in found.rows if row["queue"] is None]
    assert hidden == [
        {
            "user": "jana", "queue": None, "title": None, "contact": None, "talk": 130,
            "interaction.id": None, "queue.name": None,
        }
    ]  # fmt: skip
    assert ask(viewer, "activities", measures="sum:talk").totals == {"sum:talk": sum(range(10, 90, 10)) + 130}
    by_queue = ask(viewer, "activities", group="queue", measures="count,sum:interaction.talk")
    assert [(row["queue"], row["count"], row["sum:interaction.talk"]) for row in by_queue.rows] == [
        ("support", 8, 360),
        (None, 1, 0),
    ]


SEEN = [
    # source, users in scope, queues in scope, rows
    ("activities", ["jana"], ["support", "sales"], 9),
    ("activities", ["jana", "petr"], [], 13),
    ("activities", [], [], 0),
    ("user_events", ["jana"], ["support"], 8),
    ("user_events", ["jana", "petr"], ["sales"], 5),
    ("user_events", ["jana", "petr"], [], 0),
    ("interactions", [], ["support"], 8),
    ("interactions", ["jana", "petr"], [], 0),
    ("interactions", [], None, 13),
]


@pytest.mark.parametrize(("source", "users", "queues", "number"), SEEN)
def test_rows_and_counts_stay_in_the_scope(
    people: dict[str, Any], source: str, users: list[str], queues: list[str] | None, number: int
) -> None:
    named = None if queues is None else [people[name] for name in queues]
    viewer = limited([people[name] for name in users], named, make.user("lead"))
    found = ask(viewer, source)
    assert (found.count, len(found.rows)) == (number, number)
    assert ask(viewer, source, measures="count").totals == {"count": number}
    buckets = ask(viewer, source, measures="count", group="day").rows
    assert sum(row["count"] for row in buckets) == number


def test_own_work_is_seen_whole_in_any_queue(people: dict[str, Any]) -> None:
    viewer = limited([], [], people["jana"])
    assert {row["title"] for row in ask(viewer, "activities").rows} == {
        f"Call {n}" for n in (*range(1, 9), 13)
    }
    assert ask(viewer, "interactions").count == 9
    assert ask(viewer, "user_events").count == 9


def test_users_outside_the_scope_are_no_names_and_no_values(people: dict[str, Any]) -> None:
    viewer = limited([people["jana"]], None, make.user("lead"))
    rows = ask(viewer, "interactions", columns="user_at_completion").rows
    assert {row["user_at_completion"] for row in rows} == {"jana", None}
    with pytest.raises(QueryError) as refused:
        ask(viewer, "interactions", user_at_completion="petr")
    assert refused.value.errors["user_at_completion"].render() == "There is no user “petr” in your scope."


@pytest.mark.parametrize(
    ("permissions", "shown"),
    [([], "+420 ••• ••• 789"), ([Permission.PII_UNMASK], "Nováková · +420123456789")],
)
def test_contacts_are_masked_without_the_permission(
    people: dict[str, Any], permissions: list[Permission], shown: str
) -> None:
    viewer = limited([], None, make.user("lead"), *permissions)
    assert {row["contact"] for row in ask(viewer, "interactions", columns="contact").rows} == {shown}
    grouped = ask(viewer, "interactions", group="contact", measures="count").rows
    assert grouped == [{"contact": shown, "count": 13}]


def test_figures_are_sorted_and_limited(people: dict[str, Any]) -> None:
    found = ask(
        scope.whole(), "activities", group="user", measures="count,sum:talk", sort="-count", limit="1"
    )
    assert found.rows == [{"user": "jana", "count": 9, "sum:talk": 490}]
    assert found.totals == {"count": 13, "sum:talk": 910}


REFUSED = [
    ({"colour": "red"}, "colour"),
    ({"talk__like": "1"}, "talk__like"),
    ({"title__gte": "1"}, "title__gte"),
    ({"talk__gte": "much"}, "talk__gte"),
    ({"talk__gte": "9" * 30}, "talk__gte"),
    ({"state": "sleeping"}, "state"),
    ({"is_closed": "yes"}, "is_closed"),
    ({"start__gte": "soon"}, "start__gte"),
    ({"queue": "nowhere"}, "queue"),
    ({"user": "';drop table user"}, "user"),
    ({"talk": [str(n) for n in range(51)]}, "talk"),
    ({"group": "user"}, "measures"),
    ({"group": "id;select 1", "measures": "count"}, "group"),
    ({"measures": "sum:title"}, "measures"),
    ({"measures": "product:talk"}, "measures"),
    ({"measures": "count:planet"}, "measures"),
    ({"measures": "count", "columns": "id"}, "columns"),
    ({"columns": "password_hash"}, "columns"),
    ({"sort": "(select 1)"}, "sort"),
    ({"sort": "title"}, "sort"),
    ({"sort": "talk", "measures": "count"}, "sort"),
    ({"limit": "0"}, "limit"),
    ({"limit": "1001"}, "limit"),
    ({"limit": "1:30:00"}, "limit"),
    ({"after": "WzEsIDJd!"}, "after"),
    ({"after": "bnVsbA"}, "after"),
    ({"after": "WzFlNDAwLDFd"}, "after"),
    ({"period": "next_year"}, "period"),
    ({"period": "today", "from": "2026-01-01"}, "period"),
    ({"from": "2026-02-30"}, "from"),
    ({"to": "9999-12-31"}, "to"),
    ({"from": "2026-02-02", "to": "2026-02-01"}, "to"),
    ({"tz": "localtime/../UTC"}, "tz"),
    ({"title": "a\x00b"}, "title"),
    ({"user": "\ud800"}, "user"),
    ({"title__contains": "abc\ud800"}, "title__contains"),
    ({"filter": '{"all": [{"field": "title", "op": "is", "value": "\\u0000"}]}'}, "filter"),
]


@pytest.mark.parametrize(("given", "name"), REFUSED, ids=lambda value: str(value)[:40])
def test_what_cannot_be_used_is_refused_by_its_name(db: object, given: dict[str, Any], name: str) -> None:
    with pytest.raises(QueryError) as refused:
        ask(scope.whole(), "activities", **given)
    assert set(refused.value.errors) == {name}
    assert refused.value.errors[name].render()


HOSTILE = ["' OR 1=1 --", '"', "\\", "%", "?", "?; select 1", "𠮷", "{viewer}", "%s", "$1", ":x"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_values_match_nothing(people: dict[str, Any], text: str) -> None:
    assert ask(scope.whole(), "activities", title=text).rows == []
    assert ask(scope.whole(), "activities", title__not=text).count == 13


def test_too_many_groups_are_refused(db: object) -> None:
    source = Source.create(name="pbx", created_ts=0)
    for n in range(60):
        Activity.create(
            interaction_id=n, user_id=n + 1, source_id=source.id, channel="call", state="closed",
            start_ts=NOW - 3600, end_ts=NOW, closed_ts=NOW,
        )  # fmt: skip
    with pytest.raises(run.TooLong):
        ask(scope.whole(), "activities", group="hour_of_week,user", measures="count")


def test_a_query_that_takes_too_long_is_given_up(
    people: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "LIMIT_S", -1.0)
    jana = people["jana"].id
    common = {"source_id": 1, "type": "call.held", "recorded_ms": 0, "user_id": jana, "interaction": "c1"}
    Event.insert_many(
        [{**common, "id": 1000 + n, "external_id": f"x{n}", "time_ms": (NOW - 5) * 1000} for n in range(5000)]
    ).execute()
    with pytest.raises(run.TooLong):
        ask(scope.whole(), "user_events", group="kind,user", measures="median:interaction.talk")
    monkeypatch.setattr(run, "LIMIT_S", 20.0)
    assert ask(scope.whole(), "user_events", measures="count").totals == {"count": 5013}


def test_a_statement_is_given_up_while_its_rows_are_read_too(
    db: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "LIMIT_S", 0.1)
    endless = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT i FROM n"
    )
    with pytest.raises(run.TooLong), run.limited() as read:
        read(Sql(endless))
