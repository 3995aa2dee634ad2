"""Readers of settings: each parses the text of one variable or raises ValueError with the reason."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from dashboard import clock
from dashboard.settings import database_url

ROOT = Path(__file__).resolve().parents[2]
INSTANCE = ROOT / ".stopa"  # database, secret key and generated files; never in the repository
LOCALES = {"en": "English", "cs": "Čeština", "ja": "日本語"}  # of pages, messages and exports

SECRET_MIN = 32  # characters; 128 bits written as hexadecimal digits
TOKEN_MIN = 16
LOOPBACK = "loopback"
SITE_NAME_MAX = 60
ADDRESS = re.compile(r"(?:[^<>\r\n]*<)?[^<>@\s]+@[^<>@\s]+>?")


class HostPort(NamedTuple):
    """An address to listen on or to call. An IPv6 `host` has no brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _split(value: str) -> SplitResult:
    parts = urlsplit(value)
    _ = parts.port  # raises ValueError for an invalid port
    return parts


def read_database(value: str) -> str:
    """Return a PostgreSQL URL, or an SQLite URL with an absolute path.

    Relative paths start at the project folder, whatever the working directory of the command.
    """
    if value.startswith(database_url.POSTGRESQL):
        database_url.server_parameters(value)
        return value
    given = database_url.sqlite_path(value)
    if given is None:
        scheme = urlsplit(value).scheme
        raise ValueError(f"scheme {scheme!r} is not supported; use sqlite:/// or postgresql://")
    if str(given) in (".", ":memory:"):
        raise ValueError("has no file path; the server and the worker share the database file")
    if "?" in value:
        raise ValueError("has a query part, which SQLite databases do not take")
    file = ROOT / given
    if file.parent != INSTANCE and not file.parent.is_dir():
        raise ValueError(f"folder {file.parent} does not exist")
    return f"{database_url.SQLITE}{file}"


def read_secret(value: str) -> str:
    if len(value) < SECRET_MIN:
        raise ValueError(f"has {len(value)} characters, the minimum is {SECRET_MIN}")
    return value


def read_base_url(value: str) -> str:
    """Return the URL without a trailing slash."""
    parts = _split(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is not an http or https URL")
    if parts.query or parts.fragment or parts.username:
        raise ValueError("must contain only a scheme, host, port and path")
    return value.rstrip("/")


def read_host_port(value: str) -> HostPort:
    """Return host and port of `host:port` or `[::1]:port`; port 1 to 65535."""
    parts = _split(f"//{value}")
    if not parts.hostname or parts.port is None or parts.netloc != value or "@" in value:
        raise ValueError(f"{value!r} is not host:port")
    if not parts.port:
        raise ValueError("port 0 is not allowed")
    return HostPort(parts.hostname, parts.port)


def read_host_ports(value: str) -> tuple[HostPort, ...]:
    return tuple(read_host_port(part) for part in re.split(r"[,\s]+", value) if part)


def read_smtp_url(value: str) -> str:
    parts = _split(value)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ValueError("is not an smtp or smtps URL")
    return value


def read_address(value: str) -> str:
    if not ADDRESS.fullmatch(value):
        raise ValueError(f"{value!r} is not a valid email address")
    return value


def read_site_name(value: str) -> str:
    if len(value) > SITE_NAME_MAX:
        raise ValueError(f"has {len(value)} characters, the maximum is {SITE_NAME_MAX}")
    if not value.isprintable():
        raise ValueError("contains a character that cannot be shown")
    return value


def read_folder(value: str) -> Path:
    """Return the path of a folder, which may be missing now: it may be one of another machine."""
    if not value.startswith("/"):
        raise ValueError(f"{value!r} is not an absolute path")
    return Path(value)


def read_folders(value: str) -> tuple[Path, ...]:
    """Return the paths of folders separated by commas."""
    return tuple(read_folder(part.strip()) for part in value.split(",") if part.strip())


def read_timezone(value: str) -> str:
    try:
        return clock.zone(value).key
    except ValueError:
        raise ValueError(f"{value!r} is not an IANA time zone") from None


def read_locale(value: str) -> str:
    if value not in LOCALES:
        *first, last = LOCALES
        raise ValueError(f"unsupported locale {value!r}; use {', '.join(first)} or {last}")
    return value


def read_header(value: str) -> str:
    """Return the name of a header."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{1,60}", value):
        raise ValueError(f"{value!r} is not the name of a header")
    return value


def read_networks(value: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Return addresses and networks separated by commas; an address is a network of one."""
    return tuple(ip_network(part) for part in re.split(r"[,\s]+", value) if part)


def read_metrics(value: str) -> str:
    """Return who may read the metrics: LOOPBACK, or a token."""
    if value != LOOPBACK and (len(value) < TOKEN_MIN or not value.isascii() or not value.isprintable()):
        raise ValueError(f"is neither {LOOPBACK} nor a token of {TOKEN_MIN} ASCII characters or more")
    return value


def one_of(*words: str) -> Callable[[str], str]:
    """Return the reader of one of `words`, in any case."""

    def read(value: str) -> str:
        if value.lower() not in words:
            raise ValueError(f"unknown value {value!r}; use {', '.join(words[:-1])} or {words[-1]}")
        return value.lower()

    return read


def whole(least: int, most: int) -> Callable[[str], int]:
    """Return the reader of whole numbers from `least` to `most`."""

    def read(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", value) or not least <= int(value) <= most:
            raise ValueError(f"{value!r} is not a number from {least} to {most}")
        return int(value)

    return read


HIDDEN = "***"


def hidden(_value: str) -> str:
    return HIDDEN


def hidden_token(value: str) -> str:
    return value if value == LOOPBACK else HIDDEN


def without_password(url: str) -> str:
    """Return a URL with its password hidden, also one given as a parameter."""
    url = re.sub(r"(?<=://)([^:/@?]*):[^@/]*@", rf"\1:{HIDDEN}@", url)
    return re.sub(r"(?i)(password=)[^&]*", rf"\1{HIDDEN}", url)
