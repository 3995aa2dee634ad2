"""Settings of the environment, `.env` and `/etc/stopa.env`: one table of names, units and defaults.

`read()` returns every problem with an example of a valid value; `start()` prints them and exits with
status 2. The time zone of the operating system is never used: days are UTC unless `STOPA_TIMEZONE` is
set, so an instance that moves to another machine shows the same days.
"""

from __future__ import annotations

import difflib
import io
import os
import re
import secrets
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from dotenv import dotenv_values

from dashboard.settings import readers
from dashboard.settings.readers import INSTANCE, LOCALES, ROOT, HostPort
from dashboard.settings.table import SETTINGS

__all__ = [
    "INSTANCE",
    "LOCALES",
    "ROOT",
    "SETTINGS",
    "Given",
    "HostPort",
    "InForce",
    "Problem",
    "Settings",
    "SettingsError",
    "given_values",
    "in_force",
    "load",
    "reachable",
    "read",
    "start",
    "stored_secret",
    "version",
]

BIND = HostPort("127.0.0.1", 8000)
FILES = (Path("/etc/stopa.env"), ROOT / ".env")  # a later one wins


class Problem(NamedTuple):
    """An invalid setting: its name, what is wrong with it, and an example of a valid value."""

    name: str
    text: str
    hint: str


class SettingsError(Exception):
    """Some settings are invalid; `problems` lists each of them."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{p.name}: {p.text}" for p in problems))
        self.problems = problems


@dataclass(frozen=True)
class Settings:
    """Validated values. The defaults are for tests; `load()` fills in the environment's values."""

    database: str
    secret_key: str
    base_url: str = "http://127.0.0.1:8000"
    bind: HostPort = BIND
    smtp_url: str = ""
    mail_from: str = "stopa@localhost"
    timezone: str = "UTC"
    locale: str = "en"
    shift_hours: int = 16
    call_end_hours: int = 4
    idle_minutes: int = 60
    trusted_proxies: int = 0
    auth_header: str = ""
    auth_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    webhook_allow: tuple[HostPort, ...] = ()
    log_level: str = "info"
    log_format: str = "text"
    slow_request_ms: int = 1000
    sqlite_synchronous: str = "normal"
    site_name: str = "Stopa"
    audit_seals: Path | None = None
    disk_low_mb: int = 1024
    disk_stop_mb: int = 256
    metrics: str = ""
    log_folders: tuple[Path, ...] = (Path("/var/log/asterisk"),)

    @property
    def limits_s(self) -> tuple[int, int, int]:
        """Longest shift, end of a call and stop of idle work without an end of their own, in seconds."""
        return self.shift_hours * 3600, self.call_end_hours * 3600, self.idle_minutes * 60


def load(environ: Mapping[str, str] = os.environ, instance: Path = INSTANCE) -> Settings:
    """Return the validated settings. Creates `instance` and the secret key if they are needed.

    Raises SettingsError with every problem.
    """
    values, problems = read(environ, instance)
    if "auth_header" in values and "auth_proxies" not in values:
        text = "is believed from nobody while STOPA_AUTH_PROXIES is not set"
        problems.append(Problem("STOPA_AUTH_HEADER", text, "STOPA_AUTH_PROXIES=127.0.0.1"))
    if problems:
        raise SettingsError(problems)
    if _stored_inside(instance, values):
        instance.mkdir(mode=0o700, exist_ok=True)
    values.setdefault("database", f"sqlite:///{instance / 'stopa.db'}")
    if "secret_key" not in values:
        values["secret_key"] = stored_secret(instance / "secret_key")
    bind = values.setdefault("bind", BIND)
    values.setdefault("base_url", f"http://{reachable(bind)}")
    values.setdefault("mail_from", f"stopa@{_mail_host(values['base_url'])}")
    return Settings(**values)


