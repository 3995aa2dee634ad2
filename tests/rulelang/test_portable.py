"""What is kept of a definition that is partly wrong, whatever it holds."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dashboard.rulelang import portable, schema
from dashboard.rulelang.schema import Definition
from tests.rulelang.make import SITE

TAG: dict[str, Any] = {"do": "tag", "tags": ["vip"]}
WORDS = """types if then wait after times all any field op value do to users channel calendar user queue
one_of notify tag tags chat.queued x"""
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.sampled_from(WORDS.split()))
hostile = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS.split()), inner, max_size=4)
    ),
    max_leaves=12,
)
IDS = {kind: {"x": 3} for kind in ("user", "queue", "team", "access", "channel", "rule")}


@given(
    st.fixed_dictionaries(
        {
            "types": st.just(["chat.queued"]),
            "then": st.lists(hostile, max_size=3).map(lambda some: [*some, TAG]),
        },
        optional=dict.fromkeys(["if", "wait", "after", "times"], hostile),
    )
)
def test_whatever_a_file_holds_the_good_is_kept_and_nothing_raised(raw: dict[str, Any]) -> None:
    numbered, _lost = portable.numbered(raw, IDS)
    found, warnings = portable.prune(numbered, SITE)
    assert all(each.render() for each in warnings)
    if isinstance(found, Definition):
        assert schema.parse(schema.dump(found), SITE) == found
        assert "tag" in [each.do for each in found.then]


def test_what_was_given_is_not_changed() -> None:
    raw: dict[str, Any] = {"types": ["chat.queued", "x"], "times": 1, "then": [TAG, {"do": "sing"}], "y": 1}
    before = {**raw, "types": list(raw["types"]), "then": list(raw["then"])}
    found, warnings = portable.prune(raw, SITE)
    assert raw == before
    assert isinstance(found, Definition)
    assert len(warnings) == 4
