"""The catalogue of event types keeps its own rules."""

from __future__ import annotations

import re

import pytest

from dashboard import catalog

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


@pytest.mark.parametrize("name", USERS_DAY)
def test_every_event_of_a_users_day_is_known_and_may_come_from_outside(name):
    assert catalog.CATALOG[name].name == name
    assert not catalog.CATALOG[name].own


@pytest.mark.parametrize("type_", catalog.CATALOG.values(), ids=lambda t: t.name)
def test_a_type_has_one_dot_a_known_group_and_fields_named_once(type_):
    assert re.fullmatch(r"[a-z_]+\.[a-z_]+", type_.name)
    assert len(type_.name) <= catalog.NAME_LIMIT
    assert type_.group in catalog.GROUPS
    assert type_.level == ("system" if type_.group in ("sources", "dashboard") else "personal")
    names = [field.name for field in type_.fields]
    assert len(names) == len(set(names))
    assert all(bool(field.choices) == (field.kind is catalog.Kind.CHOICE) for field in type_.fields)


def test_no_two_types_share_a_name_or_a_label():
    labels = [type_.label for type_ in catalog.CATALOG.values()]
    assert len(labels) == len(set(labels))
    assert sum(len(file.TYPES) for file in catalog._FILES) == len(catalog.CATALOG)


def test_only_the_dashboards_own_acts_are_kept_from_outside():
    assert {t.group for t in catalog.CATALOG.values() if t.own} == {"dashboard"}
    assert all(t.own for t in catalog.CATALOG.values() if t.group == "dashboard")


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
        pytest.param("call.answered", False, id="not in the catalogue"),
        pytest.param("", False, id="empty"),
    ],
)
def test_a_type_is_known_when_catalogued_or_a_well_formed_custom_name(name, known):
    found = catalog.find(name)
    assert (found is not None) is known
    if found is not None:
        assert found.name == name
