"""Every data source keeps to the scope of every preset, and answers or refuses whatever it is asked."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec
import pytest
import time_machine
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashboard.access import scope
from dashboard.access.permissions import PRESETS, Permission, Preset
from dashboard.access.scope import Scope
from dashboard.db.search import of_contact
from dashboard.models import (
    Activity,
    CobrowseAgent,
    CobrowseSession,
    CobrowseStep,
    Contact,
    Event,
    Interaction,
    Interval,
    Team,
    TeamLead,
    TeamMember,
    User,
)
from dashboard.models import Source as Origin
from dashboard.sources import answer, run
from dashboard.sources.catalogue import EVENTS, SOURCES
from dashboard.sources.parameters import parse
from dashboard.sources.period import Bucket, TooManyBuckets
from dashboard.sources.query import Op, QueryError, Sum
from dashboard.sources.types import Source
from dashboard.tracing.types import Kind
from tests import make

pytestmark = pytest.mark.both_databases

NOW = 1_767_225_600 + 40 * 86_400
DECLARED = {**SOURCES, EVENTS.name: EVENTS}
# What only a viewer who sees petr, the queue “closed shop”, or contacts unmasked may read.
OF_PETR = ("petr", "southern")
OF_QUEUE = ("closed shop", "closed-shop", "secret title", "secret-call", "secret-ticket")
OF_CONTACT = ("hidden person",)


def ask(viewer: Scope, source: Source, /, **given_: Any) -> answer.Answer:
    listed = {name: [value] if isinstance(value, str) else value for name, value in given_.items()}
    return answer.answer(viewer, parse(source, listed, "UTC", NOW, answer.names(viewer)), NOW)


def work(user: User, queue: int, name: str, channel: str, contact: int, title: str) -> None:
    """Store an interaction that entered a queue, with the user's activity and events on it."""
    at = NOW - 7200
    i = Interaction.create(
        source=1, external_id=name, channel=channel, first_ms=at * 1000, queued_ts=at, queue_id=queue,
        wait_s=5, contact_id=contact, outcome="answered", completed_by=user.id, talk_s=60, ended_ts=at + 90,
    )  # fmt: skip
    a = Activity.create(
        interaction_id=i.id, user_id=user.id, source_id=1, channel=channel, state="closed", queue_id=queue,
        contact_id=contact, title=title, start_ts=at, end_ts=at + 90, closed_ts=at + 90, handling_s=60,
    )  # fmt: skip
    for kind, start, end in ((Kind.LOGIN, 0, 3600), (Kind.HANDLING, 30, 90)):
        Interval.create(
            user_id=user.id, kind=kind, start_ts=at + start, end_ts=at + end, source_id=1, channel=channel,
            activity_id=a.id, queue_id=queue,
        )  # fmt: skip
    s = CobrowseSession.create(
        source=1, external_id=f"browsing-{name}", contact_id=contact, interaction=name, first_ms=at * 1000,
        last_ms=at * 1000, steps=1, joined=True,
    )  # fmt: skip
    CobrowseAgent.create(session=s, user_id=user.id)
    CobrowseStep.create(
        event_id=s.id,
        session=s,
        time_ms=at * 1000,
        kind="click",
        by_agent=True,
        user_id=user.id,
        element=title,
    )
    for n, verb in enumerate(("queued", "accepted", "closed")):
        Event.create(
            source_id=1, external_id=f"{name}.{n}", type=f"{channel}.{verb}", time_ms=(at + n * 30) * 1000,
            recorded_ms=0, user_id=user.id if n else None, queue_id=queue, interaction=name,
        )  # fmt: skip


@pytest.fixture
def site(app: Flask) -> None:
    """Store work of jana of the northern team, led by the viewer, and of petr, in two queues."""
    Origin.create(id=1, name="pbx", created_ts=0)
    jana, petr = make.user("jana"), make.user("petr", email="petr@example.org")
    for name, member in (("northern", jana), ("southern", petr)):
        TeamMember.create(team=Team.create(name=name), user=member)
    support, other = make.queue("support").id, make.queue("closed-shop", label="Closed shop").id
    person = Contact.create(key="1", name="Hidden person", search=of_contact("Hidden person", "", "")).id
    work(jana, support, "open-call", "call", person, "Open title")
    work(jana, other, "secret-call-1", "call", person, "Secret title 1")
    work(petr, other, "secret-call-2", "call", person, "Secret title 2")
    work(petr, support, "open-call-2", "call", person, "Open title")
    work(jana, other, "secret-ticket", "ticket", person, "Secret title 3")


