"""Editing a rule keeps, recomputes or cancels its pending waits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient

from dashboard.jobs import worker
from dashboard.models import Rule, RuleGroup, RuleVersion, Run, Step
from dashboard.pages.ruleeditor import commands
from dashboard.rulelang import schema
from dashboard.rulelang.schema import Definition
from dashboard.rules.timing import pending_waits
from dashboard.rules.timing.pending_waits import Pending
from tests import make
from tests.pages.typed import posted
from tests.rules.engine import LOG, NOON, rule
from tests.rules.time import Site, fired, pending

WAIT = {"seconds": 600, "calendar": "", "unless": []}
ONLY_WEB = {"all": [{"field": "data.subject", "op": "is", "value": "web"}]}


@pytest.fixture
def site(client: FlaskClient) -> Iterator[Site]:
    with time_machine.travel(NOON / 1000, tick=False) as travel:
        make.sign_in(client, make.administrator())
        yield Site(travel)


def waiting(site: Site) -> Rule:
    """Make a rule with a wait that is due at 600 s."""
    one = rule(LOG, types=["chat.queued"], wait=WAIT)
    RuleVersion.create(rule=one, version=1, name=one.name, definition=one.definition, made_ts=0)
    site.comes("chat.queued", 0)
    site.at(60)
    return one


def save(one: Rule, choice: Pending = Pending.KEEP, **parts: Any) -> None:
    """Save the rule as the editor does, with parts of its definition replaced (None: removed)."""
    raw = {name: each for name, each in {**one.definition, **parts}.items() if each is not None}
    found = schema.load(raw)
    assert isinstance(found, Definition), found
    wanted = commands.Wanted(one.name, "", None, 0, "on", found, pending=choice)
    commands.save(1, one.id, commands.mark(Rule.get_by_id(one.id)), wanted)


def test_change_of_texts_keeps_the_pending_waits_and_runs_with_the_new_text(site: Site) -> None:
    one = waiting(site)
    save(one, then=[{**LOG, "text": "new"}])
    site.wake(600)
    assert fired() == [(one.id, "done", 600)]
    assert (Run.get().version, Step.get().payload["text"]) == (2, "new")


# Choice, the parts that the edit replaces → the runs that come, up to an hour later.
EDITS: dict[str, tuple[Pending, dict[str, Any], list[tuple[str, float]]]] = {
    "kept, a longer wait": (Pending.KEEP, {"wait": {**WAIT, "seconds": 1200}}, [("done", 600)]),
    "kept, a shorter wait": (Pending.KEEP, {"wait": {**WAIT, "seconds": 120}}, [("done", 600)]),
    "recomputed, a longer wait": (Pending.RECOMPUTE, {"wait": {**WAIT, "seconds": 1200}}, [("done", 1200)]),
    "recomputed, a shorter wait": (Pending.RECOMPUTE, {"wait": {**WAIT, "seconds": 120}}, [("done", 120)]),
    "kept, another condition": (Pending.KEEP, {"if": ONLY_WEB}, []),
    "cancelled": (Pending.CANCEL, {"wait": {**WAIT, "seconds": 1200}}, [("cancelled", 600)]),
    "no wait any more": (Pending.KEEP, {"wait": None}, [("cancelled", 600)]),
}


@pytest.mark.parametrize("name", EDITS)
def test_edit_does_with_pending_waits_what_was_chosen(name: str, site: Site) -> None:
    choice, parts, expected = EDITS[name]
    one = waiting(site)
    save(one, choice, **parts)
    worker.drain()
    site.wake(3600)
    assert [(outcome, at) for _rule, outcome, at in fired()] == expected
    assert pending() == []


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (Pending.KEEP, ("done", 600)),
        (Pending.RECOMPUTE, ("done", 1200)),
        (Pending.CANCEL, ("cancelled", 600)),
    ],
)
def test_edit_does_the_same_with_a_wait_that_a_paused_group_holds(
    choice: Pending, expected: tuple[str, float], site: Site
) -> None:
    group = RuleGroup.create(name="Night")
    one = waiting(site)
    Rule.update(group=group).where(Rule.id == one.id).execute()
    RuleGroup.update(paused=True).where(RuleGroup.id == group.id).execute()
    site.wake(700)
    assert (fired(), pending_waits.count(one.id)) == ([], 1)
    save(one, choice, wait={**WAIT, "seconds": 1200})  # and leaves the group
    worker.drain()
    site.wake(3600)
    assert [(outcome, at) for _rule, outcome, at in fired()] == [expected]
    assert pending() == []


def test_cancelled_run_names_the_edit(site: Site, client: FlaskClient) -> None:
    one = waiting(site)
    save(one, Pending.CANCEL, wait={**WAIT, "seconds": 1200})
    worker.drain()
    page = client.get(f"/runs/{Run.get().id}").text
    assert "The rule was edited during the wait. Version 2 was saved at 2 Mar 2026 12:01:00 by" in page
    assert f"/rules/{one.id}/versions" in page


def test_editor_asks_what_happens_to_pending_waits(site: Site, client: FlaskClient) -> None:
    one = waiting(site)
    url = f"/rules/{one.id}/edit"
    changed = {"wait.seconds": "20", "wait.seconds.unit": "min"}
    page = client.post(url, data=posted(one, typed=changed))
    assert page.status_code == 422
    assert "1 wait of this rule is pending. What happens to it?" in page.text
    assert Rule.get_by_id(one.id).version == 1
    assert client.post(url, data=posted(one, typed=changed, pending="recompute")).status_code == 302
    worker.drain()
    assert [due for _kind, _subject, due in pending()] == [1200]


def test_editor_does_not_ask_after_a_change_of_texts(site: Site, client: FlaskClient) -> None:
    one = waiting(site)
    answer = client.post(f"/rules/{one.id}/edit", data=posted(one, typed={"then.0.text": "new"}))
    assert answer.status_code == 302
    assert pending_waits.count(one.id) == 1


def test_restoring_a_version_asks_too(site: Site, client: FlaskClient) -> None:
    one = waiting(site)
    save(one, wait={**WAIT, "seconds": 1200})
    answer = client.post(f"/rules/{one.id}/versions", data={"version": "1"})
    assert answer.status_code == 422
    assert "1 wait of this rule is pending." in answer.text
