"""Removing events leaves the figures of a log that never had them, however they lay among the others."""

from __future__ import annotations

import random
from itertools import count
from pathlib import Path
from typing import Any

import peewee
import pytest

from dashboard.ingest import importer
from dashboard.ingest.imports import removal
from dashboard.models import Activity, Contact, Event, Interaction, Interval, Source, User
from dashboard.tracing.activity_presence import PresenceOf

pytestmark = pytest.mark.both_databases

START, DAY_S = 1772438400, 86_400
LINES, PARTS, ROUNDS = 60, 4, 4


def lines(chance: random.Random, users: list[str]) -> list[str]:
    """Return records of calls, presence and restarts of three days, in any order."""
    found = []
    for n in range(LINES):
        at, call = START + chance.randrange(3 * DAY_S), f"c-{chance.randrange(LINES // 4)}"
        user, queue = chance.choice(users), chance.choice(("sales", "support"))
        who, verb = chance.choice(
            (
                ("NONE", f"ENTERQUEUE||+42060{n % 7:07}|1"),
                (user, "CONNECT|10|c|8"),
                (user, "COMPLETECALLER|10|20|1"),
                (user, "RINGNOANSWER|3000"),
                ("NONE", "ABANDON|1|1|12"),
                (user, "ADDMEMBER|"),
                (user, "REMOVEMEMBER|"),
                (user, "PAUSE|lunch"),
                (user, "UNPAUSE|"),
                (user, "AGENTLOGIN|SIP/1"),
                (user, "AGENTLOGOFF|SIP/1|60"),
            )
        )
        found.append(f"{at}|{call}|{queue}|{who}|{verb}")
    return [*found, f"{START + chance.randrange(3 * DAY_S)}|NONE|NONE|NONE|QUEUESTART|"]


def stored(model: Any, names: dict[str, dict[int, Any]], sources: list[int]) -> list[Any]:
    """Return all columns of the rows of these sources, ids replaced by names."""
    found = []
    for row in model.select().dicts():
        source = row.get("source_id", row.get("source"))
        if source in sources:
            shown = {name: names.get(name, {}).get(value, value) for name, value in row.items()}
            found.append(sorted((name, repr(value)) for name, value in shown.items() if name != "id"))
    return sorted(found)


def picture(sources: list[int]) -> list[Any]:
    """Return everything that is made of the events of these sources."""
    calls = {row.id: row.external_id for row in Interaction.select()}
    works = {row.id: (row.user_id, calls.get(row.interaction_id), row.n) for row in Activity.select()}
    contacts = {row.id: row.key for row in Contact.select()}
    names = {"interaction_id": calls, "activity_id": works, "contact_id": contacts}
    rows = [stored(model, names, sources) for model in (Interaction, Activity, Interval)]
    of_sources = sorted(key for key in contacts.values() if int(key.partition(":")[0]) in sources)
    return [*rows, of_sources, [Source.get_by_id(ident).last_ms for ident in sources]]


def test_figures_are_those_of_a_log_without_the_events(
    db: peewee.Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two logs that share users; parts of one are removed, in pieces, one of which is interrupted."""
    monkeypatch.setattr(removal, "PIECE", 7)
    numbers = count()

    def imported(texts: list[str], source: str) -> tuple[int, int]:
        before = Event.select(peewee.fn.MAX(Event.id)).scalar() or 0
        path = tmp_path / f"part{next(numbers)}"
        path.write_text("\n".join(texts) + "\n")
        importer.run(path, "queue_log", source, "UTC", None)
        return before, Event.select(peewee.fn.MAX(Event.id)).scalar()

    for seed in range(ROUNDS):
        chance = random.Random(seed)
        users = [f"Agent/{seed}{n}" for n in range(3)]
        first, second = f"first{seed}", f"second{seed}"
        parts = [lines(chance, users) for _ in range(PARTS)]
        presence = PresenceOf.FIRST_TO_LAST if seed % 2 else PresenceOf.RECORDED
        made = [
            Source.create(name=name, is_file=True, presence=presence, created_ts=0)
            for name in (first, second)
        ]
        sources = [source.id for source in made]
        imported(parts[0], first)
        if seed % 4:  # else nothing of the source is left
            imported(parts[1], second)
        before = picture(sources)
        ranges = [imported(part, second) for part in parts[2:]]
        assert picture(sources) != before
        named = removal.users(sources[1], ranges)
        interrupted = removal.remove(sources[1], ranges, files_only=True, of_users=named)
        for _ in range(5):
            next(interrupted)
        interrupted.close()
        assert sum(removal.remove(sources[1], ranges, files_only=True, of_users=named)) > 0
        assert picture(sources) == before, seed
    assert User.select().count() == 3 * ROUNDS
