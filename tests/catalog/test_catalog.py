"""The catalogue of event types keeps its own rules."""

from __future__ import annotations

import re

import pytest

from dashboard import catalog
from dashboard.audit.record import NO_EVENTS
from dashboard.catalog import EventType
from dashboard.settings import ROOT

AGENT = ("signed_in", "signed_out", "ready", "not_ready", "pause_started", "pause_ended")
LIFE = (
    *("queued", "offered", "rejected", "ignored", "withdrawn", "accepted", "connected", "disconnected"),
    *("held", "resumed", "muted", "unmuted", "transferred", "postponed", "reopened"),
    *("closed", "abandoned", "missed"),
)
USERS_DAY = [
    *(f"agent.{verb}" for verb in AGENT),
    *(f"{o}.{verb}" for o in ("call", "email", "chat") for verb in LIFE),
    *("call.dialled", "call.unreached"),
    *(f"ticket.{verb}" for verb in ("created", "updated", "closed", "reopened")),
]


TYPES = tuple(catalog.CATALOG.values())
OWN_GROUPS = ("dashboard", "rules", "system")


@pytest.mark.parametrize("name", USERS_DAY)
def test_all_event_types_of_a_users_day_are_accepted_from_sources(name):
    assert catalog.CATALOG[name].name == name
    assert not catalog.CATALOG[name].internal


def by_name(type_: EventType) -> str:
    return type_.name


@pytest.mark.parametrize("type_", TYPES, ids=by_name)
def test_types_have_one_dot_a_known_group_and_unique_fields(type_):
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*", type_.name)
    assert len(type_.name) <= catalog.NAME_LIMIT
    assert type_.group in catalog.GROUPS
    assert set(type_.needs) <= {"user", "interaction", "session"}
    names = [field.name for field in type_.fields]
    assert len(names) == len(set(names)) == len({field.label for field in type_.fields})
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in names)
    assert all(bool(field.choices) == (field.kind is catalog.Kind.CHOICE) for field in type_.fields)


def test_fields_of_the_same_name_are_equal_except_for_choices():
    kinds = {}
    for type_ in TYPES:
        for field in type_.fields:
            kinds.setdefault(field.name, set()).add(field.kind)
    assert {name: found for name, found in kinds.items() if len(found) > 1} == {}


@pytest.mark.parametrize("group", catalog.GROUPS)
def test_groups_have_types_and_unique_labels(group):
    labels = [type_.label for type_ in TYPES if type_.group == group]
    assert len(labels) == len(set(labels))
    assert bool(labels) == (group != "custom")


def test_type_names_are_unique():
    assert len(catalog._TYPES) == len(catalog.CATALOG)


def test_system_groups_are_only_for_system_rules():
    system = {type_.group for type_ in TYPES if type_.level == "system"}
    personal = {type_.group for type_ in TYPES if type_.level == "personal"}
    assert system - personal == {"contacts", "commerce", "mail", "sources", "dashboard", "system"}
    mixed = [t.name for t in TYPES if t.group in system & personal and t.level == "personal"]
    assert mixed == ["visitor.active", "visitor.idle", "schedule.reached"]


def test_internal_types_are_not_accepted_from_sources():
    ours = [type_ for type_ in TYPES if type_.internal]
    ends = re.compile(r".*(_due|_reached|\.due|\.idle|\.waiting|\.overdue|\.reached)")
    found = {type_.name for type_ in ours if type_.group not in OWN_GROUPS}
    assert found == {
        *("ticket.followup_due", "ticket.idle", "ticket.age_reached", "ticket.count_reached"),
        *("chat.idle", "chat.count_reached", "task.due", "task.overdue", "thread.moderation_due"),
        *("agent.idle", "agent.capacity_reached", "agent.pause_limit_reached", "agent.time_corrected"),
        *("call.waiting", "chat.waiting", "ticket.waiting"),
        *("source.silent", "source.resumed", "source.backlog"),
    }
    by_sources_too = "visitor.idle"  # of portals that do not load the script
    found = [type_ for type_ in TYPES if ends.fullmatch(type_.name) and type_.name != by_sources_too]
    assert all(type_.internal for type_ in found)
    assert all(type_.internal for type_ in TYPES if type_.group in OWN_GROUPS)


