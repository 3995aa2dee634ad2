"""bin/serve brings up the web server and a worker, keeps both running, and takes both down."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dashboard.settings import ROOT
from tests.postgres import free_port

LONG_S = 60  # a busy machine; every wait below ends as soon as what it waits for is there
SERVER = [sys.executable, "-m", "dashboard.server"]


class Started:
    """A started server: its process and what it has said so far."""

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self.process, self.address, self.said = process, address, ""
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line

    def get(self, path: str) -> int:
        with urllib.request.urlopen(self.address + path, timeout=LONG_S) as answer:
            status: int = answer.status
            return status

    def workers(self) -> list[int]:
        """Return the process ids of its live children that are workers."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                command = (entry / "cmdline").read_text().split("\0")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if parent == self.process.pid and "worker" in command and not gone(int(entry.name)):
                found.append(int(entry.name))
        return found


def environment(url: str, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("STOPA_", "FLASK_"))}
    return {**kept, "STOPA_DATABASE": url, "STOPA_SECRET_KEY": "0" * 32, **more}


@contextmanager
def started(command: list[str], url: str, bind: str = "", **more: str) -> Iterator[Started]:
    """Start `command` on a free port, wait until it says that it answers, kill it at the end.

    `bind` is another address to listen on; `more` are further variables of its environment.
    """
    bind = bind or f"127.0.0.1:{free_port()}"
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(url, STOPA_BIND=bind, **more),
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    address = f"http://{bind.replace('0.0.0.0', '127.0.0.1')}"
    running = Started(process, address)
    try:
        until(lambda: "is running on" in running.said or process.poll() is not None)
        assert f"Stopa is running on {address}" in running.said, running.said
        yield running
    finally:
        process.kill()
        process.wait()
        running.reader.join(LONG_S)  # ends when nobody holds the output: server and worker are gone
        assert not running.reader.is_alive(), "the worker has outlived its server"
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture
def url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated database where it is not the database that matters."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'stopa.db')}"


def until(fact: Callable[[], object], turn: Callable[[], object] = lambda: time.sleep(0.05)) -> None:
    end = time.monotonic() + LONG_S
    while not fact():
        assert time.monotonic() < end, "waited in vain"
        turn()


def gone(pid: int) -> bool:
    """A process that has ended; one that nobody has waited for yet counts too."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_the_server_answers_and_has_one_worker(db_url: str) -> None:
    with started(SERVER, db_url) as running:
        assert running.get("/healthz") == 200
        until(lambda: len(running.workers()) == 1)


def test_the_web_server_runs_alone_where_workers_run_beside_it(url: str) -> None:
    with started([*SERVER, "--no-worker"], url) as running:
        assert (running.get("/healthz"), running.workers()) == (200, [])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_stops_server_and_worker(number: signal.Signals, url: str) -> None:
    with started(SERVER, url) as running:
        until(running.workers)
        (worker,) = running.workers()
        running.process.send_signal(number)
        assert running.process.wait(LONG_S) == 0
        assert gone(worker)
        assert "Traceback" not in running.said
    with sqlite3.connect(url.removeprefix("sqlite:///")) as file:
        told = [type_ for (type_,) in file.execute("SELECT type FROM event ORDER BY id")]
        assert file.execute("SELECT name FROM setting WHERE name LIKE 'worker:%'").fetchall() == []
    file.close()
    assert told == ["system.started", "system.stopped"]


def test_server_finds_itself_behind_a_proxy_of_the_environment(url: str) -> None:
    with started(SERVER, url, http_proxy="http://127.0.0.1:9", no_proxy="") as running:
        assert "Stopa is running on" in running.said


def test_killed_worker_is_restarted(url: str) -> None:
    with started(SERVER, url) as running:
        until(running.workers)
        (first,) = running.workers()
        os.kill(first, signal.SIGKILL)
        until(lambda: running.workers() not in ([], [first]))
        assert running.get("/healthz") == 200
        assert "The worker exited with status -9; restarting in 1 s." in running.said


def test_a_killed_server_leaves_no_worker_behind(url: str) -> None:
    with started(SERVER, url) as running:
        until(running.workers)
        (worker,) = running.workers()
        running.process.kill()
        until(lambda: gone(worker))


def test_an_address_in_use_is_named(url: str) -> None:
    with started(SERVER, url) as running:
        bind = running.address.removeprefix("http://")
        second = subprocess.run(
            SERVER,
            cwd=ROOT,
            env=environment(url, STOPA_BIND=bind),
            capture_output=True,
            text=True,
            check=False,
            timeout=LONG_S,
        )
    assert second.returncode == 1
    assert f"Cannot listen on {bind}: Address already in use" in second.stderr


def test_serve_migrates_an_empty_database_and_gives_the_code_for_the_first_administrator(
    empty_url: str,
) -> None:
    with started(["bin/serve"], empty_url) as running:
        assert "One-time code to create the first administrator:" in running.said
        assert running.get("/healthz") == 200
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(LONG_S) == 0


def stopa(folder: Path, url: str, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run `bin/stopa` in another folder."""
    return subprocess.run(
        [ROOT / "bin" / "stopa", *words],
        cwd=folder,
        env=environment(url, **more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="latin-1",
        check=False,
    )


def test_commands_run_in_any_folder_and_take_files_from_there(url: str, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"type": "custom.seen", "time": "2026-03-02T09:00:00Z"}\n')
    (tmp_path / ".env").write_text("STOPA_LOCALE=nonsense\n")
    done = stopa(tmp_path, url, "import", "a.jsonl", "--format", "jsonl", "--source", "pbx")
    assert (done.returncode, "stored 1" in done.stdout) == (0, True), done.stderr


def test_version_is_that_of_the_project(url: str, tmp_path: Path) -> None:
    assert [stopa(tmp_path, url, word).stdout for word in ("--version", "version")] == ["Stopa 0.1.0\n"] * 2


def test_letters_that_the_terminal_lacks_are_escaped(url: str, tmp_path: Path) -> None:
    words = ("access", "grant", "ředitel é", "pii.unmask")
    done = stopa(tmp_path, url, *words, PYTHONIOENCODING="latin-1")
    assert (done.returncode, "Unknown role '\\u0159editel é'" in done.stderr) == (1, True)


SAYINGS = [
    (["--help"], {}, 0, "Usage: bin/serve"),
    (["--nonsense"], {}, 2, "Usage: bin/serve"),
    (["--bind"], {}, 2, "Usage: bin/serve"),
    (["--bind", "8000"], {}, 2, "STOPA_BIND: '8000' is not host:port"),
    ([], {"STOPA_LOCALE": "cz"}, 2, "STOPA_LOCALE: unsupported locale 'cz'; use en, cs or ja"),
]


@pytest.mark.parametrize(("arguments", "more", "status", "words"), SAYINGS)
def test_serve_prints_errors_and_exits(
    arguments: list[str], more: dict[str, str], status: int, words: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        ["bin/serve", *arguments],
        cwd=ROOT,
        env=environment(f"sqlite:///{tmp_path}/stopa.db", **more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=LONG_S,
    )
    assert (done.returncode, words in done.stdout + done.stderr) == (status, True), done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("more", "warned"), [({}, True), ({"STOPA_BASE_URL": "https://stopa.example.com"}, False)]
)
def test_links_that_only_this_machine_opens_are_warned_of(
    more: dict[str, str], warned: bool, url: str
) -> None:
    port = free_port()
    with started(SERVER, url, f"0.0.0.0:{port}", **more) as running:
        line = f"STOPA_BASE_URL is not set: links in emails lead to http://127.0.0.1:{port}"
        assert (line in running.said) == warned
