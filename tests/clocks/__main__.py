"""Runs pytest with the machine's clock moved, for the tests and for every process that they start.

`python -m tests.clocks [OPTIONS]` runs the tests marked `dated` at one of the CLOCKS, another one each day;
`python -m tests.clocks --each [ARGUMENTS]` runs pytest with ARGUMENTS at each of them;
`python -m tests.clocks --at NAME [ARGUMENTS]` runs it at that one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

# Moments at which a run starts; times without an offset are of the zone of most tests, UTC.
CLOCKS = {
    "monday": "2026-11-30T00:05Z",
    "saturday": "2026-12-05T18:00Z",
    "month-end": "2026-12-31T23:58Z",
    "leap-day": "2028-02-29T23:58+01:00",  # midnight in Prague comes during the run, as in UTC above
    "forward": "2027-03-28T01:58+01:00",  # 02:00 to 03:00 in Prague is left out
    "back": "2026-10-25T02:30+02:00",  # 02:00 to 03:00 in Prague comes twice
}
DATED = ["-m", "dated", "--numprocesses", "2", "--dist", "loadfile"]
LIBRARY = "*/faketime/libfaketime.so.1"


def environment(moment: str) -> dict[str, str]:
    """Return the variables with which a process and its children see `moment` (ISO 8601) as the present.

    All processes share one offset, and only the wall clock is moved: waits take as long as ever. The
    PostgreSQL server of the tests stays in the real time (tests/postgres.py).
    Raises FileNotFoundError without libfaketime.
    """
    libraries = sorted(Path("/usr/lib").glob(LIBRARY))
    if not libraries:
        raise FileNotFoundError("libfaketime is not installed; bin/test installs it from Debian")
    offset = datetime.fromisoformat(moment).timestamp() - time.time()
    return {
        **os.environ,
        "LD_PRELOAD": str(libraries[0]),
        "FAKETIME": f"{offset:+.0f}s",
        "FAKETIME_CACHE_DURATION": "1000000000",  # reads the offset once: no thread sees half of a change
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",  # the fix makes condition variables of Chromium and Node hang
        "PYTHONPATH": str(Path(__file__).parent / "start"),
        "TZ": "Europe/Prague",
    }


def run(name: str, arguments: list[str]) -> bool:
    """Run pytest at the clock `name`; return whether all tests passed."""
    print(f"== pytest at {CLOCKS[name]} (python -m tests.clocks --at {name})", flush=True)
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.run(command, env=environment(CLOCKS[name]), check=False).returncode == 0


def main(arguments: list[str]) -> int:
    """Run what the arguments say; return the status to exit with."""
    match arguments:
        case ["--each", *rest]:
            failed = [name for name in CLOCKS if not run(name, rest)]
        case ["--at", name, *rest] if name in CLOCKS:
            failed = [] if run(name, rest) else [name]
        case ["--at", *_]:
            print(f"{__doc__}\nCLOCKS: {', '.join(CLOCKS)}", file=sys.stderr)
            return 2
        case _:
            name = list(CLOCKS)[int(time.time()) // 86_400 % len(CLOCKS)]
            failed = [] if run(name, [*DATED, *arguments]) else [name]
    if failed:
        print(f"Tests failed at these clocks: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
