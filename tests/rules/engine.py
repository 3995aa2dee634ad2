"""A site with rules: events go in through the log and the worker, runs and what they did come out."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import nullcontext
from itertools import count
from typing import Any

import time_machine

from dashboard import clock
from dashboard.events import record
from dashboard.ingest.schema import NewEvent, parse_json
from dashboard.jobs import worker
from dashboard.models import Notification, Queue, Rule, Run, Step, User
from dashboard.rules import active_rules

NOON = 1_772_452_800_000  # 2 March 2026, 12:00 UTC, in ms
_numbers = count(1)
COLUMNS = ("name", "state", "owner_id", "group", "position", "updated_by", "version")


def rule(then: Any = (), types: Iterable[str] = ("custom.sale",), **more: Any) -> Rule:
    """Make a rule that is on, of the site unless `owner_id` is given; `definition` parts by their names.

    Columns: name, state, owner_id, group, position, updated_by. Everything else is the definition's.
    """
    columns = {name: more.pop(name) for name in COLUMNS if name in more}
    actions = list(then) if isinstance(then, list | tuple) else [then]
    definition = {"types": list(types), "then": actions or [LOG], **more}
    moment = clock.now_s()
    values: dict[str, Any] = {
        "name": f"Rule {next(_numbers)}",
        "state": "on",
        "created_ts": moment,
        "updated_ts": moment,
    }
    made: Rule = Rule.create(**{**values, **columns}, definition=definition)
    assert active_rules.load(made) is not None, definition
    return made


LOG = {"do": "log", "text": "seen"}


def notify(*users: User, title: str = "Look", **more: Any) -> dict[str, Any]:
    return {"do": "notify", "to": {"users": [user.id for user in users]}, "title": title, **more}


def event(type_: str = "custom.sale", seconds: float = 0, **more: Any) -> dict[str, Any]:
    """Return an event so many seconds after NOON, as a client would send it."""
    moment = clock.now().fromtimestamp(NOON / 1000 + seconds, clock.now().tzinfo).isoformat()
    return {"type": type_, "time": moment, **more}


def send(
    *events: dict[str, Any], source: str = "pbx", chain: tuple[int, ...] = (), rules: bool = True
) -> None:
    """Append events as one request of a client would, without digesting them.

    They are recorded at the time of the last of them, unless the test has set the clock.
    """
    parsed = parse_json(json.dumps(list(events)).encode())
    good = [one for one in parsed if isinstance(one, NewEvent)]
    assert len(good) == len(events), parsed
    last_ms = max((one.time_ms for one in good), default=0)
    travels = time_machine.escape_hatch.is_travelling()
    with nullcontext() if travels else time_machine.travel(last_ms / 1000, tick=False):
        record.append(record.source(source).id, good, chain=chain, rules=rules)


def digest() -> None:
    """Run digests until nothing is left, those of events that rules recorded included."""
    worker.drain(["digest"])


def take(*events: dict[str, Any], **more: Any) -> list[tuple[int, str]]:
    """Send and digest events; return every run so far: (rule id, outcome), in order."""
    send(*events, **more)
    digest()
    return outcomes()


def outcomes(rule: Rule | None = None) -> list[tuple[int, str]]:
    query = Run.select(Run.rule_id, Run.outcome).order_by(Run.id)
    return list((query.where(Run.rule_id == rule.id) if rule else query).tuples())


def acted() -> list[tuple[int, str]]:
    """Return the runs that are no mere examples of no match."""
    return [each for each in outcomes() if each[1] != "not_matched"]


def steps(*columns: Any) -> list[tuple[Any, ...]]:
    return list(Step.select(*(columns or (Step.action, Step.state))).order_by(Step.id).tuples())


def notices(user: User | None = None) -> list[str]:
    query = Notification.select(Notification.title).order_by(Notification.id)
    return [row[0] for row in (query.where(Notification.user_id == user.id) if user else query).tuples()]


def user_id(login: str) -> int:
    return int(User.get(User.login == login).id)


def queue_id(name: str) -> int:
    return int(Queue.get(Queue.name == name).id)
