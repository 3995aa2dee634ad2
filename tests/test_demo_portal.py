"""Demo data of the portal: past visits, and visitors who report while the server runs."""

from __future__ import annotations

import pytest
import time_machine
from flask import Flask

from dashboard import demo
from dashboard.demo import guests, life, portal
from dashboard.jobs import worker
from dashboard.models import Event, Invitation, Visit
from dashboard.visitors import deadlines
from tests.test_demo import SUNDAY_NIGHT, play


def test_the_portal_has_past_visits_and_visitors_who_go_on(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Visitors report as browsers do: pages and clicks once each, and answers to the invitations they see."""
    monkeypatch.setattr(demo, "DAYS", 1)
    play(app, SUNDAY_NIGHT)
    over = Visit.ended_ms.is_null(False)
    past = Visit.select().where(over).count()
    assert past > 20
    assert Invitation.select().join(Visit).where(over).count() > 2
    assert {row.site.name for row in Visit.select()} == {portal.NAME}
    running, twice = life.Life(app), portal.Visitors()
    for moment in range(SUNDAY_NIGHT, SUNDAY_NIGHT + 1800, 30):
        with app.app_context(), time_machine.travel(moment, tick=False):
            running.step()
            if moment % 300 == 0:
                twice.step(moment)  # reports everything anew
            deadlines.run_due()
            worker.drain(["digest"])
    here = Visit.ended_ms.is_null() & Visit.away_ms.is_null()
    assert Visit.select().where(here).count() >= guests.PLACES // 2
    assert Visit.select().where(Visit.contact_id.is_null(False) & Visit.ended_ms.is_null()).exists()
    planned = {each.token: each for each in guests.here(SUNDAY_NIGHT + 1770)}
    for visit in Visit.select().where(here):
        acts = [act for act in planned[visit.token].acts if act.at <= SUNDAY_NIGHT + 1770]
        stored = Event.select().where((Event.session == visit.token) & (Event.type == "visitor.page_viewed"))
        assert stored.count() == visit.pages == len([act for act in acts if not act.element])
    made = Invitation.select().where(Invitation.created_ms >= SUNDAY_NIGHT * 1000)
    assert {(each.user_id is None, each.rule_id is None) for each in made} == {(True, False), (False, True)}
    assert {"accepted", "rejected", "ignored"} & {each.state for each in made}
    later = SUNDAY_NIGHT + 2400
    with time_machine.travel(later, tick=False):  # after a stop of ten minutes
        portal.Visitors().step(later)
    assert {row.token for row in Visit.select().where(here)} <= {each.token for each in guests.here(later)}
