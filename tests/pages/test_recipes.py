"""Recipes of rules: sentences that are filled in and become rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient

from dashboard.access.permissions import Permission as P
from dashboard.events import internal
from dashboard.models import Rule, RuleDraft, Team
from dashboard.rules.recipes import RECIPES, STARTER
from tests import make
from tests.pages import asks
from tests.pages.html import Page
from tests.rules.engine import NOON, notices
from tests.rules.time import HOUR, MINUTE, Site, fired

PHONE = "+420777123456"


@pytest.fixture
def site() -> Iterator[Site]:
    with time_machine.travel(NOON / 1000, tick=False) as travel:
        yield Site(travel)


def filled(client: FlaskClient, key: str, which: str = "system", **typed: str) -> dict[str, str]:
    """Return what the form of a recipe posts with its first choices, some fields `typed` anew."""
    controls = [
        each.attributes
        for each in Page(client.get(f"/rules/recipes?list={which}").text).elements
        if each.tag in ("input", "select", "option")
    ]
    form = {"list": which, "recipe": key}
    name = ""
    for each in controls:
        name = each.get("name", name)
        if name.startswith(f"{key}.") and (name not in form or "selected" in each):
            form[name] = each.get("value", "")
        if "name" in each and "value" not in each:
            form.pop(name, None)  # a list: its options follow
    return {**form, **{f"{key}.{part}": value for part, value in typed.items()}}


# What comes in, by seconds: type, user, interaction, and the rest of the event.
DAY: list[tuple[float, str, str | None, str | None, dict[str, Any]]] = [
    (0, "agent.ready", "petr", None, {}),
    (1, "agent.signed_in", "eva", None, {}),
    (2, "agent.pause_started", "eva", None, {"data": {"pause": "Lunch"}}),
    (3, "chat.queued", None, "C-1", {"queue": "web"}),
    (4, "chat.queued", None, "C-2", {"queue": "other"}),
    (5, "call.queued", None, "K-1", {"queue": "line"}),
    (6, "ticket.created", "jana", "T-1", {"queue": "post"}),
    (7, "ticket.followup_scheduled", "jana", "T-2", {"data": {"followup_at": "2026-03-02T13:00:00Z"}}),
    (95, "call.accepted", "jana", "K-1", {"queue": "line", "data": {"wait_s": 90}}),
    (100, "call.abandoned", None, "K-2", {"queue": "line", "data": {"wait_s": 61}}),
    *((100 + n, "call.accepted", "jana", f"K-{n}", {"data": {"wait_s": 21}}) for n in (3, 4, 5)),
    (200, "survey.answered", "jana", "S-1", {"data": {"rating": 2}}),
    (201, "survey.answered", "jana", "S-2", {"data": {"rating": 3}}),
    (300, "chat.abandoned", None, "C-1", {"queue": "web", "contact": {"phone": PHONE}}),
    (301, "chat.abandoned", None, "C-2", {"queue": "other", "contact": {"phone": "+420777000000"}}),
]
TITLES = {
    "chat": "A chat is waiting too long",
    "call": "A call is waiting too long",
    "abandoned": "Caller hung up while waiting",
    "queue": "Many calls wait too long",
    "pause": "An agent's pause is too long",
    "agent": "An agent is idle",
    "ticket": "A ticket is idle",
    "followup": "A follow-up is due",
    "rating": "A poor rating",
    "vip": "VIP: Chat abandoned",
    "silent": "A source is silent",
    "disk": "Disk space low",
}


def test_each_recipe_makes_a_rule_that_notifies_about_what_its_sentence_says(
    client: FlaskClient, site: Site
) -> None:
    admin = make.administrator()
    make.sign_in(client, admin)
    for login in ("jana", "petr", "eva"):
        make.user(login)
    web = make.queue("web")
    typed = {
        "chat": {"queue": str(web.id)},
        "vip": {"type": "chat.abandoned", "who": PHONE},
        "followup": {"time": "0"},
    }
    for key in RECIPES:
        answer = client.post("/rules/recipes", data=filled(client, key, often="always", **typed.get(key, {})))
        assert answer.status_code == 303, (key, Page(answer.text).text)
        assert client.get(answer.location).status_code == 200
    assert [row.name for row in Rule.select().order_by(Rule.id)] == [each.name for each in RECIPES.values()]
    assert {row.state for row in Rule.select()} == {"on"}
    for seconds, type_, user, name, more in DAY:
        site.comes(type_, seconds, name, **{"user": user, **more})
    internal.append("source.silent", {"name": "pbx", "silent_s": 1200})
    internal.append("system.disk_low", {"disk_free_mb": 9, "folder": "/var"})
    site.wake(5 * HOUR)
    assert set(TITLES) == set(RECIPES) == set(STARTER)
    found = Counter(notices(admin))
    assert set(found) == set(TITLES.values())
    once = ("chat", "abandoned", "queue", "rating", "vip", "silent", "disk")
    assert {key: found[TITLES[key]] for key in once} == dict.fromkeys(once, 1)
    chat = Rule.get(Rule.name == RECIPES["chat"].name)
    assert [at for rule, _outcome, at in fired() if rule == chat.id] == [3 + 2 * MINUTE]


def test_recipe_opens_in_the_full_editor_and_keeps_what_was_begun(client: FlaskClient) -> None:
    admin = make.administrator()
    make.sign_in(client, admin)
    for key in ("pause", "vip"):
        answer = client.post("/rules/recipes", data={**filled(client, key), "op": "editor"})
        assert (answer.status_code, answer.location) == (303, "/rules/new?draft=1")
        assert RECIPES[key].name in client.get(answer.location).text
    assert not Rule.select().exists()
    draft = RuleDraft.get()
    assert draft.previous[-1]["name"] == RECIPES["pause"].name, "an undo brings the earlier draft back"


WRONG = [
    ("chat", {"time": "x"}, "e-chat.time", "Duration: Enter a duration from 0:00:00 to 366 days."),
    ("rating", {"number": "bad"}, "e-rating.number", "Rating: Enter a number."),
    ("queue", {"number": "0"}, "e-queue.number", "Number of calls: Enter a whole number"),
    ("chat", {"queue": "web"}, "e-chat.queue", "Queue: "),
    ("pause", {"team": "999"}, "e-pause.team", "Team: Choose from the list."),
    ("abandoned", {"queue": "999"}, "e-abandoned.queue", "Queue: Choose from the list."),
    ("vip", {"who": ""}, "e-vip.who", "Tag, phone number or email address: "),
    ("vip", {"type": "no.such"}, "e-vip.type", "Event type: "),
    ("chat", {"to": "team:99"}, "e-chat.to", "Recipients: "),
    ("chat", {"to": "everybody"}, "e-chat.to", "Recipients: "),
    ("chat", {"often": "7"}, "e-chat.often", "Maximum frequency: "),
]


def test_wrong_value_is_named_and_stays(client: FlaskClient) -> None:
    make.sign_in(client, make.administrator())
    for key, typed, place, text in WRONG:
        answer = client.post("/rules/recipes", data=filled(client, key, **typed))
        page = Page(answer.text)
        assert answer.status_code == 422, (key, typed)
        said = [each.attributes.get("id") for each in page.elements if each.attributes.get("class") == "msg"]
        assert said == [place], (key, typed)
        assert "recipe err" not in answer.text  # which marks every field
        assert text in page.text, (key, typed, page.text)
        ((part, value),) = typed.items()
        assert f'value="{value}"' in answer.text
        assert page.having(name=f"{key}.{part}")[0].attributes["aria-invalid"] == "true"
    assert not Rule.select().exists()
    assert client.post("/rules/recipes", data={"list": "system", "recipe": "none"}).status_code == 404
    assert client.put("/rules/recipes").status_code == 405


def test_own_recipe_notifies_its_owner_and_each_list_has_its_permission(client: FlaskClient) -> None:
    own = asks.sign_in_with(client, P.RULES_OWN, grants=())
    Team.create(name="Not mine")
    assert "Not mine" not in client.get("/rules/recipes").text
    assert "/rules/recipes?list=my" in Page(client.get("/rules").text).links()
    assert client.get("/rules/recipes?list=system").status_code == 403
    assert client.post("/rules/recipes", data={"list": "system", "recipe": "chat"}).status_code == 403
    assert client.post("/rules/recipes", data=filled(client, "pause", "my")).status_code == 303
    made = Rule.get()
    assert (made.owner_id, made.state) == (own.id, "on")
    assert [part for part, ids in made.definition["then"][0]["to"].items() if ids] == ["roles"]
    assert made.definition["then"][0]["to"]["roles"] == ["owner"]
    asks.sign_in_with(client, P.RULES_EDIT, P.RULES_VIEW)
    client.post("/rules/recipes", data=filled(client, "pause"))
    assert Rule.get(Rule.owner_id.is_null()).state == "off", "who may not turn rules on adds one that is off"
    asks.refuses_strangers(client, "/rules/recipes")
