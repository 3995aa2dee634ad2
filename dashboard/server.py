"""The process of `bin/serve`: a threaded web server, and a worker child process that is restarted on exit.

Migrates the database first, in this process, which halves the start time. Both processes stop on SIGTERM and
SIGINT. With --no-worker it is the web server alone, beside any number of `flask worker` processes.
No other module depends on this one.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from functools import partial
from typing import TYPE_CHECKING, NoReturn

import click
import peewee
from flask import Flask

from dashboard import create_app, settings
from dashboard.access import upload_pass
from dashboard.cli import database
from dashboard.db import connected, failure
from dashboard.events import internal
from dashboard.listener import Server
from dashboard.settings import ROOT, HostPort, Settings

if TYPE_CHECKING:
    from dashboard.demo.life import Life

FIRST_PAUSE_S, LAST_PAUSE_S = 1, 60  # before an exited worker is restarted; doubles each time
STEADY_S = 60  # a worker that ran this long resets the pause
END_S = 20  # for a worker to finish its job before it is killed; another worker takes over after the lease
ANSWER_S = 60


class Worker:
    """The worker process; restarted whenever it exits unexpectedly."""

    def __init__(self) -> None:
        self._ending = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep, name="worker")

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Terminate the worker; kill it if it does not exit within END_S."""
        self._ending.set()
        self._signal(signal.SIGTERM)
        if self._thread.is_alive():
            self._thread.join(END_S)
        if self._thread.is_alive():
            self._signal(signal.SIGKILL)
            self._thread.join()

    def _keep(self) -> None:
        pause = FIRST_PAUSE_S
        while not self._ending.is_set():
            began = time.monotonic()
            self._process = subprocess.Popen(worker_command(), cwd=ROOT, start_new_session=True)  # noqa: S603
            if self._ending.is_set():
                self._signal(signal.SIGTERM)
            status = self._process.wait()
            if self._ending.is_set():
                return
            pause = FIRST_PAUSE_S if time.monotonic() - began > STEADY_S else pause
            say(f"The worker exited with status {status}; restarting in {pause} s.")
            self._ending.wait(pause)
            pause = min(2 * pause, LAST_PAUSE_S)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)


def worker_command() -> list[str]:
    """Return the worker's command line.

    With setpriv of util-linux, the worker is terminated even if this process is killed.
    """
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "worker"]
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", *command] if setpriv else command


def main() -> None:
    """Serve until a signal. Exit status 2 for invalid settings, 1 if the address is in use."""
    chosen = settings.start()
    app = create_app(chosen)
    demo = "--demo" in sys.argv[1:]
    prepare(app, demo)
    try:
        server = Server(app, chosen.bind, partial(upload_pass.body_max, chosen.secret_key))
    except OSError as error:
        _exit(f"Cannot listen on {chosen.bind}: {error.strerror}. Set STOPA_BIND to another address.")
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)  # explicit: shells start background processes with SIGINT ignored
    warn_of_links(chosen)
    worker = None if "--no-worker" in sys.argv[1:] else Worker()
    life = _life(app) if demo else None
    try:
        record(app, "system.started")
        if worker:
            worker.start()
        if life:
            life.start()
        threading.Thread(target=_announce, args=(chosen.bind,), daemon=True).start()
        server.run()  # returns on SIGTERM and SIGINT, after the current requests
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        say("Stopping.")
        server.close()
        if life:
            life.end()
        record(app, "system.stopped")
        if worker:
            worker.end()


def _life(app: Flask) -> Life:
    from dashboard.demo.life import Life

    return Life(app)


def prepare(app: Flask, demo: bool) -> None:
    """Run `flask migrate`, or `flask demo` if `demo`; exit the process if it fails."""
    command = database.demo if demo else database.migrate_
    with app.app_context():
        try:
            command.main([], standalone_mode=False)
        except click.ClickException as error:
            _exit(error.format_message())


def warn_of_links(chosen: Settings) -> None:
    """Say that links in mails lead nowhere when other machines may call and no public address is set."""
    here = settings.reachable(chosen.bind)
    if here != chosen.bind and chosen.base_url == f"http://{here}":
        say(
            f"STOPA_BASE_URL is not set: links in emails lead to {chosen.base_url}, which only this machine "
            "opens. Set it to the address that users type."
        )


def record(app: Flask, type_: str) -> None:
    """Record a system event. A database error is printed and otherwise ignored."""
    try:
        with app.app_context(), connected():
            internal.append(type_, {"version": settings.version()})
    except peewee.PeeweeException as error:
        say(f"{type_} was not recorded: {failure.explain(error)}")


def say(text: str) -> None:
    print(text, flush=True)


def _stop(_number: int, _frame: object) -> NoReturn:
    raise SystemExit(0)


def _exit(text: str) -> NoReturn:
    print(text, file=sys.stderr)
    raise SystemExit(1)


def _announce(bind: HostPort) -> None:
    """Print the address once the server answers on it."""
    address = f"http://{settings.reachable(bind)}"
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # not by way of a proxy
    until = time.monotonic() + ANSWER_S
    while time.monotonic() < until:
        try:
            with direct.open(f"{address}/healthz", timeout=5):
                say(f"Stopa is running on {address}. Press Ctrl+C to stop.")
                return
        except urllib.error.HTTPError as error:
            problem = f"/healthz says {error.code}"
        except OSError as error:
            problem = str(error)
        time.sleep(0.1)
    say(f"Stopa is not responding on {address}: {problem}")


if __name__ == "__main__":
    main()
