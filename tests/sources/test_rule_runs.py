"""Runs of rules as a data source: to whom each is listed."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from dashboard.access import scope as scopes
from dashboard.access.permissions import Permission
from dashboard.models import Event, Run
from dashboard.pages.ruleruns import queries
from dashboard.rules import permissions
from tests import make
from tests.notify import steps
from tests.rules.engine import LOG, event, queue_id, rule, take, user_id

pytestmark = pytest.mark.both_databases
P = Permission
TRACES = (P.RULES_VIEW, P.RULES_TRACES)


@pytest.mark.parametrize(
    "rights",
    [
        (P.RULES_TRACES,),
        (P.RULES_OWN,),
        TRACES,
        (P.RULES_TRACES, P.RULES_OVERSEE),
        (P.RULES_OWN, P.RULES_VIEW, P.RULES_OVERSEE),
        (*TRACES, P.RULES_OWN, P.RULES_OVERSEE),
    ],
)
def test_the_list_has_exactly_the_runs_whose_page_opens(
    rights: tuple[Permission, ...], client: FlaskClient
) -> None:
    """The source and the page of a run say in their own ways who may see a run."""
    viewer = make.user("rose", access=make.access(rights))
    owners = (None, viewer.id, make.user("petr").id)
    rules = [rule(LOG, name=f"Rule {owner}", owner_id=owner) for owner in owners]
    whose = [("rose", None, None), ("rose", "other", "c0"), ("jana", "web", "c1"), ("jana", "other", "c2")]
    whose += [("petr", "web", "c3"), ("jana", None, None), (None, "web", "c4"), (None, "other", "c5")]
    take(*(event(seconds=n, user=u, queue=q, interaction=i) for n, (u, q, i) in enumerate(whose)))
    users, queues = {"jana": user_id("jana")}, {"web": queue_id("web")}
    subjects = [f"user:{users['jana']}", f"user:{viewer.id}", f"queue:{queues['web']}", "rule:1", "user:999"]
    Run.delete().execute()
    for of in rules:
        for each in Event.select().where(Event.type == "custom.sale"):
            steps.run(of, event_id=each.id)
        for subject in (*subjects, "interaction:1:c1"):
            steps.run(of, subject=subject)
    owner_of = {of.id: of.owner_id for of in rules}
    assert Run.select().count() == 3 * (8 + 6)
    for grants in (
        [],
        ["all_users", "all_queues"],
        ["all_users"],
        ["all_queues"],
        [("users", users["jana"]), ("queues", queues["web"])],
    ):
        access = make.access(rights, grants)
        viewer.access = access
        viewer.save()
        make.sign_in(client, viewer)
        listed = client.get("/runs.json?columns=id").json["rows"]
        scope = scopes.of_user(viewer)
        opens = [
            run.id
            for run in Run.select()
            if queries.one(scope, run.id) and permissions.can_see_traces(scope, owner_of[run.rule_id])
        ]
        assert sorted(row["id"] for row in listed) == sorted(opens)
