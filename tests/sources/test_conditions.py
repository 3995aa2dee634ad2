"""Texts that contain others, rows of other sources and trees of conditions choose what plain Python does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashboard.access import scope
from dashboard.access.permissions import ALL, Permission
from dashboard.access.scope import Scope
from dashboard.db.search import folded, of_contact
from dashboard.models import Activity, Contact, Event, Interaction, Source
from dashboard.sources import answer, display
from dashboard.sources.catalogue import EVENTS, SOURCES
from dashboard.sources.parameters import parse
from dashboard.sources.query import Query, QueryError
from tests import make

pytestmark = pytest.mark.both_databases

NOW = 1_767_225_600 + 40 * 86_400
TITLES = ("Reklamace Nováková", "ŁUKASZ", "バナナ注文", "田中さん", "100% _off!", "")
KINDS = ((), ("offered", "rejected"), ("offered", "accepted", "muted"), ("accepted",))


def query(viewer: Scope, source: str, **given: Any) -> Query:
    listed = {name: [value] if isinstance(value, str) else value for name, value in given.items()}
    return parse(SOURCES[source], listed, "UTC", NOW, answer.names(viewer))


def ask(viewer: Scope, source: str, **given: Any) -> answer.Answer:
    return answer.answer(viewer, query(viewer, source, **given), NOW)


@pytest.fixture
def stored(db: object) -> list[dict[str, Any]]:
    """Store an interaction with an activity for each title and kinds of events; return what they hold."""
    source = Source.create(name="pbx", created_ts=0)
    users = [make.user("jana"), make.user("petr")]
    queues = [make.queue("support"), make.queue("sales"), None]
    found = []
    for n, (title, kinds) in enumerate((title, kinds) for title in TITLES for kinds in KINDS):
        at, queue, user = NOW - 3600 - n, queues[n % 3], users[n % 2]
        name, phone = (f"Zákazník {n}", f"+420 777 000 {n:03}") if n % 4 else ("", "")
        contact = Contact.create(key=str(n), name=name, phone=phone, search=of_contact(name, phone, ""))
        row = {
            "id": n + 1, "interaction.id": f"c{n}", "title": title, "talk": n * 10, "contact": contact.search,
            "queue": queue and queue.name, "kinds": kinds, "user": user.login,
        }  # fmt: skip
        Interaction.create(
            id=n + 1, source=source, external_id=f"c{n}", channel="call", first_ms=at * 1000,
            queue_id=queue and queue.id, contact_id=contact.id, talk_s=n * 10,
        )  # fmt: skip
        Activity.create(
            id=n + 1, interaction_id=n + 1, user_id=user.id, source_id=source.id, channel="call",
            state="closed", queue_id=queue and queue.id, contact_id=contact.id, title=title, start_ts=at,
            end_ts=at, talk_s=n * 10,
        )  # fmt: skip
        for k, kind in enumerate(kinds):
            Event.create(
                source_id=source.id, external_id=f"{n}.{k}", type=f"call.{kind}", time_ms=at * 1000,
                recorded_ms=0, user_id=users[k % 2].id, interaction=f"c{n}",
            )  # fmt: skip
        found.append(row)
    return found


CONTAINED = [
    ("activities", "title__contains", "novak", {"Reklamace Nováková"}),
    ("activities", "title__contains", "ＮＯＶÁK", {"Reklamace Nováková"}),
    ("activities", "title__contains", "łuk", {"ŁUKASZ"}),
    ("activities", "title__contains", "バナナ", {"バナナ注文"}),
    ("activities", "title__contains", "ハナナ", set()),
    ("activities", "title__contains", "田中", {"田中さん"}),
    ("activities", "title__contains", "0% _o", {"100% _off!"}),
    ("activities", "title__contains", ["novak", "田中"], {"Reklamace Nováková", "田中さん"}),
    ("activities", "title__contains", "%' OR 1=1 --", set()),
]


@pytest.mark.parametrize(("source", "name", "text", "titles"), CONTAINED)
def test_texts_are_found_without_case_width_and_marks(
    stored: list[dict[str, Any]], source: str, name: str, text: Any, titles: set[str]
) -> None:
    found = ask(scope.whole(), source, limit="1000", **{name: text})
    assert {row["title"] for row in found.rows} == titles
    assert found.count == len(titles) * len(KINDS)
    assert ask(scope.whole(), source, measures="count", **{name: text}).totals == {"count": found.count}


@pytest.mark.parametrize(
    ("text", "number"), [("zakaznik 1", 9), ("777 000 01", 8), ("nobody", 0), ("ník", 18)]
)
def test_contacts_are_found_by_what_they_contain(
    stored: list[dict[str, Any]], text: str, number: int
) -> None:
    assert ask(scope.whole(), "interactions", contact__contains=text).count == number


NO_JSON = ("talk", "[" * 2000, "[]", "null", '{"every": []}')
REFUSED = [
    ("activities", {"title__contains": "ab"}, "title__contains"),
    ("activities", {"title__contains": "田"}, "title__contains"),
    ("activities", {"talk__contains": "100"}, "talk__contains"),
    ("activities", {"state__contains": "clo"}, "state__contains"),
    ("interactions", {"any": "planets:kind=accepted"}, "any"),
    ("interactions", {"any": "user_events:kind=sleeping"}, "any"),
    ("interactions", {"any": "user_events:kind="}, "any"),
    ("interactions", {"any": "user_events:=accepted"}, "any"),
    ("interactions", {"none": "user_events:interaction.talk__gte=1"}, "none"),
    ("interactions", {"none": "activities:title=x"}, "none"),
    ("interactions", {"none": "user_events:type__contains=call"}, "none"),
    ("interactions", {"none": "user_events:weekday=1"}, "none"),
    ("events", {"any": "user_events:user=nobody"}, "any"),
    ("time_in_state", {"any": "user_events"}, "any"),
    *(("interactions", {"filter": text}, "filter") for text in NO_JSON),
]


NODES = [
    {"field": "talk", "op": "like", "value": 1},
    {"field": "colour", "op": "is", "value": "red"},
    {"field": "talk", "op": "ge", "value": None},
    {"field": "talk", "op": "ge", "value": True},
    {"field": "talk", "op": "ge", "value": {"a": 1}},
    {"field": "talk", "op": "ge"},
    {"field": ["talk"], "op": "ge", "value": 1},
    {"field": "talk", "op": ["ge"], "value": 1},
    {"field": "talk", "op": "ge", "value": 1, "sql": "1 = 1"},
    {"any": [{"none": [{"all": []}]}]},
    {"all": [], "any": []},
    "talk",
]
TREES_REFUSED = [
    *({"all": [each]} for each in NODES),
    {"all": [{"field": "talk", "op": "is", "value": 1}] * 51},
]
NO_TREES = [("interactions", {"filter": json.dumps(each)}, "filter") for each in TREES_REFUSED]


@pytest.mark.parametrize(("source", "given_", "name"), [*REFUSED, *NO_TREES])
def test_what_cannot_be_used_is_refused_by_its_name(
    stored: list[dict[str, Any]], source: str, given_: dict[str, Any], name: str
) -> None:
    with pytest.raises(QueryError) as refused:
        parse_any(source, given_)
    assert set(refused.value.errors) == {name}
    assert "%(" not in refused.value.errors[name].render()


def parse_any(source: str, given_: dict[str, Any]) -> None:

    listed = {key: [value] for key, value in given_.items()}
    parse({**SOURCES, "events": EVENTS}[source], listed, "UTC", NOW, answer.names(scope.whole()))


def test_masked_contacts_cannot_be_searched(stored: list[dict[str, Any]]) -> None:
    viewer = Scope(make.user("lead").id, ALL - {Permission.PII_UNMASK}, None, None)
    with pytest.raises(QueryError) as refused:
        ask(viewer, "interactions", contact__contains="zakaznik")
    assert set(refused.value.errors) == {"contact__contains"}


def node(raw: Any, row: dict[str, Any]) -> bool:
    """Return whether a tree is true of a row, in plain Python."""
    if "field" not in raw:
        ((how, parts),) = raw.items()
        told = [node(each, row) for each in parts]
        return all(told) if how == "all" else any(told) if how == "any" else not any(told)
    value, given_ = row[raw["field"]], raw.get("value")
    match raw["op"]:
        case "is_empty":
            return value in (None, "")
        case "one_of" | "is_any_of":
            return value in given_
        case "not_one_of":
            return value not in given_
        case "contains":
            return value is not None and folded(given_) in folded(value)
        case "ge":
            return bool(value >= given_)
        case _:
            return bool(value < given_)


LEAVES = st.one_of(
    st.fixed_dictionaries({
        "field": st.just("talk"), "op": st.sampled_from(["ge", "lt"]), "value": st.integers(0, 250)
    }),
    st.fixed_dictionaries({
        "field": st.just("queue"), "op": st.sampled_from(["one_of", "not_one_of"]),
        "value": st.lists(st.sampled_from(["support", "sales"]), min_size=1, max_size=2),
    }),
    st.just({"field": "queue", "op": "is_empty"}),
    st.fixed_dictionaries({
        "field": st.just("title"), "op": st.just("contains"),
        "value": st.sampled_from(["nov", "田中", "aaaa"]),
    }),
)  # fmt: skip
HOW = st.sampled_from(["all", "any", "none"])
GROUPS = st.tuples(HOW, st.lists(LEAVES, max_size=3)).map(lambda pair: {pair[0]: pair[1]})
TREES = st.tuples(HOW, st.lists(st.one_of(LEAVES, GROUPS), max_size=3)).map(lambda pair: {pair[0]: pair[1]})
EVENTS_OF = st.lists(
    st.tuples(
        st.booleans(), st.sampled_from(["accepted", "rejected", "muted", "held"]),
        st.sampled_from(["", "jana", "petr"]),
    ),
    max_size=2,
)  # fmt: skip


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=TREES, others=EVENTS_OF)
def test_any_conditions_equal_plain_python(
    stored: list[dict[str, Any]], tree: dict[str, Any], others: list[tuple[bool, str, str]]
) -> None:
    given_: dict[str, Any] = {"filter": json.dumps(tree), "any": [], "none": []}
    rows = [row for row in stored if node(tree, row)]
    for none, kind, user in others:
        given_["none" if none else "any"].append(
            f"user_events:kind={kind}" + (f";user={user}" if user else "")
        )
        rows = [row for row in rows if happened(row, kind, user) is not none]
    found = ask(scope.whole(), "activities", limit="1000", columns="id", **given_)
    assert {row["id"] for row in found.rows} == {row["id"] for row in rows}
    total = ask(scope.whole(), "activities", measures="sum:interaction.talk,count", **given_).totals
    assert total == {"sum:interaction.talk": sum(row["talk"] for row in rows), "count": len(rows)}


def happened(row: dict[str, Any], kind: str, user: str) -> bool:
    people = ("jana", "petr")
    return any(each == kind and user in ("", people[k % 2]) for k, each in enumerate(row["kinds"]))


def test_interactions_that_nobody_accepted(stored: list[dict[str, Any]]) -> None:
    found = ask(scope.whole(), "interactions", none="user_events:kind=accepted", measures="count")
    assert found.totals == {"count": sum("accepted" not in row["kinds"] for row in stored)}
    both = ask(scope.whole(), "interactions", any="user_events:kind=accepted;kind=rejected", measures="count")
    assert both.totals == {"count": sum(bool(row["kinds"]) for row in stored)}
    events = ask(scope.whole(), "user_events", none="user_events:kind=accepted", measures="count")
    assert events.totals == {"count": 2 * len(TITLES)}


HIDDEN = [
    {"any": "user_events:kind=accepted"},
    {"none": "user_events:kind=held"},
    {"title__contains": "novak"},
    {"filter": '{"any": [{"field": "title", "op": "contains", "value": "novak"}]}'},
]


@pytest.mark.parametrize("given_", HIDDEN, ids=str)
def test_rows_outside_the_queues_of_a_viewer_answer_no_condition(
    stored: list[dict[str, Any]], given_: dict[str, Any]
) -> None:
    viewer = Scope(make.user("lead").id, ALL, None, frozenset())
    assert ask(viewer, "activities").count == len(stored)
    assert ask(viewer, "activities", **given_).count == 0


def test_conditions_are_told_in_words(app: Flask, stored: list[dict[str, Any]]) -> None:
    tree = {
        "any": [
            {"field": "talk", "op": "ge", "value": "1:30"},
            {"none": [{"field": "queue", "op": "is_empty"}]},
        ]
    }
    given_ = {"none": "user_events:kind=accepted", "filter": json.dumps(tree), "contact__contains": "nov"}
    with app.test_request_context():
        asked = query(scope.whole(), "interactions", **given_)
        assert display.conditions(scope.whole(), asked) == [
            ("none", "None of User events: User event: Action: Accepted"),
            ("filter", "any of: Talk time: at least 0:01:30; (none of: Queue: none)"),
        ]
        assert display.sentence(scope.whole(), asked, asked.filters[0]) == "Contact: contains nov"
