"""One application under waitress in a process of its own, and the processor time it takes.

    python -m tests.bench.serve APPLICATION FILE-OR-URL

It listens on a free port of this machine, prints the port, and ends with its standard input.
GET /bench/cpu answers the nanoseconds that the process has used so far.
"""

from __future__ import annotations

import http.client
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from dashboard.listener import IDLE_S
from dashboard.listener import Server as Listening
from dashboard.settings import HostPort

CPU = "/bench/cpu"
START_S = 60
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Answer(NamedTuple):
    status: int
    body: bytes
    headers: Mapping[str, str]


class Server:
    """A running server: ask it, and ask what it has cost."""

    def __init__(self, port: int) -> None:
        self.port, self._asked = port, 0.0
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Answer:
        if time.monotonic() - self._asked > IDLE_S / 2:
            self.connection.close()  # as the server has done by now; it opens again by itself
        self.connection.request("GET" if body is None else "POST", path, body, dict(headers or {}))
        response = self.connection.getresponse()
        self._asked = time.monotonic()
        return Answer(response.status, response.read(), dict(response.getheaders()))

    def cpu_s(self) -> float:
        return int(self.ask(CPU).body) / 1e9

    def cost(self, requests: Iterable[tuple[str, bytes | None]], headers: Mapping[str, str]) -> float:
        """Return processor seconds a request; every answer must be a 2xx."""
        count, before = 0, self.cpu_s()
        for path, body in requests:
            answer = self.ask(path, body, headers)
            if answer.status // 100 != 2:
                raise RuntimeError(f"{path} answered {answer.status}: {answer.body[:300]!r}")
            count += 1
        return (self.cpu_s() - before) / count


@contextmanager
def running(application: str, path: Path | str, python: str = sys.executable) -> Iterator[Server]:
    """Run `application` over the file until the block ends. Raises RuntimeError when it does not start."""
    command = [python, "-m", "tests.bench.serve", application, str(path)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"{application} did not start")
        yield Server(int(line))
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(START_S)


def application(name: str, path: str) -> Application:
    """Return the named application over the file; imports only what it needs."""
    if name == "stopa":
        from dashboard import create_app
        from tests.bench import site

        made: Application = create_app(site.settings(path))
        logging.getLogger().setLevel(logging.ERROR)
        return made
    if name in ("lists", "parsing"):
        from tests.bench import references

        return {"lists": references.lists, "parsing": references.parsing}[name](path)
    from tests.bench import peers

    peer: Application = peers.PEERS[name](path)
    return peer


def metered(app: Application) -> Application:
    def wrapped(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] != CPU:
            return app(environ, start)
        start("200 OK", [("Content-Type", "text/plain")])
        return [str(time.process_time_ns()).encode()]

    return wrapped


def main() -> None:
    server = Listening(metered(application(*sys.argv[1:])), HostPort("127.0.0.1", 0))
    print(server.port, flush=True)
    threading.Thread(target=server.run, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
