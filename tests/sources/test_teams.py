"""Rows by the teams of their user: each row counts once in each of its teams and once in the total."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from dashboard.access import scope
from dashboard.access.permissions import ALL
from dashboard.access.scope import Scope
from dashboard.models import Activity, Source, Team, TeamLead, TeamMember, User
from dashboard.sources import answer
from dashboard.sources.catalogue import ACTIVITIES
from dashboard.sources.parameters import parse
from dashboard.sources.query import QueryError
from tests import make

pytestmark = pytest.mark.both_databases

NOW = 1_767_225_600 + 40 * 86_400
# People, their teams and the lengths of their talks.
PEOPLE = {
    "jana": (["North", "Night"], [10, 20]), "petr": (["North"], [40]), "eva": (["Night"], [80]),
    "ota": ([], [160]),
}  # fmt: skip


def ask(viewer: Scope, **given: Any) -> answer.Answer:
    listed = {name: [value] if isinstance(value, str) else value for name, value in given.items()}
    return answer.answer(viewer, parse(ACTIVITIES, listed, "UTC", NOW, answer.names(viewer)), NOW)


@pytest.fixture
def users(db: object) -> dict[str, User]:
    source = Source.create(name="pbx", created_ts=0)
    teams = {name: Team.create(name=name) for name in ("North", "Night")}
    queue = make.queue("line", weight=7)
    found = {}
    for login, (names, talks) in PEOPLE.items():
        found[login] = make.user(login, title="Agent", phone="+420 1", email=f"{login}@example.org")
        for name in names:
            TeamMember.create(team=teams[name], user=found[login])
        for n, talk in enumerate(talks):
            ident, user = len(found) * 10 + n, found[login].id
            Activity.create(
                interaction_id=ident, user_id=user, source_id=source.id, channel="call", state="closed",
                queue_id=queue.id, start_ts=NOW - 3600, end_ts=NOW, closed_ts=NOW, talk_s=talk,
            )  # fmt: skip
    return found


def test_a_row_counts_in_each_of_its_teams_and_once_in_the_total(users: dict[str, User]) -> None:
    found = ask(scope.whole(), group="team.name", measures="count,sum:talk,max:talk,median:talk")
    rows = {row["team.name"]: tuple(row.values())[1:] for row in found.rows}
    assert rows == {"North": (3, 70, 40, 20), "Night": (3, 110, 80, 20), None: (1, 160, 160, 160)}
    assert found.totals == {"count": 5, "sum:talk": 310, "max:talk": 160, "median:talk": 40}
    assert found.groups_overlap


FILTERS = [
    ({"team.name": "North"}, {"jana", "petr"}),
    ({"team.name": ["North", "Night"]}, {"jana", "petr", "eva"}),
    ({"team.name__not": "Night"}, {"petr", "ota"}),
    ({"team.name__blank": "1"}, {"ota"}),
    ({"team.name__blank": "0"}, {"jana", "petr", "eva"}),
    ({"team.name": "' OR 1=1 --"}, set()),
    ({"user.title": "Agent", "queue.weight__gte": "7", "user.phone": "+420 1"}, set(PEOPLE)),
    ({"user.email": "eva@example.org"}, {"eva"}),
    ({"queue.weight__gt": "7"}, set()),
]


@pytest.mark.parametrize(("given", "logins"), FILTERS)
def test_rows_are_chosen_by_the_teams_of_their_user(
    users: dict[str, User], given: dict[str, Any], logins: set[str]
) -> None:
    found = ask(scope.whole(), **given)
    talks = [talk for login in logins for talk in PEOPLE[login][1]]
    assert sorted(row["talk"] for row in found.rows) == sorted(talks)
    assert ask(scope.whole(), measures="sum:talk", **given).totals == {"sum:talk": sum(talks)}


def test_a_row_names_the_person_with_all_teams(users: dict[str, User]) -> None:
    rows = ask(scope.whole(), columns="user,user.team,user.title,queue.weight", user="jana").rows
    assert rows[0] == {"user": "jana", "user.team": "Night, North", "user.title": "Agent", "queue.weight": 7}
    with pytest.raises(QueryError) as refused:
        ask(scope.whole(), columns="user,team.name")
    assert set(refused.value.errors) == {"columns"}


@pytest.mark.parametrize(("leads", "seen"), [(["North"], {"North"}), ([], set())])
def test_a_narrow_scope_knows_no_other_teams(
    users: dict[str, User], leads: list[str], seen: set[str]
) -> None:
    lead = make.user("lead")
    for name in leads:
        TeamLead.create(team=Team.get(Team.name == name), user=lead)
    viewer = Scope(lead.id, ALL, frozenset(user.id for user in users.values()), None)
    groups = ask(viewer, group="team.name", measures="count").rows
    assert {row["team.name"] for row in groups} - {None} == seen
    shown = {row["user.team"] for row in ask(viewer, columns="user.team").rows}
    assert shown - {None} == seen
    for name, asked in product(("North", "Night"), ("team.name", "user.team")):
        assert bool(ask(viewer, **{asked: name}).rows) == (name in seen)
