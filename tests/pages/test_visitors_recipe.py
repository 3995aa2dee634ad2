"""The recipe that invites idle visitors: one form makes the rule and sets up the site."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboard.access.permissions import Permission as P
from dashboard.models import Invitation, Rule, Run, Site
from dashboard.models.notify import Calendar
from tests import make
from tests.pages import asks
from tests.pages.html import Page
from tests.rules.engine import event, take
from tests.visitors.visits import site, visit

ADDRESS = "https://chat.example/?v={visit}"


@pytest.fixture
def portal(client: FlaskClient) -> Site:
    make.sign_in(client, make.administrator())
    Calendar.create(name="Shop", zone="UTC", hours={"1": [["00:00", "24:00"]]})
    return site()


def send(client: FlaskClient, of: Site, **typed: Any) -> Any:
    path = f"/rules/recipes/visitors/{of.id}"
    return client.post(path, data={**Page(client.get(path).text).filled(), **typed})


def test_form_adds_a_rule_that_is_on_and_changes_the_site(client: FlaskClient, portal: Site) -> None:
    links = Page(client.get("/rules/recipes?list=system").text).links()
    assert f"/rules/recipes/visitors/{portal.id}" in links
    typed = {"idle_s": "1:30", "page": "/price", "calendar": "1", "chat": "url", "chat_url": ADDRESS}
    answer = send(client, portal, **typed, text_ja="")
    assert answer.status_code == 303
    rule, changed = Rule.get(), Site.get()
    assert (rule.state, rule.name, rule.owner_id) == ("on", "Invite idle visitors: portal", None)
    assert rule.definition["if"] == {
        "all": [
            {"field": "source", "op": "one_of", "value": ["portal"]},
            {"field": "data.url", "op": "contains", "value": "/price"},
            {"field": "time", "op": "in_calendar", "value": "Shop"},
        ]
    }
    assert (changed.idle_s, changed.chat, changed.chat_url, changed.version) == (90, "url", ADDRESS, 2)
    assert asks.audited("site.updated").changes["idle_s"] == [120, 90]
    assert client.get(answer.location).status_code == 200
    visits = [visit(portal, language=language) for language in ("en-GB", "cs", "ja")]
    other = visit(site("other"))
    url = {"url": "https://example.org/price?x"}
    take(*(event("visitor.idle", session=each.token, data=url) for each in visits), source="portal")
    take(event("visitor.idle", 1, session=other.token, data=url), source="other")
    take(event("visitor.idle", 2, session=visit(portal).token, data={"url": "/x"}), source="portal")
    texts = [row.text for row in Invitation.select().order_by(Invitation.id)]
    assert [text[:11] for text in texts] == ["Hello, can ", "Dobrý den, ", "Hello, can "]
    run = Page(client.get(f"/runs/{Run.get(Run.outcome == 'done').id}").text)
    assert f"/visitors/{visits[0].id}" in run.links()
    assert "Invitation 1" in run.text
    assert texts[0] in run.text


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"idle_s": "5"}, "idle_s"),
        ({"calendar": "99"}, "calendar"),
        ({"text_en": "", "text_cs": "", "text_ja": ""}, "text_en"),
        ({"text_cs": "{{ ticket.number }}"}, ""),
        ({"chat": "phone"}, "chat"),
        ({"chat": "url", "chat_url": ""}, "chat_url"),
        ({"chat_url": "javascript:alert(1)"}, "chat_url"),
        ({"chat_url": "https://chat.example/{ticket}"}, "chat_url"),
    ],
)
def test_wrong_value_is_named_and_nothing_is_changed(
    client: FlaskClient, portal: Site, typed: dict[str, str], field: str
) -> None:
    answer = send(client, portal, **typed)
    assert answer.status_code == 422
    assert "Not saved. Fix the marked fields." in answer.text
    said = [each.attributes["id"] for each in Page(answer.text).having(**{"class": "msg"})]
    assert said == ([f"e-{field}"] if field else [])
    assert not Rule.select().exists()
    assert Site.get().version == 1


def test_recipe_needs_the_right_to_each_thing_it_changes(client: FlaskClient, portal: Site) -> None:
    path = f"/rules/recipes/visitors/{portal.id}"
    needed = (P.RULES_EDIT, P.RULES_OUTWARD, P.KEYS_EDIT)
    for without in needed:
        asks.sign_in_with(client, *(each for each in needed if each is not without))
        assert client.get(path).status_code == client.post(path).status_code == 403
    asks.sign_in_with(client, *needed)
    assert client.get("/rules/recipes/visitors/99").status_code == 404
    assert client.put(path).status_code == 405
    assert send(client, portal).status_code == 303
    assert Rule.get().state == "off", "who may not turn rules on adds one that is off"
    asks.refuses_strangers(client, path)


def test_recipe_of_a_site_outside_the_scope_is_not_there(client: FlaskClient) -> None:
    of = site(queue_id=make.queue("web").id)
    asks.sign_in_with(client, P.RULES_EDIT, P.RULES_OUTWARD, P.KEYS_EDIT, grants=())
    assert client.get(f"/rules/recipes/visitors/{of.id}").status_code == 404
    assert "Add a web site in the settings first." in client.get("/rules/recipes?list=system").text
