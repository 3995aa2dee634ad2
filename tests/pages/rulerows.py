"""Rules and runs for the tests of their pages, each with the least that makes it valid."""

from __future__ import annotations

from itertools import count
from typing import Any

from flask.testing import FlaskClient

from dashboard import clock
from dashboard.access.permissions import Permission
from dashboard.models import Rule, Run, User
from dashboard.rulelang.outcomes import RunOutcome
from tests import make
from tests.pages.html import Page

CALL: dict[str, Any] = {
    "types": ["call.abandoned"],
    "if": {"all": [{"field": "data.wait_s", "op": "gt", "value": 60}]},
    "then": [{"do": "notify", "to": {"roles": ["leads"]}, "title": "A call was lost"}],
}
CHAT: dict[str, Any] = {"types": ["chat.queued"], "then": [{"do": "log", "text": "A chat"}]}
FAILED_SIGN_IN: dict[str, Any] = {"types": ["auth.sign_in_failed"], "then": [{"do": "log", "text": "No"}]}
_numbers = count(1)


def rule(name: str, owner: User | None = None, definition: Any = None, **columns: Any) -> Rule:
    """Make a rule of the site, or of `owner`; it is off unless `state` says otherwise."""
    now = clock.now_s()
    values = {
        "name": name,
        "owner_id": owner.id if owner else None,
        "definition": definition or CHAT,
        "created_ts": now,
        "updated_ts": now,
    }
    made: Rule = Rule.create(**{**values, **columns})
    return made


def run(of: Rule, outcome: RunOutcome = RunOutcome.DONE, ago_s: int = 0, **columns: Any) -> Run:
    moment = clock.now_ms() - ago_s * 1000
    values = {
        "firing": str(next(_numbers)),
        "rule_id": of.id,
        "version": 1,
        "outcome": str(outcome),
        "at_ms": moment,
        "made_ms": moment,
    }
    made: Run = Run.create(**{**values, **columns})
    return made


def owner(login: str, *permissions: Permission, **columns: object) -> User:
    """Make a user with these permissions who sees nobody else."""
    return make.user(login, access=make.access(permissions), **columns)


def listed(client: FlaskClient, url: str) -> list[int]:
    """Return the ids of the rules of a page, from the top down."""
    return [int(name[1:]) for name in Page(client.get(url).text).rows if name[1:].isdigit()]
