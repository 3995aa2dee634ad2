"""The starter set: rules that are off, in the language of who adds them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask

from dashboard import demo
from dashboard.access.permissions import Permission
from dashboard.jobs import worker
from dashboard.models import AuditEntry, Rule, RuleVersion, Run
from dashboard.models.notify import Calendar
from dashboard.rulelang import schema
from dashboard.rulelang.outcomes import ACTED, RunOutcome
from dashboard.rulelang.schema import Definition
from dashboard.rules import starter, starter_rules
from dashboard.settings import LOCALES
from tests import make

AUTO_REPLY = "Auto-reply to a new ticket"
WEDNESDAY = datetime(2026, 3, 4, 18, tzinfo=UTC)


COUNT = 18


def test_no_two_have_the_same_name() -> None:
    assert len({each.name for each in starter_rules.STARTERS}) == COUNT


@pytest.mark.parametrize("each", starter.drafts(str, calendar="Office"), ids=lambda each: each.name)
def test_each_is_a_whole_definition(each: starter_rules.Starter) -> None:
    found = schema.load(each.definition)
    assert isinstance(found, Definition), found
    assert schema.refers_to(found)["calendar"] <= {"Office"}


def test_texts_are_translated_and_nothing_else() -> None:
    loud = starter.drafts(str.upper)
    for plain, each in zip(starter.drafts(str), loud, strict=True):
        assert each.name == plain.name.upper()
        assert {**each.definition, "then": []} == {**plain.definition, "then": []}
        for said, before in zip(each.definition["then"], plain.definition["then"], strict=True):
            texts = ("title", "subject", "text")
            assert [said.get(text) for text in texts] == [
                before[text].upper() if text in before else None for text in texts
            ]


def test_ones_own_are_about_ones_own_work() -> None:
    own = starter.drafts(str, personal=True)
    assert 0 < len(own) < COUNT
    site = schema.AvailableReferences(personal=True)
    for each in own:
        assert isinstance(schema.parse(each.definition, site), Definition)


def test_they_are_added_off_and_once_in_whatever_language(app: Flask) -> None:
    author = make.administrator()
    Calendar.create(name="Office", zone="UTC")
    with app.test_request_context():
        made = starter.make(author.id, None, "en")
        assert [each for locale in LOCALES for each in starter.make(author.id, None, locale)] == []
    assert {row.state for row in Rule.select()} == {"off"}
    assert [row.position for row in Rule.select().order_by(Rule.id)] == list(range(1, COUNT + 1))
    assert RuleVersion.select().count() == len(made) == COUNT
    assert AuditEntry.select().where(AuditEntry.action == "rule.created").count() == COUNT
    idle = Rule.get(Rule.name == "Ticket idle for four hours")
    assert idle.definition["after"]["calendar"] == "Office"


def test_who_may_not_let_rules_call_out_gets_none_that_writes_to_customers(app: Flask) -> None:
    author = make.user("author", access=make.access([Permission.RULES_EDIT]))
    with app.test_request_context():
        made = starter.make(author.id, None, "en")
    kept = {each.name for each in starter.drafts(str, outward=False)}
    assert {row.name for row in made} == kept == {each.name for each in starter_rules.STARTERS} - {AUTO_REPLY}


def test_what_was_deleted_comes_back_and_what_is_there_stays(app: Flask) -> None:
    author = make.administrator()
    with app.test_request_context():
        first = starter.make(author.id, None, "en")[0]
        Rule.update(description="mine").where(Rule.id != first.id).execute()
        first.delete_instance()
        assert [row.name for row in starter.make(author.id, None, "en")] == [first.name]
    assert Rule.select().where(Rule.description == "mine").count() == COUNT - 1


def test_ones_own_set_stands_beside_the_sites(app: Flask) -> None:
    author = make.administrator()
    with app.test_request_context():
        starter.make(author.id, None, "en")
        own = starter.make(author.id, author.id, "en")
    assert {row.owner_id for row in own} == {author.id}
    assert len(own) == len(starter.drafts(str, personal=True))


def test_four_of_them_act_on_the_day_of_the_demonstration(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "DAYS", 2)
    with app.test_request_context(), time_machine.travel(WEDNESDAY, tick=False):
        starter.make(make.user("author").id, None, "en")
        Rule.update(state="on").execute()
        list(demo.make())
        worker.drain()
    acted = (*ACTED, RunOutcome.THROTTLED)
    found = {row.rule_id for row in Run.select(Run.rule_id).where(Run.outcome.in_(acted))}
    assert len(found) >= 4