def viewer(preset: Preset) -> Scope:
    """Return the scope of a user of a preset who leads the northern team; of queues, support is given."""
    grants: list[Any] = list(preset.grants)
    if "all_queues" not in grants:
        grants.append(("queues", 1))
    user = make.user("viewer", access=make.access(preset.permissions, grants))
    TeamLead.create(team=Team.get(Team.name == "northern"), user=user)
    return scope.of_user(user)


def outside(seen: Scope) -> list[str]:
    """Return what must not occur in anything that the viewer reads."""
    petr, other = User.get(User.login == "petr").id, 2
    found = [] if seen.sees(petr) else list(OF_PETR)
    found += OF_QUEUE if seen.queues is not None and other not in seen.queues else ()
    return found + ([] if seen.can(Permission.PII_UNMASK) else list(OF_CONTACT))


def columns(source: Source) -> str:
    return ",".join(name for name, (entity, _field) in source.fields.items() if not entity.many)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
@time_machine.travel(NOW, tick=False)
def test_nothing_outside_the_scope_of_a_preset_is_read(site: None, preset: Preset) -> None:
    seen = viewer(preset)
    hidden = outside(seen)
    for source in DECLARED.values():
        choices = source.fields[source.single][1].choices if source.single else {}
        one = {source.single: next(iter(choices))} if choices else {}
        read = [ask(seen, source, columns=columns(source), limit="1000").rows]
        chosen = ask(seen, source, limit="1000", **one).rows
        number = sum(row[source.counted] for row in chosen) if source.counted else len(chosen)
        assert ask(seen, source, measures="count", **one).totals == {"count": number}, source.name
        read += [ask(seen, source, group=name, measures="count", **one).rows for name in source.usable]
        text = msgspec.json.encode(read).decode().lower()
        assert [each for each in hidden if each in text] == [], source.name


@time_machine.travel(NOW, tick=False)
def test_a_viewer_of_everything_reads_all_of_it(site: None) -> None:
    """What the test above looks for is there."""
    read = [ask(scope.whole(), source, columns=columns(source)).rows for source in DECLARED.values()]
    text = msgspec.json.encode(read).decode().lower()
    assert all(each in text for each in (*OF_PETR, *OF_QUEUE, *OF_CONTACT))


HOSTILE = st.sampled_from((
    "", "'", '"; DROP TABLE event; --', "%", "?", "\\", "{viewer}", "/*teams*/", "\x00", "𠮷", "-1", "0", "1",
    "9" * 40, "1e400", "NaN", "1:30", "null", "[]", "jana", "support", "true", "2026-02-30", "count", "sum:",
    ":", "a" * 5000, "ratio:x", "share:share:count", "running:count", "count_distinct:", "novák", "田中",
    "user_events:kind=accepted", "user_events:;=", '{"none": [[]]}',
    '{"all": [{"field": "id", "op": "is", "value": "\'"}]}',
))  # fmt: skip
RESERVED = (
    "period", "from", "to", "tz", "q", "any", "none", "filter", "columns", "group", "measures", "compare",
    "sort", "limit", "after", "unit", "date",
)  # fmt: skip


@st.composite
def asked(draw: st.DrawFn) -> tuple[str, dict[str, list[str]]]:
    """Return a source and parameters: names of fields, parts of queries, and what is neither."""
    source = draw(st.sampled_from(sorted(DECLARED)))
    fields = st.sampled_from(sorted(DECLARED[source].fields))
    names = st.one_of(
        fields,
        st.sampled_from(RESERVED),
        st.tuples(fields, st.sampled_from([*Op, "like", "__"])).map("__".join),
        HOSTILE,
    )
    measures = st.tuples(st.sampled_from([*Sum, "x"]), fields).map(":".join)
    values = st.one_of(HOSTILE, fields, st.sampled_from(list(Bucket)), measures, measures)
    return source, draw(st.dictionaries(names, st.lists(values, min_size=1, max_size=2), max_size=5))


# Errors of parameters that are missing, by the parameter that would be right.
MISSING = {"measures", "columns", "layer", "compare", "group"}


@settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=asked())
def test_whatever_is_asked_is_answered_or_refused_by_its_name(
    site: None, asked: tuple[str, dict[str, list[str]]]
) -> None:
    source, given_ = asked
    refused: QueryError | None = None
    with time_machine.travel(NOW, tick=False), suppress(run.TooLong, TooManyBuckets):
        try:
            ask(scope.whole(), DECLARED[source], **given_)
        except QueryError as error:
            refused = error
    if refused is not None:
        assert refused.errors
        assert set(refused.errors) <= {*given_, *MISSING}
        assert all(each.render() for each in refused.errors.values())
