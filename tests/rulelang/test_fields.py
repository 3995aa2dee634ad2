"""The fields of the types, their values under an event, and how texts are folded."""

from __future__ import annotations

import pytest

from dashboard import catalog
from dashboard.rulelang import fields, time_predicates
from dashboard.rulelang.fields import ABSENT, ConditionError, Kind
from dashboard.rulelang.operators import operators
from dashboard.rulelang.words import fold
from tests.rulelang.make import event

HOUR = 3_600_000


def test_an_undeclared_path_is_text_that_may_be_compared_as_a_number() -> None:
    field = fields.find("data.order.value", fields.fields(["custom.sale"]))
    assert field is not None
    assert not field.declared
    assert field.kind is Kind.TEXT
    names = {row.name for row in operators(field)}
    assert {"is", "gt", "between", "crossed_up"} <= names
    assert not names & {"is_true", "before", "is_me", "at_least"}


@pytest.mark.parametrize(
    "path", ["nothing", "data", "data.", "data.a b", "data..x", "data" + ".a" * 6, "user.x", ""]
)
def test_another_path_is_no_field(path: str) -> None:
    assert fields.find(path, fields.fields(["custom.sale"])) is None


def test_the_fields_of_every_type_of_the_catalogue_are_known() -> None:
    for type_ in catalog.CATALOG.values():
        known = fields.fields([type_.name])
        assert {f"data.{each.name}" for each in type_.fields} <= set(known)
        assert all(operators(field) for field in known.values())


def test_milliseconds_are_read_as_a_duration_in_seconds() -> None:
    field = fields.fields(["call.rejected"])["data.ring_ms"]
    assert field.kind is Kind.DURATION
    assert fields.value(event({"ring_ms": 1500}), field) == 1.5
    with pytest.raises(ConditionError):
        fields.value(event({"ring_ms": "soon"}), field)


def test_absent_null_and_empty_are_distinct() -> None:
    field = fields.find("data.x", {})
    assert field is not None
    assert [fields.value(event(data), field) for data in ({}, {"x": None}, {"x": ""})] == [ABSENT, None, ""]


def test_a_required_field_that_is_missing_is_an_error() -> None:
    field = fields.fields(["agent.ready"])["user"]
    with pytest.raises(ConditionError):
        fields.value(event(type_="agent.ready"), field)


def test_a_field_is_required_only_where_all_types_require_it() -> None:
    assert not fields.fields(["agent.ready", "call.queued"])["user"].required


def test_a_skipped_hour_has_no_time_of_day() -> None:
    spring = 1774744200000  # 29 March 2026, 00:30 UTC: 1:30 in Prague; an hour later it is 3:30
    seen = [f"{time_predicates.local(spring + n * HOUR, 'Europe/Prague'):%H:%M}" for n in range(2)]
    assert seen == ["01:30", "03:30"]


@pytest.mark.parametrize("text", ["Straße", "ﬁn", "ΌΣΟΣ", "İ", "ᾳ\u0345", "ｶﾞ", "㈱", "ǅ"])
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)
