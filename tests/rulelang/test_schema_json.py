"""The JSON form of a definition: out and in again, and hostile."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dashboard.rulelang import schema
from dashboard.rulelang.matcher import Loop
from dashboard.rulelang.rate_limits import PERIODS, By
from dashboard.rulelang.schema import Definition
from tests.rulelang.make import SITE
from tests.rulelang.make import defined as good

limits = st.one_of(
    st.just({}),
    st.builds(lambda by: {"often": "once", "by": by}, st.sampled_from(list(By))),
    st.builds(lambda s: {"often": "period", "seconds": s}, st.sampled_from(PERIODS)),
)
actions = st.one_of(
    st.builds(
        lambda tags, limit: {"do": "tag", "tags": tags, "limit": limit},
        st.lists(st.sampled_from(["a", "b", "č"]), min_size=1, max_size=4),
        limits,
    ),
    st.builds(
        lambda ids, title, text: {
            "do": "notify",
            "to": {"users": ids, "roles": ["leads"]},
            "title": title,
            "text": text,
        },
        st.lists(st.sampled_from([3, 4])),
        st.sampled_from(["T", "{{ event.time }}"]),
        st.sampled_from(["", "a\nb"]),
    ),
    st.builds(
        lambda d: {"do": "webhook", "channel": 1, "delay_s": d, "on_error": "undo"}, st.integers(0, 99)
    ),
    st.builds(
        lambda v: {"do": "emit", "type": "custom.x", "data": {"a": v}},
        st.sampled_from(["1", "{{ user.name }}"]),
    ),
)
calendars = st.sampled_from(["", "Brno"])
seconds = st.integers(1, 10_000)
kinds = st.one_of(
    st.just({"types": ["chat.queued", "custom.x"]}),
    st.builds(
        lambda n, s: {"types": ["chat.queued"], "times": {"number": n, "seconds": s, "clear": n - 1}},
        st.integers(1, 50),
        seconds,
    ),
    st.builds(
        lambda s, c: {"types": ["chat.queued"], "wait": {"seconds": s, "calendar": c}}, seconds, calendars
    ),
    st.builds(
        lambda s, c: {"types": ["ticket.idle"], "after": {"seconds": s, "calendar": c}}, seconds, calendars
    ),
    st.builds(
        lambda n: {"types": ["chat.count_reached"], "count": {"number": n, "by": "queue"}}, st.integers(1, 9)
    ),
    st.builds(
        lambda at, days: {"types": ["schedule.reached"], "schedule": {"at": at, "days": days}},
        st.lists(st.sampled_from(["08:00", "23:59"]), min_size=1, max_size=4),
        st.lists(st.integers(1, 7), min_size=1, max_size=7),
    ),
)


@given(kinds, st.lists(actions, min_size=1, max_size=4), st.booleans(), st.sampled_from(list(Loop)))
def test_the_json_form_gives_the_same_definition_again(
    kind: dict[str, Any], then: list[Any], stop: bool, loop: Loop
) -> None:
    found = good({**kind, "then": then, "stop": stop, "loop": str(loop)})
    dumped = schema.dump(found)
    assert good(json.loads(json.dumps(dumped))) == found
    assert schema.dump(good(dumped)) == dumped


WORDS = [
    "types",
    "if",
    "times",
    "after",
    "wait",
    "count",
    "schedule",
    "then",
    "stop",
    "loop",
    "zone",
    "all",
    "field",
    "op",
    "value",
    "do",
    "to",
    "title",
    "tags",
    "limit",
    "often",
    "seconds",
    "users",
    "channel",
    "notify",
    "email",
    "tag",
    "emit",
    "chat.queued",
    "ticket.idle",
    "schedule.reached",
    "one_of",
    "queue",
    "period",
    "data",
    "type",
    "addresses",
    "{{ x",
    "a\x00",
    "\ud800",
    "",
]
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.sampled_from(WORDS), st.text(max_size=3)
)
hostile = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=12,
)
broken = st.fixed_dictionaries(
    {"types": st.lists(st.sampled_from(["chat.queued", "ticket.idle", "schedule.reached", 1])) | hostile},
    optional=dict.fromkeys(WORDS[1:11], hostile),
)


@given(hostile | broken)
def test_whatever_json_comes_nothing_is_raised(made: Any) -> None:
    for site in (SITE, None):
        found = schema.parse(made, site)
        if isinstance(found, Definition):
            assert good(schema.dump(found), site) == found
        else:
            assert found
            assert all(isinstance(path, str) and said.render() for path, said in found.items())


def test_a_deep_pile_of_lists_is_refused() -> None:
    pile: Any = []
    for _level in range(900):
        pile = [pile]
    found = schema.parse({"types": pile, "if": {"all": pile}, "then": pile, "wait": pile}, SITE)
    assert not isinstance(found, Definition)
