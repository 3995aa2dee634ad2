"""Rules on Home: what acted today, what was given up or paused, and only to those who may see rules."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine
from flask.testing import FlaskClient

from dashboard import clock
from dashboard.access.permissions import Permission
from dashboard.models import Rule, Run, Step, User
from dashboard.rulelang.outcomes import RunOutcome, StepState
from tests import make
from tests.pages import asks, trail

pytestmark = pytest.mark.dated

P = Permission
DONE, QUIET = RunOutcome.DONE, RunOutcome.NOT_MATCHED
DAY_MS = 86_400_000


@pytest.fixture(autouse=True)
def noon() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(trail.at("2026-03-04 12:00"), tick=False) as traveller:
        yield traveller


def rule(name: str, owner: User | None = None, **fields: object) -> Rule:
    given = {"definition": {}, "created_ts": 1, "updated_ts": 1, **fields}
    return Rule.create(name=name, owner_id=owner.id if owner else None, **given)


def run(of: Rule, outcome: RunOutcome = DONE, ago_ms: int = 0) -> Run:
    made = clock.now_ms() - ago_ms
    key = f"{of.id}:{Run.select().count()}"
    return Run.create(firing=key, rule_id=of.id, version=1, outcome=outcome.value, at_ms=made, made_ms=made)


def panel(client: FlaskClient) -> str:
    return client.get("/").text.partition('id="fired"')[2].partition("</section>")[0]


def attention(client: FlaskClient) -> str:
    return client.get("/").text.partition('id="attention"')[2].partition("</section>")[0]


def test_rules_that_ran_today_are_counted_latest_first(client: FlaskClient) -> None:
    asks.sign_in_with(client, P.HOME_VIEW, P.RULES_VIEW)
    often, once, before = rule("Often"), rule(asks.HOSTILE), rule("Before")
    for ago in (60_000, 120_000):
        run(often, ago_ms=ago)
    run(often, QUIET)
    run(once)
    run(before, ago_ms=DAY_MS)
    text = panel(client)
    assert text.index(asks.SHOWN) < text.index("Often")
    assert '>Often</a></th><td class="n">2</td>' in text
    assert "Before" not in text


def test_rule_outside_the_scope_is_not_named(client: FlaskClient) -> None:
    me = asks.sign_in_with(client, P.HOME_VIEW, P.RULES_OWN)
    for each in (rule("Mine", me), rule("Of the site"), rule("Theirs", make.user())):
        run(each)
        Rule.update(state="paused").where(Rule.id == each.id).execute()
    for text in (panel(client), attention(client)):
        assert "Mine" in text
        assert "Of the site" not in text
        assert "Theirs" not in text


def test_without_rules_there_is_no_panel(client: FlaskClient) -> None:
    asks.sign_in_with(client, P.HOME_VIEW)
    rule("Paused one", state="paused")
    assert 'id="fired"' not in client.get("/").text
    assert "Paused one" not in attention(client)


@pytest.mark.parametrize(
    ("right", "told"), [(P.CHANNELS_VIEW, True), (P.RULES_OPERATE, True), (P.RULES_VIEW, False)]
)
def test_undeliverable_messages_are_shown_to_their_managers(
    client: FlaskClient, right: Permission, told: bool
) -> None:
    asks.sign_in_with(client, P.HOME_VIEW, right)
    asked = run(rule("Any"))
    for n, state in enumerate((StepState.DEAD, StepState.DEAD, StepState.DONE)):
        Step.create(
            run=asked, rule_id=asked.rule_id, n=n, action="webhook", key=str(n), state=state.value, made_ms=1
        )
    assert ("2 undeliverable" in attention(client)) is told


def test_panel_is_resent_only_after_a_change(client: FlaskClient) -> None:
    asks.sign_in_with(client, P.HOME_VIEW, P.RULES_VIEW)
    each = rule("Often")
    seen = panel(client).partition('{"seen":"')[2].partition('"')[0]
    part = {"HX-Request": "true", "HX-Target": "fired"}
    assert client.get(f"/?seen={seen}", headers=part).status_code == 204
    run(each)
    assert "Often" in client.get(f"/?seen={seen}", headers=part).text
