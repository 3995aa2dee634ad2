"""Figures of visits and of invitations."""
# ruff: noqa: F811  fixtures are asked for by their names

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboard.access import scope as scopes
from dashboard.models import Visit
from dashboard.sources import answer
from dashboard.sources.catalogue import SOURCES
from dashboard.sources.parameters import parse
from tests.pages.test_visitors import NOW, still, visits  # noqa: F401  fixtures

pytestmark = pytest.mark.both_databases


def test_the_figures_of_visits_and_invitations(client: FlaskClient, visits: dict[str, Visit]) -> None:
    def ask(source: str, **given: Any) -> answer.Answer:
        viewer_ = scopes.whole()
        listed = {name: [value] for name, value in given.items()}
        return answer.answer(viewer_, parse(SOURCES[source], listed, "UTC", NOW, answer.names(viewer_)), NOW)

    Visit.update(invitation="accepted").where(Visit.id == visits["invited"].id).execute()
    found = ask("visits", group="site", measures="count,sum:is_invited,accept_rate,avg:pages,sum:is_open")
    assert found.rows[0]["site"] == "foreign"
    assert found.rows[1] == {
        "site": "portal",
        "count": 7,
        "sum:is_invited": 1,
        "accept_rate": 1.0,
        "avg:pages": 2,
        "sum:is_open": 5,
    }
    rows = ask("visits", columns="page,duration,idle,contact,visitor,is_open", country="SK").rows
    assert [(each["duration"], each["idle"], each["is_open"]) for each in rows] == [(399, 1, True)]
    made = ask("invitations", group="visit.country", measures="count,accept_rate,avg:wait")
    assert made.totals == {"count": 1, "accept_rate": 0.0, "avg:wait": None}
