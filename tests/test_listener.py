"""No client uses up the server: slow and idle connections are closed where others need their place."""

from __future__ import annotations

import contextlib
import http.client
import json
import resource
import shutil
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from dashboard import listener
from dashboard.access import keys, sessions
from dashboard.db import WAIT_S, connected, open_database
from dashboard.settings import HostPort
from tests import make
from tests.api import custom
from tests.test_start import SERVER, Started, started, url

__all__ = ["url"]

LONG_S = 30  # of the tests' own sockets
SOON_S = 5  # an answer beside the crowd; it takes milliseconds, on a busy machine a second
HALF = b"POST /api/v1/events HTTP/1.1\r\nHost: stopa\r\nContent-Length: 1000000\r\n\r\n[{}"
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: stopa\r\n\r\n"


def opened(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), LONG_S)


def answer(sock: socket.socket, request: bytes) -> int:
    """Send a request on a kept connection; return the status of its answer."""
    sock.sendall(request)
    response = http.client.HTTPResponse(sock)
    response.begin()
    response.read()
    return response.status


def closed(sock: socket.socket) -> bool:
    """Has the server closed the connection? Waits for it."""
    with contextlib.suppress(ConnectionError):
        while sock.recv(65536):
            pass
    return True


def port_of(running: Started) -> int:
    return int(running.address.rpartition(":")[2])


def quick(running: Started) -> bool:
    """Is a new client answered soon?"""
    begun = time.monotonic()
    with opened(port_of(running)) as sock:
        return answer(sock, HEALTH) == 200 and time.monotonic() - begun < SOON_S


class Proofs(NamedTuple):
    key: str  # sends events
    token: str  # of a session


def slow_body(sock: socket.socket, _proofs: Proofs) -> None:
    sock.sendall(HALF)


def kept_alive(sock: socket.socket, _proofs: Proofs) -> None:
    answer(sock, HEALTH)


def polling(sock: socket.socket, proofs: Proofs) -> None:
    poll = f"GET /inbox/count HTTP/1.1\r\nHost: stopa\r\nCookie: stopa={proofs.token}\r\n\r\n"
    for _ in range(2):
        assert answer(sock, poll.encode()) == 200


@pytest.mark.parametrize(
    ("crowd", "count"),
    [(slow_body, 150), (kept_alive, 100), (polling, 100)],
    ids=["slow bodies", "idle keep-alive clients", "polling pages"],
)
def test_others_are_answered_beside_a_crowd(
    crowd: Callable[[socket.socket, Proofs], None], count: int, proofs: Proofs, shared: Started
) -> None:
    with contextlib.ExitStack() as held:
        for _ in range(count):
            crowd(held.enter_context(opened(port_of(shared))), proofs)
        assert [quick(shared) for _ in range(5)] == [True] * 5


def test_pages_are_answered_while_events_wait_for_a_lock(file: Path, proofs: Proofs, shared: Started) -> None:
    body = json.dumps(custom()).encode()
    head = f"POST /api/v1/events HTTP/1.1\r\nHost: stopa\r\nAuthorization: Bearer {proofs.key}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with (
        contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other,
        contextlib.ExitStack() as held,
    ):
        other.execute("BEGIN IMMEDIATE")
        senders = [held.enter_context(opened(port_of(shared))) for _ in range(20)]
        for sock in senders:
            sock.sendall(head.encode() + body)
        begun = time.monotonic()
        assert quick(shared)
        assert time.monotonic() - begun < WAIT_S
        other.execute("ROLLBACK")
        assert [answer(sock, b"") for sock in senders] == [202] * 20


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Path:
    return Path(shutil.copy(sqlite_template, tmp_path_factory.mktemp("served") / "stopa.db"))


@pytest.fixture(scope="module")
def proofs(file: Path) -> Proofs:
    open_database(f"sqlite:///{file}")
    with connected():
        return Proofs(keys.make("sender", "pbx", "ingest"), sessions.start(make.administrator(), "127.0.0.1"))


@pytest.fixture(scope="module")
def shared(file: Path) -> Iterator[Started]:
    """One server for the crowds: it takes seconds to start."""
    with started(SERVER, f"sqlite:///{file}") as running:
        yield running


