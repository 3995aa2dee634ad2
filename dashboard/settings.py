"""What the instance is told by its environment: one table of names, units and defaults.

`check()` names every problem with a hint; `start()` ends the process with them (status 2).
The system's own time zone is not consulted: days are UTC until `STOPA_TIMEZONE` says otherwise,
so that an instance moved to another machine shows the same days.
"""

from __future__ import annotations

import difflib
import os
import re
import secrets
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

ROOT = Path(__file__).resolve().parents[1]
INSTANCE = ROOT / ".stopa"  # database, secret key and made files; never in the repository
LOCALES = ("en", "cs", "ja")

SECRET_MIN = 32  # characters; 128 bits written as hexadecimal digits
PROXIES_MAX = 10
ADDRESS = re.compile(r"(?:[^<>\r\n]*<)?[^<>@\s]+@[^<>@\s]+>?")


class HostPort(NamedTuple):
    """Where to listen or to call; an IPv6 host stands without brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


BIND = HostPort("127.0.0.1", 8000)


class Problem(NamedTuple):
    """A setting that cannot be used: its name, what is wrong, what would be right."""

    name: str
    text: str
    hint: str


class Setting(NamedTuple):
    """One row of the table. `read` returns the value or raises ValueError saying what is wrong.

    `default` is what stands in the README: text of the variable, or words in brackets.
    """

    name: str
    default: str
    unit: str
    help: str
    read: Callable[[str], Any]
    hint: str

    @property
    def field(self) -> str:
        """Name of the same value in `Settings`."""
        return self.name.removeprefix("STOPA_").lower()


class SettingsError(Exception):
    """Some settings cannot be used; `problems` names each."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{p.name}: {p.text}" for p in problems))
        self.problems = problems


@dataclass(frozen=True)
class Settings:
    """Checked values. The defaults serve tests; `load()` fills in the environment's."""

    database: str
    secret_key: str
    base_url: str = "http://127.0.0.1:8000"
    bind: HostPort = BIND
    smtp_url: str = ""
    mail_from: str = "stopa@localhost"
    timezone: str = "UTC"
    locale: str = "en"
    trusted_proxies: int = 0
    webhook_allow: tuple[HostPort, ...] = ()


def _split(value: str) -> SplitResult:
    parts = urlsplit(value)
    _ = parts.port  # raises ValueError for a port that is none
    return parts


def read_database(value: str) -> str:
    """Return a URL of PostgreSQL, or of SQLite with an absolute path.

    A relative path begins at the project's folder, wherever a command is called from.
    """
    parts = _split(value)
    if parts.scheme == "postgresql":
        if not parts.path.strip("/"):
            raise ValueError("names no database")
        return value
    if parts.scheme != "sqlite" or not value.startswith("sqlite:///"):
        raise ValueError(f"cannot open {parts.scheme or 'no scheme'!r}")
    path = value.removeprefix("sqlite:///")
    if not path or path == ":memory:":
        raise ValueError("names no file; server and worker share the database through one")
    file = ROOT / path
    if file.parent != INSTANCE and not file.parent.is_dir():
        raise ValueError(f"lies in {file.parent}, a folder that does not exist")
    return f"sqlite:///{file}"


def read_secret(value: str) -> str:
    if len(value) < SECRET_MIN:
        raise ValueError(f"has {len(value)} characters, at least {SECRET_MIN} are needed")
    return value


