"""Machines of an installation, each a web server and a worker, and the clients that send to them."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from itertools import count, cycle
from pathlib import Path
from typing import Any

from dashboard import clock
from tests.postgres import free_port
from tests.test_start import environment

USERS, CALLS = 5, 2  # calls a batch
PAUSE_S = 0.2  # between the batches of a client; a rule that runs over 600 times a minute is paused
READY_S, END_S = 120, 60
AWAY = "no connection"


class Machine:
    """A web server and a worker, of the version that it was started with last."""

    def __init__(self, url: str, name: str, **more: str) -> None:
        port = free_port()
        self.name, self.address = name, f"http://127.0.0.1:{port}"
        self._environment = environment(url, STOPA_BIND=f"127.0.0.1:{port}", **more)
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self, tree: Path) -> None:
        """Start both processes with the code of `tree`."""
        for words in (("dashboard.server", "--no-worker"), ("flask", "--app", "wsgi", "worker")):
            command = [sys.executable, "-m", *words]
            self._processes.append(subprocess.Popen(command, cwd=tree, env=self._environment))

    def flask(self, tree: Path, word: str) -> None:
        command = [sys.executable, "-m", "flask", "--app", "wsgi", word]
        subprocess.run(command, cwd=tree, env=self._environment, check=True, stdout=subprocess.DEVNULL)

    def stop(self) -> None:
        """Let both end what they have in hand. A worker of an older version than the database has ended."""
        for process in self._processes:
            process.send_signal(signal.SIGTERM)
        for process in self._processes:
            process.wait(END_S)
        self._processes = []

    def kill(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()

    def wait_until_ready(self) -> None:
        """Wait for /readyz of this machine; a worker of the other one is enough for it."""
        end = time.monotonic() + READY_S
        while self.ask("GET", "/readyz")[0] != "200":
            assert time.monotonic() < end, f"machine {self.name} did not get ready"
            time.sleep(0.1)

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> tuple[str, bytes]:
        """Return the status as text, or AWAY where no answer came, and the body."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return str(answer.status), answer.read()
        except urllib.error.HTTPError as error:
            wait = " with Retry-After" if error.headers.get("Retry-After") else ""
            return f"{error.code}{wait}", error.read()
        except (OSError, http.client.HTTPException):  # also an answer that was cut
            return AWAY, b""


class Clients:
    """Senders that post calls which happen now, each batch to the machines in turn until one has it."""

    def __init__(self, machines: list[Machine], key: str, senders: int) -> None:
        self._machines, self._over, self._numbers = machines, threading.Event(), count()
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._guard = threading.Lock()
        self.acknowledged: Counter[str] = Counter()
        self.answers: Counter[str] = Counter()
        self.slowest_s = 0.0
        self._threads = [threading.Thread(target=self._send, args=(n,)) for n in range(senders)]
        for thread in self._threads:
            thread.start()

    def _send(self, first: int) -> None:
        machines = cycle(self._machines[first % 2 :] + self._machines[: first % 2])
        while not self._over.wait(PAUSE_S * len(self._threads)):
            with self._guard:
                batch = self._batch(next(self._numbers))
            began, status = time.monotonic(), ""
            while status != "202":
                status, text = next(machines).ask("POST", "/api/v1/events", batch, **self._headers)
                with self._guard:
                    self.answers[status] += 1
                if status != "202":
                    time.sleep(0.1)
            with self._guard:
                self.slowest_s = max(self.slowest_s, time.monotonic() - began)
                self.acknowledged.update(json.loads(text)["ids"])

    def _batch(self, number: int) -> list[dict[str, Any]]:
        now, found = clock.now().isoformat(), []
        for n in range(number * CALLS, number * CALLS + CALLS):
            common = {"user": f"pbx{n % USERS}", "interaction": f"c-{n}", "queue": "support", "time": now}
            found += [
                {"id": f"c-{n}:{kind}", "type": f"call.{kind}", **common} for kind in ("accepted", "closed")
            ]
        return found

    def end(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    @property
    def others(self) -> dict[str, int]:
        """The answers that README.md does not promise."""
        return {key: n for key, n in self.answers.items() if key not in ("202", "503 with Retry-After", AWAY)}

    def __str__(self) -> str:
        return f"answers {dict(self.answers)}, the slowest batch was taken after {self.slowest_s:.1f} s"
