"""Records that come late, repeated, in pieces or in another order make the same visit as in order."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import count
from typing import Any, NamedTuple

import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashboard.models import Event, Visit
from dashboard.visitors import deadlines
from tests.visitors.portal import Portal, act, ident, page

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
OVER_S = 100  # by then all records have happened, and none is idle for two minutes
KINDS = ("page", "click", "scroll", "form", "input", "custom", "agent")
_visits = count(1)


class Deliveries(NamedTuple):
    """Records with the second at which each happened, and the records that each request brings."""

    records: list[dict[str, Any]]
    requests: list[list[int]]


@st.composite
def deliveries(draw: st.DrawFn) -> Deliveries:
    """Draw up to 12 records, and requests that bring each of them at least once, in any order."""
    seconds = draw(st.lists(st.integers(0, OVER_S), unique=True, min_size=1, max_size=12))
    records = []
    for number, second in enumerate(sorted(seconds)):
        kind = draw(st.sampled_from(KINDS)) if number else "page"
        made = page("r", path=f"/{number}") if kind == "page" else act(kind, "r", el=f"e{number}")
        records.append({**made, "i": f"record{number:05}", "at": second})
    indexes = st.lists(st.integers(0, len(records) - 1), max_size=6)
    requests = draw(st.lists(indexes, max_size=6))
    missing = draw(st.permutations(range(len(records))))
    cut = draw(st.integers(0, len(records)))
    return Deliveries(records, [*requests, list(missing[:cut]), list(missing[cut:])])


def outcome(portal: Portal, name: str, records: list[dict[str, Any]], requests: list[list[int]]) -> Any:
    """Deliver the requests at one moment, let half an hour go by, and return the visit and its events."""
    with time_machine.travel(START, tick=False) as now:
        now.shift(OVER_S)
        last = max(record["at"] for record in records if record["k"] != "agent")
        for request in requests:
            some = [{**records[n], "m": (OVER_S - records[n]["at"]) * 1000} for n in request]
            answer = portal.report(*some, visit=name, browser=name, a=(OVER_S - last) * 1000)
            assert answer.json["ok"] == [each["i"] for each in some]
        for seconds in (60, 15 * 60, 15 * 60):
            now.shift(seconds)
            deadlines.run_due()
        visit = Visit.select().where(Visit.token == ident(name)).dicts().get()
        e = Event
        rows = e.select(e.external_id, e.type, e.time_ms, e.data).where(e.session == ident(name))
        events = {
            (key.partition(":")[2], type_, time_ms, data) for key, type_, time_ms, data in rows.tuples()
        }
    # What a visit was like when it was opened depends on what had come by then.
    opened = {(key, type_) for key, type_, *_rest in events if type_ in ("visit.started", "session.opened")}
    events = {each for each in events if each[1] not in ("visit.started", "session.opened")}
    del visit["id"], visit["token"], visit["browser"]
    assert len(opened) == 2
    return visit, events, opened


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_=deliveries())
def test_order_repetition_and_loss_change_nothing(portal: Portal, given_: Deliveries) -> None:
    names = [f"visit{next(_visits)}" for _ in range(2)]
    in_order = outcome(portal, names[0], given_.records, [[n] for n in range(len(given_.records))])
    mixed = outcome(portal, names[1], given_.records, given_.requests)
    assert json.dumps(mixed[0], sort_keys=True) == json.dumps(in_order[0], sort_keys=True)
    assert mixed[1:] == in_order[1:]
    types = sorted(type_ for _key, type_, *_rest in mixed[1])
    assert types.count("visit.ended") == types.count("session.closed") == types.count("visitor.idle") == 1
