"""Runs of rules as a data source: to whom each is listed, and by what name and page of what it is about."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from dashboard.access import scope as scopes
from dashboard.access.permissions import Permission
from dashboard.models import Event, Interaction, Run
from dashboard.pages.ruleruns import queries
from dashboard.rules import permissions
from dashboard.sources.declared.rule_runs import subject_names
from tests import make
from tests.notify import steps
from tests.pages.asks import sign_in_with
from tests.pages.html import Page
from tests.rules.engine import LOG, NOON, event, queue_id, rule, take, user_id

pytestmark = pytest.mark.both_databases
P = Permission
TRACES = (P.RULES_VIEW, P.RULES_TRACES)
CONTACT = {"name": "Eva Fialová", "phone": "+420123456214"}


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


def test_the_list_begins_with_what_acted_and_names_what_it_is_about(client: FlaskClient) -> None:
    """Runs that did nothing come by removing one filter; their items are named as their pages do."""
    of = rule(LOG, name="Big sale")
    take(
        event(user="jana", queue="web"), event("chat.queued", interaction="c1", queue="web", contact=CONTACT)
    )
    jana, queue = user_id("jana"), queue_id("web")
    shown = {
        "interaction:pbx:c1": ("Web chat, web, +420 ••• ••• 214", None),
        "interaction:pbx:c0": ("c0", None),
        f"user:{jana}": ("jana", "/tracing?user=jana&date=2026-03-02"),
        f"queue:{queue}": ("web", "/figures?by=hour&unit=day&queue=web&date=2026-03-02"),
        "session:pbx:s1": ("Session s1", None),
    }
    Run.delete().execute()
    story = Interaction.get(Interaction.external_id == "c1")
    Interaction.update(channel="webchat", first_ms=NOON, queue_id=queue).execute()
    made = {name: steps.run(of, subject=name, outcome="done", at_ms=NOON) for name in shown}
    for outcome in ("cancelled", "not_matched", "disabled"):
        steps.run(of, subject="user:999", outcome=outcome)
    sign_in_with(client, *TRACES, P.TRACING_VIEW, P.QUEUES_FIGURES, grants=["all_users", "all_queues"])

    def listed(query: str) -> list[dict[str, str]]:
        return list(client.get(f"/runs.json?{query}").json["rows"])

    assert sorted(row[2] for row in list(Page(client.get("/runs").text).rows.values())[1:]) == sorted(
        text for text, _page in shown.values()
    )
    for query, number in (("acted=", 8), ("outcome=cancelled", 1), ("subject=user:999", 3), ("rule=1", 5)):
        assert len(listed(query)) == number, query
    pages = {name: client.get(f"/runs/{run.id}/item").location for name, run in made.items()}
    shown["interaction:pbx:c1"] = ("", f"/interactions/{story.id}")
    assert pages == {name: url or f"/runs/{made[name].id}" for name, (_text, url) in shown.items()}
    assert client.get(f"/runs/{2**63}/item").status_code == 404
    sign_in_with(client, *TRACES, grants=[("queues", queue)])
    assert client.get(f"/runs/{made[f'user:{jana}'].id}/item").status_code == 404


def test_contacts_of_interactions_outside_of_the_scope_are_not_named(client: FlaskClient) -> None:
    take(event("chat.queued", interaction="c1", queue="web", contact=CONTACT))
    name, inside = "interaction:pbx:c1", queue_id("web")
    Interaction.update(channel="webchat").execute()
    scopes_of = {
        "all": scopes.of_user(make.user("all", access=make.access(TRACES, ["all_users", "all_queues"]))),
        "web": scopes.of_user(make.user("web", access=make.access(TRACES, [("queues", inside)]))),
        "none": scopes.of_user(make.user("none", access=make.access(TRACES, []))),
    }
    full, without = "Web chat, web, +420 ••• ••• 214", "Web chat, +420 ••• ••• 214"
    for queue, texts in (
        (inside, {"all": full, "web": full, "none": "Web chat, another queue"}),
        (None, {"all": without, "web": "Web chat", "none": "Web chat"}),
    ):
        Interaction.update(queue_id=queue).execute()
        assert {each: subject_names(scope, [name])[name] for each, scope in scopes_of.items()} == texts
