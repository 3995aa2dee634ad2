"""A web server or a worker as a process that a test may kill: `python -m tests.ingest.process web|worker`.

Both are what production runs, but for the leases of jobs and deliveries, which are short so that a test need
not wait.
"""

from __future__ import annotations

import os
import sys

import waitress

from dashboard import create_app, settings
from dashboard.ingest import followed
from dashboard.jobs import queue, worker
from dashboard.notify import outbox

LEASE_S = int(os.environ.get("LEASE_S", "1"))  # longer than a digest waits for a lock, where others hold it


def main() -> None:
    queue.WORK.lease_ms = outbox.WORK.lease_ms = LEASE_S * 1000
    followed.LEASE_MS = LEASE_S * 1000
    chosen = settings.start()
    app = create_app(chosen)
    if sys.argv[1] == "worker":
        worker.forever()
    else:
        waitress.serve(app, host=chosen.bind.host, port=chosen.bind.port, threads=8)


if __name__ == "__main__":
    main()