def test_time_and_count_types_are_fired_by_timers_or_counters():
    times = [t for t in TYPES if re.fullmatch(r".*[._](due|idle|waiting|inactive|stale)", t.name)]
    counts = [t for t in TYPES if re.fullmatch(r".*_(count|capacity)_reached", t.name)]
    assert {t.origin for t in times} == {catalog.Origin.TIMER}
    assert {t.origin for t in counts} <= {catalog.Origin.COUNTER}


def test_only_internal_types_occur_without_a_source():
    free = {t.name.partition(".")[0] for t in TYPES if not t.needs_source}
    own = {t.name.partition(".")[0] for t in TYPES if t.group in OWN_GROUPS}
    assert free == own | {"mail_out", "source"}


def test_shop_and_visitor_step_types_are_off_by_default():
    off = {t.name for t in TYPES if not t.on}
    assert {t.name for t in TYPES if t.group == "commerce"} <= off
    assert {"visitor.page_viewed", "contact.interest_increased", "ticket.viewed"} <= off
    assert not off & {"visitor.active", "visit.started", "visit.ended", "session.opened", "session.closed"}
    assert not off & {*USERS_DAY, "contact.created"}


def test_only_views_cannot_trigger_rules():
    assert {t.name for t in TYPES if not t.in_rules} == {
        *("tracing.viewed", "activity.viewed", "audit.viewed", "queue.viewed", "run.viewed"),
        *("interaction.viewed", "event.viewed", "team.viewed", "attendance.viewed", "query.run"),
        *("comparison.viewed", "figures.viewed", "dashboard.viewed", "report.viewed", "visit.viewed"),
        *("cobrowsing.viewed", "cobrowsing.unmasked"),
    }


@pytest.mark.parametrize(("alias", "name"), catalog.ALIASES.items())
def test_alias_resolves_to_its_type_and_is_not_a_type(alias, name):
    assert catalog.is_name(alias)
    assert alias not in catalog.CATALOG
    assert catalog.find(alias) is catalog.CATALOG[name]


def test_every_audited_action_has_an_event_type(process_app):
    about_others = {"starter_rules.py", "sample.py"}  # name the types of events of others
    files = [file for file in (ROOT / "dashboard").rglob("*.py") if file.name not in about_others]
    texts = [file.read_text() for file in files]
    recorders = [text for text in texts if "record as audit" in text or "import deliver" in text]
    acts = {
        sure or spoken
        for text in recorders
        for sure, spoken in re.findall(r'audit\.\w+\(\s*"([a-z_.]+)"|"([a-z_]+\.[a-z_]+ed)"', text)
    }
    pages = {rule.endpoint for rule in process_app.url_map.iter_rules()}
    acts = {act for act in acts if act not in pages or catalog.find(act)}
    assert len(acts) > 20
    assert {act for act in acts if catalog.find(act) is None} == NO_EVENTS
    assert {act for act in acts - NO_EVENTS if not catalog.find(act).internal} == set()


@pytest.mark.parametrize(
    ("name", "known"),
    [
        pytest.param("call.accepted", True, id="in the catalogue"),
        pytest.param("custom.order_paid", True, id="custom"),
        pytest.param("custom.shop.order_paid", True, id="custom with a family"),
        pytest.param("custom." + "a" * 73, True, id="80 letters"),
        pytest.param("custom." + "a" * 74, False, id="81 letters"),
        pytest.param("custom.", False, id="custom without a name"),
        pytest.param("custom", False, id="no dot"),
        pytest.param("custom.Order", False, id="upper case"),
        pytest.param("custom.a..b", False, id="empty word"),
        pytest.param("custom.a\n", False, id="line break at the end"),
        pytest.param("custom.ž", False, id="letter outside a-z"),
        pytest.param("custom.٣", False, id="digit outside 0-9"),
        pytest.param("call.acepted", False, id="not in the catalogue"),
        pytest.param("", False, id="empty"),
    ],
)
def test_known_types_are_catalogued_or_well_formed_custom_names(name, known):
    found = catalog.find(name)
    assert (found is not None) is known
    if found is not None:
        assert found.name == name
