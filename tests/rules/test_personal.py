"""One's own rules: about what the owner may see at this moment, and doing what the owner may do."""

from __future__ import annotations

from typing import Any

import pytest

from dashboard.access.permissions import Permission as P
from dashboard.models import Access, AccessGrant, Channel, Rule, Step, TeamLead, TeamMember, User
from dashboard.models import Team as Teams
from dashboard.rules import active_rules
from tests import make
from tests.rules.engine import LOG, acted, event, notices, notify, rule, take

pytestmark = pytest.mark.usefixtures("db")

CALL = "call.rejected"


def owner(*permissions: P, grants: tuple[Any, ...] = ()) -> User:
    return make.user("owner", access=make.access({P.RULES_OWN, *permissions}, grants))


def mine(of: User, *then: dict[str, Any], **more: Any) -> Rule:
    return rule(list(then) or [LOG], [CALL], owner_id=of.id, **more)


def call(user: str, seconds: float = 0, **more: Any) -> dict[str, Any]:
    return event(CALL, seconds, user=user, interaction=f"{user} {seconds}", **more)


def test_rule_of_an_agent_is_evaluated_for_own_work_only() -> None:
    one = mine(owner())
    make.user("other")
    assert take(call("other"), call("owner", 1)) == [(one.id, "done")]


def test_rule_of_a_lead_is_evaluated_for_the_current_team() -> None:
    lead, member, team = (
        owner(grants=("led_teams", "all_queues")),
        make.user("member"),
        Teams.create(name="A"),
    )
    TeamLead.create(team=team, user=lead)
    one = mine(lead)
    take(call("member"))
    assert acted() == []
    TeamMember.create(team=team, user=member)
    assert take(call("member", 1)) == [(one.id, "done")]
    TeamMember.delete().execute()
    assert take(call("member", 2)) == [(one.id, "done")]


def test_work_in_a_queue_outside_the_scope_is_not_heard_of() -> None:
    seen, hidden = make.queue("seen"), make.queue("hidden")
    one = mine(owner(grants=("all_users", ("queues", seen.id))))
    make.user("other")
    take(call("other", queue=hidden.name), call("other", 1))
    assert acted() == []
    assert take(call("other", 2, queue=seen.name)) == [(one.id, "done")]


def test_an_event_of_no_user_is_heard_of_by_its_queue() -> None:
    seen, hidden = make.queue("seen"), make.queue("hidden")
    one = rule(LOG, ["chat.queued"], owner_id=owner(grants=(("queues", seen.id),)).id)
    take(event("chat.queued", interaction="a", queue=hidden.name), event("chat.queued", 1, interaction="b"))
    assert acted() == []
    assert take(event("chat.queued", 2, interaction="c", queue=seen.name)) == [(one.id, "done")]


def test_a_number_counts_only_what_the_owner_may_see() -> None:
    one = mine(owner(), times={"number": 2, "seconds": 600, "by": "rule"})
    make.user("other")
    take(call("other"), call("owner", 1), call("other", 2))
    assert acted() == []
    assert take(call("owner", 3)) == [(one.id, "done")]


def test_rules_of_a_deactivated_owner_rest_until_the_owner_is_back() -> None:
    one = mine(owner())
    User.update(deactivated_ts=1).where(User.login == "owner").execute()
    assert take(call("owner")) == []
    User.update(deactivated_ts=None).where(User.login == "owner").execute()
    assert take(call("owner", 1)) == [(one.id, "done")]


def test_rules_of_an_owner_who_may_have_none_any_more_rest() -> None:
    mine(owner())
    Access.update(permissions=[]).where(Access.name != "").execute()
    assert take(call("owner")) == []


@pytest.mark.parametrize(("permissions", "state"), [((), "failed"), ((P.RULES_OUTWARD,), "waiting")])
def test_calling_out_needs_its_own_permission_when_the_rule_runs(
    permissions: tuple[P, ...], state: str
) -> None:
    channel = Channel.create(name="Hook", kind="webhook", address="http://x.example", created_ts=1)
    one = mine(owner(*permissions), {"do": "webhook", "channel": channel.id})
    assert take(call("owner")) == [(one.id, state)]
    assert Step.get().state == state


def test_personal_rule_notifies_only_people_whom_the_owner_may_see() -> None:
    one, boss = owner(), make.administrator("boss")
    mine(one, {**notify(one, boss), "to": {"users": [one.id, boss.id], "roles": ["owner", "admins"]}})
    take(call("owner"))
    assert (len(notices(one)), len(notices(boss))) == (1, 0)


def test_is_me_and_on_my_team_are_the_owners() -> None:
    one, mate = owner(grants=("all_users", "all_queues")), make.user("mate")
    team = Teams.create(name="A")
    for each in (one, mate):
        TeamMember.create(team=team, user=each)
    make.user("stranger")
    me = mine(one, **{"if": {"all": [{"field": "user", "op": "is_me"}]}})
    ours = mine(one, **{"if": {"all": [{"field": "user", "op": "on_my_team"}]}})
    assert take(call("stranger"), call("mate", 1), call("owner", 2)) == [
        (ours.id, "done"),
        (me.id, "done"),
        (ours.id, "done"),
    ]


def test_a_rule_of_ones_own_never_stops_those_of_others() -> None:
    everything = ("all_users", "all_queues")
    other = make.user("other", access=make.access({P.RULES_OWN}, everything))
    first = mine(owner(grants=everything), stop=True, position=1)
    second = rule(LOG, [CALL], owner_id=other.id, position=2)
    assert take(call("owner")) == [(first.id, "done"), (second.id, "done")]


def test_a_change_of_rights_on_the_pages_is_known_to_rules_at_once() -> None:
    from dashboard.access import granting

    before = active_rules.live().version
    with granting.changing(make.administrator("admin").id):
        AccessGrant.delete().where(AccessGrant.kind == "users").execute()
    assert active_rules.live().version != before