def read_base_url(value: str) -> str:
    """Return the address without a closing slash."""
    parts = _split(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is no http or https address")
    if parts.query or parts.fragment or parts.username:
        raise ValueError("carries more than scheme, host, port and path")
    return value.rstrip("/")


def read_host_port(value: str) -> HostPort:
    """Return host and port of `host:port` or `[::1]:port`; port 1 to 65535."""
    parts = _split(f"//{value}")
    if not parts.hostname or parts.port is None or parts.netloc != value or "@" in value:
        raise ValueError(f"{value!r} is not host:port")
    if not parts.port:
        raise ValueError("port 0 is nobody's address")
    return HostPort(parts.hostname, parts.port)


def read_host_ports(value: str) -> tuple[HostPort, ...]:
    return tuple(read_host_port(part) for part in re.split(r"[,\s]+", value) if part)


def read_smtp_url(value: str) -> str:
    parts = _split(value)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ValueError("is no smtp or smtps address")
    return value


def read_address(value: str) -> str:
    if not ADDRESS.fullmatch(value):
        raise ValueError(f"{value!r} is no mail address")
    return value


def read_timezone(value: str) -> str:
    try:
        return ZoneInfo(value).key
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{value!r} is no zone of the IANA database") from None


def read_locale(value: str) -> str:
    if value not in LOCALES:
        raise ValueError(f"{value!r} is not spoken here")
    return value


def read_count(value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,2}", value) or int(value) > PROXIES_MAX:
        raise ValueError(f"{value!r} is no number from 0 to {PROXIES_MAX}")
    return int(value)


SETTINGS = [
    Setting(
        "STOPA_DATABASE",
        "sqlite:///.stopa/stopa.db",
        "URL",
        "Where everything is kept: SQLite by path or PostgreSQL.",
        read_database,
        "sqlite:////var/lib/stopa/stopa.db or postgresql://user:password@host/name",
    ),
    Setting(
        "STOPA_SECRET_KEY",
        "(made at first start)",
        f"text, {SECRET_MIN} characters or more",
        "Signs forms and cookies; kept in `.stopa/secret_key`. Several machines need the same one.",
        read_secret,
        "python3 -c 'import secrets; print(secrets.token_hex(32))' makes one",
    ),
    Setting(
        "STOPA_BASE_URL",
        "(http:// and STOPA_BIND)",
        "URL",
        "The address people open; links in mails begin with it. With https cookies are Secure.",
        read_base_url,
        "https://stopa.example.com",
    ),
    Setting(
        "STOPA_BIND",
        "127.0.0.1:8000",
        "host:port",
        "Where `bin/serve` listens.",
        read_host_port,
        "127.0.0.1:8000 or [::1]:8000",
    ),
    Setting(
        "STOPA_SMTP_URL",
        "(no mail is sent)",
        "URL",
        "Mail server: smtp:// (STARTTLS where offered) or smtps://, with user and password if needed.",
        read_smtp_url,
        "smtp://user:password@mail.example.com:587",
    ),
    Setting(
        "STOPA_MAIL_FROM",
        "(stopa@ and the host of STOPA_BASE_URL)",
        "mail address",
        "Sender of mails.",
        read_address,
        "Stopa <stopa@example.com>",
    ),
    Setting(
        "STOPA_TIMEZONE",
        "UTC",
        "IANA zone",
        "Zone of days for people who chose none; the machine's own is not consulted.",
        read_timezone,
        "Europe/Prague or Asia/Tokyo",
    ),
    Setting(
        "STOPA_LOCALE",
        "en",
        "en, cs or ja",
        "Language for people who chose none.",
        read_locale,
        "en, cs or ja",
    ),
    Setting(
        "STOPA_TRUSTED_PROXIES",
        "0",
        "count",
        "How many proxies in front are believed about the caller's address and scheme.",
        read_count,
        "1 behind one proxy that sets X-Forwarded-For and X-Forwarded-Proto",
    ),
    Setting(
        "STOPA_WEBHOOK_ALLOW",
        "(none)",
        "host:port list",
        "Private addresses that webhooks may call all the same, parted by commas.",
        read_host_ports,
        "10.0.0.5:8080,intranet.example.com:443",
    ),
]


def check(environ: Mapping[str, str] = os.environ, instance: Path = INSTANCE) -> list[Problem]:
    """Return every problem of the settings, in the order of the table; none when all can be used.

    A name that is nearly one of ours is a problem too: a misspelt setting would be ignored in
    silence. Other names that begin with STOPA_ are left alone.
    """
    return _read(environ, instance)[1]


def load(environ: Mapping[str, str] = os.environ, instance: Path = INSTANCE) -> Settings:
    """Return the checked settings; makes `instance` and the secret key where needed.

    Raises SettingsError with every problem.
    """
    values, problems = _read(environ, instance)
    if problems:
        raise SettingsError(problems)
    if _kept_inside(instance, values):
        instance.mkdir(mode=0o700, exist_ok=True)
    values.setdefault("database", f"sqlite:///{instance / 'stopa.db'}")
    if "secret_key" not in values:
        values["secret_key"] = kept_secret(instance / "secret_key")
    bind = values.setdefault("bind", BIND)
    values.setdefault("base_url", f"http://{reachable(bind)}")
    values.setdefault("mail_from", f"stopa@{_mail_host(values['base_url'])}")
    return Settings(**values)


def start(environ: Mapping[str, str] = os.environ, instance: Path = INSTANCE) -> Settings:
    """Return the settings, or say on standard error what is wrong and end with status 2."""
    try:
        return load(environ, instance)
    except SettingsError as error:
        for problem in error.problems:
            print(f"{problem.name} {problem.text}.\n  Right would be: {problem.hint}", file=sys.stderr)
        raise SystemExit(2) from None


def _read(environ: Mapping[str, str], instance: Path) -> tuple[dict[str, Any], list[Problem]]:
    """Read the table's rows: values by field, and the problems. An empty value counts as not set."""
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for setting in SETTINGS:
        given = environ.get(setting.name, "").strip()
        if not given:
            continue
        try:
            values[setting.field] = setting.read(given)
        except ValueError as error:
            problems.append(Problem(setting.name, str(error), setting.hint))
    return values, problems + _misspelt(environ) + _unwritable(instance, values)


def _misspelt(environ: Mapping[str, str]) -> list[Problem]:
    known = [setting.name for setting in SETTINGS]
    problems = []
    for name in sorted(environ):
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.9)
        if near and name not in known:
            problems.append(Problem(name, "is no setting", near[0]))
    return problems


