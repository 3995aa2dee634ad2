"""Keeps an accident of the rules from holding up the digest: they are asked again later, by themselves."""

from __future__ import annotations

import logging
from collections.abc import Collection

from dashboard.db import database, dialect
from dashboard.db.locks import Lock
from dashboard.jobs import queue as jobs
from dashboard.jobs.worker import AWAY
from dashboard.models import Job
from dashboard.rules import engine
from dashboard.rules.engine import Ranges

logger = logging.getLogger("stopa.rules")
AGAIN = "ask_rules"


def ask(after: int, to: int, asked: Ranges, types: Collection[str]) -> None:
    """Ask the rules about the events with `after` < id <= `to`, which are of these types, in the digest's
    transaction; see react().

    Where that fails nothing of it stands, the trail is folded all the same, and a job asks again.
    """
    try:
        with database.atomic():
            engine.react(after, to, asked, types)
    except AWAY:
        raise
    except Exception:
        logger.exception("rules could not be asked about events %s to %s", after + 1, to)
        ranges = [[source, *part] for source, parts in asked.items() for part in parts]
        jobs.enqueue(AGAIN, {"after": after, "to": to, "asked": ranges})


def again(waiting: list[Job]) -> None:
    """Ask the rules again; what they have done about these events before is not done twice."""
    args = waiting[0].args
    asked: dict[int | None, list[tuple[int, int]]] = {}
    for source, after, to in args["asked"]:
        asked.setdefault(source, []).append((after, to))
    with database.atomic():
        dialect.one_at_a_time(Lock.PROJECTION)
        engine.react(args["after"], args["to"], asked)
