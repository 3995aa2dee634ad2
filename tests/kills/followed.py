"""Kills who follows a growing log, `flask follow` and a worker, and checks that each record is stored once.

`python -m tests.kills.followed [--kills 20] [--moments 10] [--database sqlite|postgresql] [--seed 1]` writes
the log of a real Asterisk piece by piece, with its rotations. At random moments the follower gets SIGKILL; at
others Home must say what the log does. It takes about a minute for each of the two and database.
"""

from __future__ import annotations

import argparse
import tempfile
from contextlib import ExitStack
from pathlib import Path

from dashboard import create_app, registry
from dashboard.db import database, sealed
from dashboard.settings import Settings
from tests import postgres
from tests.conftest import SECRET
from tests.ingest import live_log
from tests.kills.__main__ import opened


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.kills.followed", description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--moments", type=int, default=10)
    parser.add_argument("--database", choices=["sqlite", "postgresql"])
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    sealed.use_key(SECRET)
    registry.register_work()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(postgres.server()) if options.database != "sqlite" else ""
        for kind in [options.database] if options.database else ["sqlite", "postgresql"]:
            for by in ("command", "worker"):
                url = f"sqlite:///{folder}/{by}.db" if kind == "sqlite" else f"{server}/{by}"
                if kind == "postgresql":
                    postgres.administer(server, f"CREATE DATABASE {by}")
                logs = folder / f"{kind}-{by}"
                logs.mkdir()
                with opened(url):
                    with create_app(Settings(url, SECRET)).app_context():
                        done = live_log.replay(url, logs, by, options.kills, options.moments, options.seed)
                    if not database.is_closed():
                        database.close()
                print(f"ok {kind}, {by}: {done} kills, Home right at {options.moments} moments", flush=True)


if __name__ == "__main__":
    main()