def start(
    environ: Mapping[str, str] = os.environ, instance: Path = INSTANCE, files: Sequence[Path] = FILES
) -> Settings:
    """Return the settings of the environment and, for names that are not set there, of the lines of `files`;
    or print every problem to standard error and exit with status 2.

    What this process prints from now on is escaped where the terminal's encoding has no such letter.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        return load({name: given.value for name, given in given_values(environ, files).items()}, instance)
    except SettingsError as error:
        for problem in error.problems:
            print(f"{problem.name}: {problem.text}.\n  Example: {problem.hint}", file=sys.stderr)
        raise SystemExit(2) from None


class Given(NamedTuple):
    """The text of a setting and where it stands: a file, or "environment"."""

    value: str
    place: str


def given_values(environ: Mapping[str, str] = os.environ, files: Sequence[Path] = FILES) -> dict[str, Given]:
    """Return what is set, by name. Raises SettingsError for a file that this user may not read: going on
    without it would use another database."""
    found: dict[str, Given] = {}
    for file in files:
        try:
            written = dotenv_values(stream=io.StringIO(file.read_text()))
        except FileNotFoundError:
            continue
        except OSError as error:
            hint = "run the command as the user of the service, such as with sudo -u stopa"
            raise SettingsError([Problem(str(file), f"cannot be read: {error.strerror}", hint)]) from None
        found.update({name: Given(value, str(file)) for name, value in written.items() if value is not None})
    return found | {name: Given(value, "environment") for name, value in environ.items()}


class InForce(NamedTuple):
    """A setting as it is in force, secrets hidden; `place` is where it is set, "" for the default."""

    name: str
    value: str
    place: str


def in_force() -> list[InForce]:
    """Return every setting of this process in the order of the table."""
    given = given_values()
    found = []
    for setting in SETTINGS:
        text, place = given.get(setting.name, Given("", ""))
        if text := text.strip():
            found.append(InForce(setting.name, setting.masked(text), place))
        else:
            found.append(InForce(setting.name, setting.default, ""))
    return found


def read(environ: Mapping[str, str], instance: Path) -> tuple[dict[str, Any], list[Problem]]:
    """Return the valid values by field, and every problem of the settings in the order of the table.

    An empty value counts as not set. A name that is similar to a setting is a problem too, because a misspelt
    setting would silently be ignored. Other names that start with STOPA_ are ignored.
    """
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for setting in SETTINGS:
        text = environ.get(setting.name, "").strip()
        if not text:
            continue
        try:
            values[setting.field] = setting.read(text)
        except ValueError as error:
            problems.append(Problem(setting.name, str(error), setting.hint))
    return values, problems + _misspelt(environ) + _unwritable(instance, values)


def _misspelt(environ: Mapping[str, str]) -> list[Problem]:
    known = [setting.name for setting in SETTINGS]
    problems = []
    for name in sorted(environ):
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.9)
        if near and name not in known:
            problems.append(Problem(name, "is not a known setting", near[0]))
    return problems


def _stored_inside(instance: Path, values: Mapping[str, Any]) -> list[str]:
    """Return the names of the settings whose values are stored in the instance folder."""
    database = str(values.get("database", f"sqlite:///{instance}/"))
    inside = database.startswith(f"sqlite:///{instance}/")
    return ["STOPA_DATABASE"] * inside + ["STOPA_SECRET_KEY"] * ("secret_key" not in values)


def _unwritable(instance: Path, values: Mapping[str, Any]) -> list[Problem]:
    place = instance if instance.exists() else instance.parent
    needed = _stored_inside(instance, values)
    if not needed or os.access(place, os.W_OK):
        return []
    hint = f"make the folder writable, or set {' and '.join(needed)}"
    return [Problem(needed[0], f"is stored in {instance}, which is not writable", hint)]


def stored_secret(path: Path) -> str:
    """Return the key stored at `path` (mode 0600), generated if absent.

    Processes that start at the same time get the same key. Raises SettingsError if the stored key is too
    short.
    """
    if not path.exists():
        with tempfile.NamedTemporaryFile("w", dir=path.parent) as file:  # mode 0600
            file.write(secrets.token_hex(32))
            file.flush()
            try:
                os.link(file.name, path)
            except FileExistsError:
                return stored_secret(path)
    try:
        return readers.read_secret(path.read_text().strip())
    except ValueError as error:
        hint = f"delete {path} to generate a new key; channels need their addresses and secrets again"
        raise SettingsError([Problem("STOPA_SECRET_KEY", f"is stored in {path} and {error}", hint)]) from None


def reachable(bind: HostPort) -> HostPort:
    """Return the address at which a browser on this machine reaches a server bound to `bind`."""
    return bind._replace(host="127.0.0.1") if bind.host in ("0.0.0.0", "::") else bind  # noqa: S104


def version() -> str:
    """Return the version of Stopa."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])


def _mail_host(base_url: str) -> str:
    host = urlsplit(base_url).hostname or ""
    return "localhost" if re.fullmatch(r"[0-9.]+|.*:.*", host) else host
