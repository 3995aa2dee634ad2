"""`bin/serve`'s process: the web server on threads, and one worker as a child that is kept running.

It migrates the database first, here and not by a command of its own: a start takes half the time.
Both end on SIGTERM and SIGINT. Bigger sites run `wsgi.py` under a server of their choice and as many
`flask worker` as they want; nothing else depends on this module.
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
from typing import NoReturn

import click
import peewee
from flask import Flask
from waitress.server import create_server

from dashboard import cli, create_app, settings
from dashboard.db import connected
from dashboard.events import own
from dashboard.settings import ROOT, HostPort

THREADS = 8  # a page costs milliseconds; eight wait for slow readers without holding up the rest
BODY_MAX = 16 * 1024 * 1024  # above the application's own limit, whose answer says more
FIRST_PAUSE_S, LAST_PAUSE_S = 1, 60  # before a worker that ended is started again, doubled each time
STEADY_S = 60  # a worker that lived this long begins at the first pause again
END_S = 20  # for a worker to put down its job before it is killed; the job's lease brings it back
ANSWER_S = 60


class Worker:
    """The worker process, started again whenever it ends before its time."""

    def __init__(self) -> None:
        self._ending = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep, name="worker")

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Ask the worker to end, wait, and kill it if it does not."""
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
            say(f"The worker ended with status {status}; it starts again in {pause} s.")
            self._ending.wait(pause)
            pause = min(2 * pause, LAST_PAUSE_S)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)


def worker_command() -> list[str]:
    """Return the worker's command line.

    Where util-linux has setpriv, the worker ends with this process even when it is killed.
    """
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "worker"]
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", *command] if setpriv else command


def main() -> None:
    """Serve until a signal. Ends with status 2 for wrong settings, 1 for an address in use."""
    chosen = settings.start()
    app = create_app(chosen)
    prepare(app, demo="--demo" in sys.argv[1:])
    try:
        server = create_server(
            app,
            host=chosen.bind.host,
            port=chosen.bind.port,
            threads=THREADS,
            max_request_body_size=BODY_MAX,
            ident=None,
            clear_untrusted_proxy_headers=False,  # STOPA_TRUSTED_PROXIES decides, in the application
        )
    except OSError as error:
        _give_up(f"Cannot listen on {chosen.bind}: {error.strerror}. Choose another address by STOPA_BIND.")
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)  # said outright: a shell starts background work deaf to it
    worker = Worker()
    try:
        tell(app, "system.started")
        worker.start()
        threading.Thread(target=_announce, args=(chosen.bind,), daemon=True).start()
        server.run()  # returns on SIGTERM and SIGINT, when the requests at hand are answered
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        say("Ending.")
        server.close()
        tell(app, "system.stopped")
        worker.end()


def prepare(app: Flask, demo: bool) -> None:
    """Do what `flask migrate`, or with `demo` `flask demo`, would do; end the process if it fails."""
    command = cli.demo if demo else cli.migrate_
    with app.app_context():
        try:
            command.main([], standalone_mode=False)
        except click.ClickException as error:
            _give_up(error.format_message())


def tell(app: Flask, type_: str) -> None:
    """Record an event of the dashboard's own running; a database that is away holds nothing up."""
    try:
        with app.app_context(), connected():
            own.append(type_, {})
    except peewee.PeeweeException as error:
        say(f"{type_} was not recorded: {type(error).__name__}")


def say(text: str) -> None:
    print(text, flush=True)


def _stop(_number: int, _frame: object) -> NoReturn:
    raise SystemExit(0)


def _give_up(text: str) -> NoReturn:
    print(text, file=sys.stderr)
    raise SystemExit(1)


def _announce(bind: HostPort) -> None:
    """Say the address once the dashboard answers on it."""
    address = f"http://{settings.reachable(bind)}"
    until = time.monotonic() + ANSWER_S
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=5):  # noqa: S310
                say(f"Stopa answers on {address}. Ctrl+C ends it.")
                return
        except urllib.error.HTTPError as error:
            problem = f"/healthz says {error.code}"
        except OSError as error:
            problem = str(error)
        time.sleep(0.1)
    say(f"Stopa does not answer on {address}: {problem}")


if __name__ == "__main__":
    main()