def _kept_inside(instance: Path, values: Mapping[str, Any]) -> list[str]:
    """Return the names of the settings whose values need the instance folder."""
    database = str(values.get("database", f"sqlite:///{instance}/"))
    inside = database.startswith(f"sqlite:///{instance}/")
    return ["STOPA_DATABASE"] * inside + ["STOPA_SECRET_KEY"] * ("secret_key" not in values)


def _unwritable(instance: Path, values: Mapping[str, Any]) -> list[Problem]:
    place = instance if instance.exists() else instance.parent
    needed = _kept_inside(instance, values)
    if not needed or os.access(place, os.W_OK):
        return []
    hint = f"a folder that can be written, or {' and '.join(needed)} given"
    return [Problem(needed[0], f"is kept in {instance}, which cannot be written", hint)]


def kept_secret(path: Path) -> str:
    """Return the key kept at `path` (mode 0600), made if absent; two first starts agree on one.

    Raises SettingsError for a kept key that is too short.
    """
    if not path.exists():
        with tempfile.NamedTemporaryFile("w", dir=path.parent) as made:  # mode 0600
            made.write(secrets.token_hex(32))
            made.flush()
            try:
                os.link(made.name, path)
            except FileExistsError:
                return kept_secret(path)
    try:
        return read_secret(path.read_text().strip())
    except ValueError as error:
        hint = f"delete {path}: a new one is made, and everybody signs in again"
        raise SettingsError([Problem("STOPA_SECRET_KEY", f"is kept in {path} and {error}", hint)]) from None


def reachable(bind: HostPort) -> HostPort:
    """Return where this machine's browser finds a server that listens on every address."""
    return bind._replace(host="127.0.0.1") if bind.host in ("0.0.0.0", "::") else bind  # noqa: S104


def _mail_host(base_url: str) -> str:
    host = urlsplit(base_url).hostname or ""
    return "localhost" if re.fullmatch(r"[0-9.]+|.*:.*", host) else host