def test_out_of_descriptors_the_idle_give_way_and_the_log_says_so_once(url: str) -> None:
    with started(SERVER, url) as running, contextlib.ExitStack() as held:
        assert quick(running)
        pid = running.process.pid
        open_now = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)[1]
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (open_now + 20, hard))
        for _ in range(60):
            held.enter_context(opened(port_of(running))).sendall(HALF)
        assert quick(running)
        assert running.said.count("Too many open files") == 1
        assert running.said.count("WARNING") == 1
        assert "Traceback" not in running.said


@contextlib.contextmanager
def serving(monkeypatch: pytest.MonkeyPatch, **bounds: float) -> Iterator[int]:
    """Serve a large answer in this process with other bounds; yields the port."""
    for name, value in bounds.items():
        monkeypatch.setattr(listener, name, value)

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        length = 20_000_000 if environ["PATH_INFO"] == "/large" else 2
        start_response("200 OK", [("Content-Length", str(length))])
        return [b"x" * length]

    server = listener.Server(app, HostPort("127.0.0.1", 0))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server.port
    finally:
        server.close()
        thread.join()


def trickle(sock: socket.socket) -> None:
    """Send a byte of a body now and then, never too late for the server's patience between two."""
    end = time.monotonic() + SOON_S
    while time.monotonic() < end:
        sock.sendall(b" ")
        time.sleep(0.05)


LATE = {
    "nothing sent": b"",
    "half a header": b"GET / HT",
    "half a body": HALF,
    "idle after an answer": HEALTH,
    "an answer that is not read": b"GET /large HTTP/1.1\r\nHost: stopa\r\n\r\n",
}


@pytest.mark.parametrize("sent", LATE.values(), ids=LATE.keys())
def test_a_connection_without_progress_is_closed(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(monkeypatch, IDLE_S=0.3, LOOK_S=0.1) as port, opened(port) as sock:
        sock.sendall(sent)
        time.sleep(1)
        assert closed(sock)


def test_a_request_that_trickles_in_is_closed_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(monkeypatch, IDLE_S=5, REQUEST_S=0.5, LOOK_S=0.1) as port, opened(port) as sock:
        sock.sendall(HALF)
        with pytest.raises(ConnectionError):
            trickle(sock)


def test_at_the_limit_new_clients_take_the_place_of_those_that_wait_longest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serving(monkeypatch, CONNECTIONS=20) as port, contextlib.ExitStack() as held:
        crowd = [held.enter_context(opened(port)) for _ in range(40)]
        for sock in crowd:
            with contextlib.suppress(ConnectionError):
                sock.sendall(HALF)
        with opened(port) as sock:
            assert answer(sock, HEALTH) == 200
        assert closed(crowd[0])


CHUNKED = b"Transfer-Encoding: chunked\r\n"
DOUBTFUL = {
    "two ends": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n" + CHUNKED + b"\r\n0\r\n\r\n",
    "endless length": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 4\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "a blank in the address": b"GET / x HTTP/1.1\r\nHost: a\r\n\r\n",
    "a blank before the colon": b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    "a control character": b"GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n",
}


@pytest.mark.parametrize("sent", DOUBTFUL.values(), ids=DOUBTFUL.keys())
def test_a_message_that_a_proxy_may_read_otherwise_is_refused_and_ends_the_connection(
    sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(monkeypatch) as port, opened(port) as sock:
        sock.sendall(sent + HEALTH)
        response = http.client.HTTPResponse(sock)
        response.begin()
        assert response.status == 400
        response.read()
        assert closed(sock)


def test_a_crowd_of_unfinished_bodies_lies_in_files_and_not_in_memory(
    proofs: Proofs, shared: Started
) -> None:
    def resident_kb() -> int:
        status = Path(f"/proc/{shared.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])

    before, body = resident_kb(), b" " * 1_000_000
    head = b"POST /api/v1/events HTTP/1.1\r\nHost: stopa\r\nContent-Length: 1000001\r\n\r\n"
    with contextlib.ExitStack() as held:
        for _ in range(100):
            held.enter_context(opened(port_of(shared))).sendall(head + body)
        assert quick(shared)
        assert resident_kb() - before < 40_000  # of 100 MB that were sent
