"""Upgrades two machines on one PostgreSQL, one after the other, while clients send events.

`python -m tests.rolling [--rounds 3] [--senders 4]` runs two web servers and two workers, sends events to
both, takes each machine down and up again with a version that has one more migration, and prints what the
clients got and whether anything was lost or done twice; exit status 1 if a check fails. It takes about a
minute a round.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from dashboard import clock, registry
from dashboard.access import keys
from dashboard.db import sealed
from dashboard.models import AuditEntry, Setting
from dashboard.settings import ROOT
from tests import postgres
from tests.conftest import SECRET
from tests.kills.__main__ import checks, opened, site_rule
from tests.notify.receivers import receiving
from tests.rolling.machines import Clients, Machine

MIGRATION = '''"""A table of the newer version."""

from __future__ import annotations

from typing import Any


def up(_migrator: Any, db: Any) -> None:
    db.execute_sql('CREATE TABLE "rolling_{number}" ("id" INTEGER PRIMARY KEY)')
'''
SETTLE_S = 4  # under load before, between and after the machines


def versions(folder: Path, rounds: int) -> Iterator[Path]:
    """Yield copies of the code, each with one more migration than the one before."""
    tree = ROOT
    for number in range(1, rounds + 1):
        before, tree = tree, folder / f"version-{number}"
        tree.mkdir()
        for part in ("dashboard", "static", "templates", "locale"):
            shutil.copytree(before / part, tree / part, ignore=shutil.ignore_patterns("__pycache__"))
        for part in ("pyproject.toml", "wsgi.py"):
            shutil.copy(before / part, tree)
        migration = tree / "dashboard/db/migrations" / f"{9000 + number}_rolling.py"
        migration.write_text(MIGRATION.format(number=number))
        yield tree


def due_tonight() -> None:
    """Let the nightly verification be due, with which a seal of the audit log is made."""
    Setting.put("audit.due", str(clock.now_ms() - 1))


def sealed_nights() -> int:
    return AuditEntry.select().where(AuditEntry.action == "audit.verified").count()


def roll(url: str, folder: Path, rounds: int, senders: int) -> bool:
    """Upgrade both machines `rounds` times under load; return whether all holds."""
    with ExitStack() as stack:
        receiver = stack.enter_context(receiving())
        stack.enter_context(opened(url))
        rule = site_rule(receiver)
        due_tonight()
        seals = folder / "seals"
        seals.mkdir()
        more = {"STOPA_WEBHOOK_ALLOW": str(receiver.place), "STOPA_AUDIT_SEALS": str(seals)}
        machines = [Machine(url, name, **more) for name in "AB"]
        for machine in machines:
            stack.callback(machine.kill)
            machine.start(ROOT)
        for machine in machines:
            machine.wait_until_ready()
        clients = Clients(machines, keys.make("ingest", "pbx", "ingest"), senders)
        away: list[float] = []
        try:
            for number, tree in enumerate(versions(folder, rounds), 1):
                for machine in machines:
                    time.sleep(SETTLE_S)
                    if machine.name == "B":
                        due_tonight()
                    began = time.monotonic()
                    machine.stop()
                    machine.flask(tree, "migrate")
                    machine.start(tree)
                    machine.wait_until_ready()
                    away.append(time.monotonic() - began)
                    print(f"\rround {number}, machine {machine.name}", end="", file=sys.stderr, flush=True)
            time.sleep(SETTLE_S)
        finally:
            clients.end()
        print(f"\n{2 * rounds} upgrades, a machine away for {min(away):.1f} to {max(away):.1f} s")
        print(clients)
        held = not clients.others
        print(f"{'ok  ' if held else 'FAIL'} no answers but the documented ones: {clients.others}")
        rebuild = partial(machines[0].flask, tree, "rebuild")
        for text, holds, numbers in checks(clients.acknowledged, 0, rebuild, receiver, rule):
            print(f"{'ok  ' if holds else 'FAIL'} {text}: {numbers}", flush=True)
            held &= holds
        nights = sealed_nights()
        once = nights == rounds + 1
        print(f"{'ok  ' if once else 'FAIL'} each night was sealed once: {nights} of {rounds + 1}")
    return held and once


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.rolling", description=(__doc__ or "").split("\n", 1)[0]
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--senders", type=int, default=4)
    options = parser.parse_args()
    sealed.use_key(SECRET)
    registry.register_work()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(postgres.server())
        postgres.administer(server, "CREATE DATABASE site")
        return 0 if roll(f"{server}/site", folder, options.rounds, options.senders) else 1


if __name__ == "__main__":
    raise SystemExit(main())
