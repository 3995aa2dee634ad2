"""This machine as the steps of the service see it: commands, units, the user, and whether Stopa is ready."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from dashboard.service.files import ENABLED, UNITS, USER, File
from dashboard.settings import HostPort

RUNNING = Path("/run/systemd/system")  # there while systemd is the init
READY_S = 90


class ServiceError(Exception):
    """A step failed; the text is the reason."""


def run(*words: str | Path, user: str = "", cwd: Path = Path("/")) -> str:
    """Run a command as root, or as `user`, and return what it prints.

    It takes its settings from the files alone, not from this command's environment. Raises ServiceError with
    the last line that it prints.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("STOPA_", "FLASK_"))}
    command = [*(("runuser", "-u", user, "--") if user else ()), *map(str, words)]
    if user:
        kept["HOME"] = "/"  # not root's, where that user may read nothing
    try:
        done = subprocess.run(  # noqa: S603  our own words, no shell
            command, cwd=cwd, env=kept, capture_output=True, text=True, check=False, umask=0o022
        )
    except FileNotFoundError:
        raise ServiceError(f"{command[0]} is not installed.") from None
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise ServiceError(f"{' '.join(command)}: {lines[-1] if lines else done.returncode}")
    return done.stdout


def has_systemd() -> bool:
    return RUNNING.is_dir()


def systemctl(*words: str) -> None:
    """Tell systemd, where it runs."""
    if has_systemd():
        run("systemctl", *words)


def start() -> None:
    systemctl("daemon-reload")
    systemctl("enable", "--now", *ENABLED)


def stop() -> None:
    systemctl("stop", *UNITS)


def states() -> dict[str, str]:
    """Return the state of each unit as systemd names it: active, inactive, failed; "unknown" without it."""
    found = {}
    for unit in ENABLED:
        try:
            words = run("systemctl", "show", "--property=ActiveState,SubState", "--value", unit).split()
        except ServiceError:
            words = ["unknown"]
        found[unit] = " ".join(dict.fromkeys(words))
    return found


def make_user(home: Path) -> None:
    """Make the user of the service, unless there is one."""
    try:
        pwd.getpwnam(USER)
    except KeyError:
        shell = "/usr/sbin/nologin"
        run("useradd", "--system", "--user-group", "--home-dir", home, "--shell", shell, USER)


def own(path: Path) -> None:
    """Make a folder that only the user of the service may open."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.chown(path, USER, USER)


def write(file: File, path: Path, owned: bool) -> None:
    """Write a file at once, with its mode from the first byte; with its group if `owned`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", delete=False) as part:
        part.write(file.text)
        os.fchmod(part.fileno(), file.mode)
        if owned:
            os.fchown(part.fileno(), 0, grp.getgrnam(file.group).gr_gid)
    Path(part.name).replace(path)


def link(path: Path, target: Path) -> None:
    """Let `path` point to `target`, at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.new")
    part.unlink(missing_ok=True)
    part.symlink_to(target)
    part.replace(path)


def unready(bind: HostPort) -> str:
    """Return what /readyz says is wrong, "" when it is ready."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # not by way of a proxy
    try:
        with direct.open(f"http://{bind}/readyz", timeout=10):
            return ""
    except urllib.error.HTTPError as error:
        return "; ".join(error.read().decode(errors="replace").splitlines())
    except OSError as error:
        return str(getattr(error, "reason", error))


def wait_until_ready(bind: HostPort, seconds: float = READY_S) -> None:
    """Raise ServiceError with what is wrong if it is not ready in time; return at once without systemd."""
    until = time.monotonic() + seconds
    while has_systemd() and (problem := unready(bind)):
        if time.monotonic() > until:
            raise ServiceError(f"/readyz of http://{bind} says: {problem}. See journalctl -u stopa-web.")
        time.sleep(0.5)
