"""Events go in, runs come out: whether a rule matched, what it saw, what it did, and never twice."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import peewee
import pytest

from dashboard.db import database
from dashboard.ingest import importer
from dashboard.jobs import queue as jobs
from dashboard.jobs import worker
from dashboard.models import AuditEntry, Event, Interaction, Mark, Notification, Rule, RuleGroup, Run, Step
from dashboard.rulelang.matcher import State
from dashboard.rules import active_rules, engine, runs
from tests import make
from tests.rules.engine import (
    LOG,
    acted,
    digest,
    event,
    notices,
    notify,
    outcomes,
    rule,
    send,
    steps,
    take,
    user_id,
)

pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("db")]

BIG = {"all": [{"field": "data.value", "op": "is", "value": "100"}]}
BROKEN = {"all": [{"field": "data.list", "op": "is", "value": "x"}]}  # a list is no text: an error
CHOKED = event(data={"list": ["a"]})


def test_a_rule_that_matches_does_its_actions_in_the_digests_transaction() -> None:
    jana = make.administrator("jana")
    one = rule([notify(jana, title="Sold for {{ data.value }}"), LOG])
    assert take(event(data={"value": "100"})) == [(one.id, "done")]
    assert steps() == [("notify", "done"), ("log", "done")]
    assert notices(jana) == ["Sold for 100"]
    entry = AuditEntry.get(AuditEntry.action == "rule.logged")
    assert (entry.actor_type, entry.target_id, entry.details["text"]) == ("system", str(one.id), "seen")


def test_run_stores_its_subject_and_the_values_of_its_conditions() -> None:
    one = rule(LOG, **{"if": BIG})
    take(event(data={"value": "100"}, interaction="c1"))
    run = Run.get()
    assert (run.version, run.event_id, run.subject) == (1, Event.get().id, "interaction:pbx:c1")
    assert (run.at_ms, run.depth, run.chain, run.late_s) == (Event.get().time_ms, 0, [], 0)
    assert run.trace["children"][0]["seen"] == "100"
    assert Rule.get_by_id(one.id).last_run_ms == run.made_ms


def test_of_what_does_not_match_an_example_a_minute_is_kept() -> None:
    one = rule(LOG, **{"if": BIG})
    assert take(*(event(data={"value": str(value)}) for value in range(5))) == [(one.id, "not_matched")]
    assert Run.get().trace["children"][0] == {
        "path": "0",
        "outcome": False,
        "needed": True,
        "field": "data.value",
        "op": "is",
        "operands": ["100"],
        "seen": "4",
        "empty": "",
    }
    assert take(event(data={"value": "5"})) == [(one.id, "not_matched")]
    assert (steps(), AuditEntry.select().where(AuditEntry.action == "rule.logged").count()) == ([], 0)


def test_an_event_of_another_type_concerns_no_rule() -> None:
    rule(LOG)
    assert take(event("custom.other")) == []


def test_digesting_twice_runs_once() -> None:
    one = rule([notify(make.administrator("jana")), LOG], times={"number": 2, "seconds": 60})
    assert take(event(), event(seconds=1), event(seconds=2)) == [(one.id, "done")]
    for _ in range(2):
        jobs.enqueue("digest", {"after": 0, "to": 1000})
        digest()
    assert acted() == [(one.id, "done")]
    assert (Step.select().count(), Notification.select().count()) == (2, 1)


def test_workers_side_by_side_run_each_rule_once_per_event() -> None:
    one = rule([{"do": "note", "text": "seen"}])
    for number in range(12):
        send(event(id=str(number)))
    start = Barrier(3)

    def work(_name: str) -> None:
        with database.connection_context():
            start.wait()
            worker.drain(["digest"])

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(work, "abc"))
    digest()
    assert outcomes() == [(one.id, "done")] * 12
    assert Mark.select().count() == 12


def test_a_repeated_event_makes_no_second_run() -> None:
    one = rule(LOG)
    take(event(id="a"))
    assert take(event(id="a"), event(id="b")) == [(one.id, "done")] * 2


def test_a_changed_version_may_run_again_and_a_switched_rule_not() -> None:
    one = rule(LOG)
    take(event())
    Rule.update(state="off").execute()
    Rule.update(state="on").execute()
    jobs.enqueue("digest", {"after": 0, "to": 1000})
    digest()
    assert outcomes() == [(one.id, "done")]
    Rule.update(version=2).execute()
    jobs.enqueue("digest", {"after": 0, "to": 1000})
    digest()
    assert outcomes() == [(one.id, "done")] * 2


@pytest.mark.parametrize("state", [State.OFF, State.PAUSED])
def test_rule_that_is_off_or_paused_is_not_evaluated(state: State) -> None:
    rule(LOG, state=state.value)
    assert take(event()) == []


def test_a_shadow_rule_runs_and_does_nothing() -> None:
    limit = {"often": "period", "seconds": 900}
    one = rule([notify(make.administrator("jana"), limit=limit)], state="shadow")
    assert take(event(), event(seconds=60)) == [(one.id, "shadow")] * 2
    assert [row[0] for row in Run.select(Run.held).order_by(Run.id).tuples()] == [0, 1]
    assert (steps(), notices()) == ([], [])
    Rule.update(state="on").execute()
    assert take(event(seconds=120))[-1] == (one.id, "done")


def test_rules_of_a_paused_group_are_not_evaluated() -> None:
    group = RuleGroup.create(name="Sales")
    one = rule(LOG, group=group)
    take(event())
    RuleGroup.update(paused=True).execute()
    take(event())
    RuleGroup.update(paused=False).execute()
    assert take(event()) == [(one.id, "done")] * 2


def test_a_stopped_site_records_events_and_asks_no_rule() -> None:
    one = rule(LOG)
    active_rules.stop(True)
    assert take(event()) == []
    assert Event.select().where(Event.type == "custom.sale").count() == 1
    active_rules.stop(False)
    assert take(event()) == [(one.id, "done")]


def test_an_import_is_quiet_and_what_comes_beside_it_is_not() -> None:
    one = rule(LOG)
    send(event(id="old"), rules=False, source="file")
    send(event(id="new"))
    digest()
    assert outcomes() == [(one.id, "done")]
    assert Run.get().event_id == Event.get(Event.external_id == "new").id


@pytest.mark.parametrize(("rules", "expected"), [(False, []), (True, ["done"])])
def test_import_of_a_file_evaluates_rules_only_on_request(
    tmp_path: Path, rules: bool, expected: list[str]
) -> None:
    rule(LOG)
    path = tmp_path / "sales.jsonl"
    path.write_text(json.dumps(event()))
    importer.run(path, "jsonl", "file", "UTC", None, lambda _at: None, rules=rules)
    assert [outcome for _rule, outcome in outcomes()] == expected


def test_failed_condition_is_recorded_and_ten_in_a_row_pause_the_rule() -> None:
    admin = make.administrator("admin")
    one = rule(LOG, **{"if": BROKEN})
    take(*[CHOKED] * 9)
    assert outcomes() == [(one.id, "error")] * 9
    assert Rule.get_by_id(one.id).errors == 9
    take(event(data={"list": "y"}))
    assert Rule.get_by_id(one.id).errors == 0
    take(*[CHOKED] * 10, event(data={"list": "x"}))
    row = Rule.get_by_id(one.id)
    assert (row.state, row.errors) == ("paused", 10)
    assert "ten times" in row.paused_reason
    assert notices(admin) == [f"The rule “{one.name}” was paused"]
    entry = AuditEntry.get(AuditEntry.action == "rule.auto_paused")
    assert entry.changes == {"state": ["on", "paused"]}
    assert Event.select().where(Event.type == "rule.auto_paused").count() == 1


def test_later_rule_of_the_group_is_not_evaluated_after_one_that_stops() -> None:
    first = rule(LOG, position=1, stop=True, **{"if": BIG})
    later = rule(LOG, position=2)
    other = rule(LOG, position=3, group=RuleGroup.create(name="Other"))
    assert take(event(data={"value": "100"})) == [(first.id, "done"), (other.id, "done")]
    take(event(data={"value": "1"}))
    assert acted()[2:] == [(later.id, "done"), (other.id, "done")]


def test_a_rule_that_cannot_be_read_any_more_leaves_the_others_alone() -> None:
    one, broken = rule(LOG), rule(LOG)
    Rule.update(definition={"types": 3}).where(Rule.id == broken.id).execute()
    assert take(event()) == [(one.id, "done")]


def test_an_accident_inside_ends_one_run_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    accident, fine = rule([{"do": "note", "text": "x"}]), rule(LOG)

    def fall(*_given: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setitem(__import__("dashboard.rules.internal_actions", fromlist=["_DO"])._DO, "note", fall)
    assert take(event()) == [(accident.id, "error"), (fine.id, "done")]
    assert Run.get(Run.rule_id == accident.id).error == "ZeroDivisionError: a bug"


def test_an_accident_of_the_engine_leaves_the_trail_whole_and_is_mended_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = rule([{"do": "note", "text": "x"}], types=["call.queued"])

    def fall(*_given: object) -> None:
        raise ZeroDivisionError("a bug")

    with monkeypatch.context() as broken:
        broken.setattr(engine.EvaluationPass, "end", fall)
        assert take(event("call.queued", interaction="c1")) == []
    assert Interaction.get().external_id == "c1"
    assert jobs.waiting([engine.AGAIN]) == 1
    worker.drain([engine.AGAIN])
    assert (outcomes(), Mark.select().count()) == ([(one.id, "done")], 1)


def test_a_rule_may_not_hear_of_types_that_were_closed_to_rules() -> None:
    from dashboard.events import switches

    rule(LOG)
    switches.choose("custom.sale", switches.Choice(recorded=True, in_rules=False))
    assert take(event()) == []


def test_old_runs_go_and_the_newest_of_each_outcome_stay() -> None:
    one = rule(LOG)
    take(event())
    take(*(event(seconds=number) for number in range(54)))
    Run.update(made_ms=Run.made_ms - 31 * 86_400_000).execute()
    take(event())
    runs.prune()
    assert outcomes() == [(one.id, "done")] * runs.KEPT_EACH
    assert Step.select().count() == runs.KEPT_EACH
    Run.update(outcome="not_matched").execute()
    runs.prune()
    assert Run.select().count() == runs.KEPT_IDLE
    Rule.delete().execute()
    runs.prune()
    assert Run.select().count() == 1  # that of today


def test_pruning_is_planned_once_an_hour(db: peewee.Database) -> None:
    rule(LOG)
    take(event(), event())
    assert jobs.waiting([runs.PRUNE]) == 1


def test_users_teams_and_queues_of_the_event_are_available() -> None:
    from dashboard.models import Queue, Team, TeamMember

    jana, team = make.user("jana"), Team.create(name="North")
    TeamMember.create(team=team, user=jana)
    make.queue("sales", channel="chat")
    one = rule(
        LOG,
        **{
            "if": {
                "all": [
                    {"field": "user", "op": "one_of", "value": [jana.id]},
                    {"field": "user.team", "op": "has_any", "value": [team.id]},
                    {"field": "queue", "op": "one_of", "value": [Queue.get().id]},
                    {"field": "queue.channel", "op": "one_of", "value": ["chat"]},
                    {"field": "source", "op": "one_of", "value": ["pbx"]},
                    {"field": "contact.name", "op": "contains", "value": "nov"},
                ]
            }
        },
    )
    contact = {"name": "Nováková", "phone": "+420123456789"}
    assert take(event(user="jana", queue="sales", contact=contact)) == [(one.id, "done")]
    assert user_id("jana") == jana.id


VIP = {"all": [{"field": "subject.tags", "op": "has_any", "value": ["vip"]}]}


@pytest.mark.parametrize("together", [True, False])
def test_tags_that_a_rule_gave_are_seen_by_later_rules_and_at_later_events(together: bool) -> None:
    before = rule(LOG, position=1, **{"if": VIP})
    giver = rule([{"do": "tag", "tags": ["vip", "big"]}], position=2, **{"if": BIG})
    after = rule(LOG, position=3, **{"if": VIP})
    events = [
        event(interaction="c1", data={"value": "100"}),
        event(interaction="c1"),
        event(interaction="c2"),
    ]
    for part in [events] if together else [[each] for each in events]:
        take(*part)
    assert [each[0] for each in acted()] == [giver.id, after.id, before.id, after.id]
