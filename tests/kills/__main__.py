"""Kills processes under a stream of events with a rule, and checks that nothing is lost or done twice.

`python -m tests.kills [--kills 100] [--database sqlite|postgresql] [--seed 1]` kills server, workers,
imports, rebuilds and restores with SIGKILL, on both databases by default, and prints what it found; exit
status 1 if a check fails. It takes about ten minutes for 100 kills.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import peewee

from dashboard import clock, registry
from dashboard.db import backup, migrate, open_database, sealed
from dashboard.events import record
from dashboard.ingest.schema import NewEvent
from dashboard.models import Event, Job, Mark, Notification, Queue, Run, Step
from tests import make, postgres
from tests.conftest import SECRET
from tests.ingest.test_kill import Site
from tests.kills.attack import RESTORED, Attack, Stream, wait
from tests.notify import steps
from tests.notify.receivers import Receiver, receiving
from tests.rules import engine
from tests.tracing.projected import picture

# How often each is killed, of 100.
SHARES = {"web": 20, "worker": 15, "worker 2": 15, "import": 18, "rebuild": 14, "restore": 18}


@contextmanager
def opened(url: str) -> Iterator[None]:
    """Migrate the database if it is new, and make it the one of this process's models."""
    made = open_database(url)
    made.connect()
    migrate.run(made)
    try:
        yield
    finally:
        made.close()
        if not isinstance(made, peewee.SqliteDatabase):
            made.close_all()


def fill(url: str, folder: Path) -> None:
    """Make two backups of the database at `url` that hold different rows in all of them."""
    for name in ("first", "second"):
        with opened(url):
            Event.delete().execute()
            Queue.delete().execute()
            make.queue(name)
            events = [NewEvent(f"{name}-{n}", "custom.row", n * 1000, None) for n in range(RESTORED)]
            source = record.source(name).id
            for start in range(0, RESTORED, 1000):
                record.append(source, events[start : start + 1000])
            Job.delete().execute()
        backup.save(url, folder / name)


def site_rule(receiver: Receiver) -> int:
    """Make a rule that does five things for each accepted call, one of them outside; return its id."""
    boss = make.user("boss")
    then = [
        engine.notify(boss),
        {"do": "note", "text": "seen"},
        {"do": "tag", "tags": ["seen"]},
        {"do": "emit", "type": "custom.flagged"},
        {"do": "webhook", "channel": steps.channel(receiver.url).id},
    ]
    return int(engine.rule(then, types=["call.accepted"]).id)


def begun() -> Any:
    """Return the condition of jobs that are due or have been tried, and have not ended."""
    tried = (Job.due_ms <= clock.now_ms()) | (Job.attempts > 0)
    return (Job.state == "running") | ((Job.state == "waiting") & tried)


def checks(
    sent: Counter[str], imported: int, rebuild: Callable[[], object], receiver: Receiver, rule: int
) -> Iterator[tuple[str, bool, str]]:
    """Yield each check of what was acknowledged and imported: what it says, whether it holds, its numbers."""
    wait(lambda: not Job.select().where(begun()).exists())
    ended = ("done", "failed", "dead", "uncertain", "cancelled")
    wait(lambda: not Step.select().where(Step.state.not_in(ended)).exists())
    of_pbx = (Event.source_id == record.source("pbx").id) & Event.type.startswith("call.")
    stored = Counter(ident for (ident,) in Event.select(Event.external_id).where(of_pbx).tuples())
    wrong = sorted((sent - stored) + (stored - sent))
    yield "every event answered 202 is stored once", not wrong, f"{len(sent)}, wrong {wrong[:9]}"
    old = Event.select().where(Event.source_id == record.source("old").id).count()
    yield "every line of the imports is stored once", old == imported, f"{old}"
    failed = Counter(Job.select(Job.kind, Job.error).where(Job.state == "failed").tuples())
    yield "every job has ended, none failed", not failed, f"failed: {dict(failed)}"
    runs = Counter(ident for (ident,) in Run.select(Run.event_id).where(Run.rule_id == rule).tuples())
    accepted = sum(ident.endswith(":accepted") for ident in sent)
    yield "the rule ran once for each accepted call", len(runs) == accepted == runs.total(), f"{runs.total()}"
    states = Counter(state for (state,) in Step.select(Step.state).tuples())
    yield "every step is done", set(states) == {"done"}, f"{dict(states)}"
    flagged = Event.type == "custom.flagged"
    acts = {
        "notifications": Notification.select().count(),
        "notes": Mark.select().where(Mark.kind == "note").count(),
        "tags": Mark.select().where(Mark.kind == "tag").count(),
        "events of the rule": Event.select().where(flagged).count(),
    }
    yield "internal actions were done once", set(acts.values()) == {accepted}, f"{acts}"
    keys = {key for (key,) in Step.select(Step.key).where(Step.action == "webhook").tuples()}
    posts = Counter(got.headers["webhook-id"] for got in receiver.got)
    yield "every webhook came, with one id", set(posts) == keys, f"{posts.total()} posts, {len(posts)} ids"
    before = [picture(name) for name in ("pbx", "old")]
    rebuild()
    same = [picture(name) for name in ("pbx", "old")] == before
    yield "a rebuild changes nothing", same, f"{sum(map(len, before[0]))} rows of pbx"


def attack_database(url: str, other: str, kills: int, seed: int) -> bool:
    """Kill processes on the database at `url`, restores on that at `other`; return whether all holds."""
    chance = random.Random(seed)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        receiver = stack.enter_context(receiving())
        fill(other, folder)
        stack.enter_context(opened(url))
        rule = site_rule(receiver)
        site = Site(url, STOPA_WEBHOOK_ALLOW=str(receiver.place), LEASE_S="20")
        stack.callback(site.end)
        attack = Attack(other, folder, site, chance)
        stream = Stream(site)
        try:
            for number, part in enumerate(chance.choices(list(SHARES), list(SHARES.values()), k=kills), 1):
                attack.kill(part)
                print(f"\r{number} of {kills} kills", end="", file=sys.stderr, flush=True)
        finally:
            stream.end()
        print(f"\n{attack.hit.total()} kills: {dict(sorted(attack.hit.items()))}")
        held = True
        for text, holds, numbers in checks(
            stream.acknowledged, attack.imported, attack.rebuild, receiver, rule
        ):
            print(f"{'ok  ' if holds else 'FAIL'} {text}: {numbers}", flush=True)
            held &= holds
    return held


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.kills", description=(__doc__ or "").split("\n", 1)[0]
    )
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--database", choices=["sqlite", "postgresql"])
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    sealed.use_key(SECRET)
    registry.register_work()
    held = True
    with ExitStack() as stack:
        if options.database != "postgresql":
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            urls = [f"sqlite:///{folder}/{name}.db" for name in ("site", "other")]
            print(f"== SQLite, seed {options.seed}", flush=True)
            held &= attack_database(*urls, options.kills, options.seed)
        if options.database != "sqlite":
            server = stack.enter_context(postgres.server())
            for name in ("site", "other"):
                postgres.administer(server, f"CREATE DATABASE {name}")
            print(f"== PostgreSQL, seed {options.seed}", flush=True)
            held &= attack_database(f"{server}/site", f"{server}/other", options.kills, options.seed)
    return 0 if held else 1


if __name__ == "__main__":
    raise SystemExit(main())
