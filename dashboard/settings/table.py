"""The table of settings: names, units, defaults and what each is for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from dashboard.i18n.message import N_
from dashboard.settings import readers
from dashboard.settings.readers import SECRET_MIN, TOKEN_MIN


class Setting(NamedTuple):
    """One row of the table. `read` parses the text of the variable or raises ValueError with the reason.

    `default` is the default as the README shows it: a value, or a description in brackets.
    """

    name: str
    default: str
    unit: str
    help: str
    read: Callable[[str], Any]
    hint: str
    masked: Callable[[str], str] = str  # hides what is secret in the text

    @property
    def field(self) -> str:
        """Name of the same value in `Settings`."""
        return self.name.removeprefix("STOPA_").lower()


SETTINGS = [
    Setting(
        "STOPA_DATABASE",
        "sqlite:///.stopa/stopa.db",
        "URL",
        "Database: the path of an SQLite file, or PostgreSQL.",
        readers.read_database,
        "sqlite:////var/lib/stopa/stopa.db or postgresql://user:password@host/name",
        readers.without_password,
    ),
    Setting(
        "STOPA_SECRET_KEY",
        N_("(generated at first start)"),
        f"text, {SECRET_MIN} characters or more",
        "Signs forms and cookies, seals the secrets of channels; stored in `.stopa/secret_key`. "
        "Must be the same on all machines.",
        readers.read_secret,
        "the output of python3 -c 'import secrets; print(secrets.token_hex(32))'",
        readers.hidden,
    ),
    Setting(
        "STOPA_BASE_URL",
        N_("(http:// and STOPA_BIND)"),
        "URL",
        "Public address of the application, used in links in emails. With https, cookies are Secure.",
        readers.read_base_url,
        "https://stopa.example.com",
    ),
    Setting(
        "STOPA_BIND",
        "127.0.0.1:8000",
        "host:port",
        "Address on which `bin/serve` listens.",
        readers.read_host_port,
        "127.0.0.1:8000 or [::1]:8000",
    ),
    Setting(
        "STOPA_SMTP_URL",
        N_("(email is off)"),
        "URL",
        "Mail server: smtp:// (STARTTLS if offered) or smtps://, with user and password if required. "
        "Notifications then reach every user with an address by mail, too, unless they turn it off under "
        "*Notifications*; users from before an upgrade get none until they turn it on.",
        readers.read_smtp_url,
        "smtp://user:password@mail.example.com:587",
        readers.without_password,
    ),
    Setting(
        "STOPA_MAIL_FROM",
        N_("(stopa@ and the host of STOPA_BASE_URL)"),
        "email address",
        "Sender of emails.",
        readers.read_address,
        "Stopa <stopa@example.com>",
    ),
    Setting(
        "STOPA_SITE_NAME",
        "Stopa",
        "text, 60 characters or less",
        "Name of this installation, shown at the top and in the title of each page.",
        readers.read_site_name,
        "Brno contact centre",
    ),
    Setting(
        "STOPA_TIMEZONE",
        "UTC",
        "IANA time zone",
        "Default time zone. The operating system's time zone is not used.",
        readers.read_timezone,
        "Europe/Prague or Asia/Tokyo",
    ),
    Setting(
        "STOPA_LOCALE",
        "en",
        "en, cs or ja",
        "Default language.",
        readers.read_locale,
        "en, cs or ja",
    ),
    Setting(
        "STOPA_SHIFT_HOURS",
        "16",
        "hours, 1 to 24",
        "Longest time signed in without signing in again. A sign-in without a sign-out ends at the last "
        "own event within it.",
        readers.whole(1, 24),
        "16",
    ),
    Setting(
        "STOPA_CALL_END_HOURS",
        "4",
        "hours, 1 to 24",
        "A call whose end never came is over this long after its last event.",
        readers.whole(1, 24),
        "4",
    ),
    Setting(
        "STOPA_IDLE_MINUTES",
        "60",
        "minutes, 5 to 1440",
        "Email and chat work of a user who is signed in nowhere stops this long after their last event "
        "on it. After changing one of these three run `flask rebuild`.",
        readers.whole(5, 1440),
        "60",
    ),
    Setting(
        "STOPA_TRUSTED_PROXIES",
        "0",
        "count",
        "Number of trusted reverse proxies (X-Forwarded-For, X-Forwarded-Proto).",
        readers.whole(0, 10),
        "1 behind one proxy that sets X-Forwarded-For and X-Forwarded-Proto",
    ),
    Setting(
        "STOPA_AUTH_HEADER",
        N_("(off)"),
        "name of a header",
        "Header in which a reverse proxy that signs users in names the user. It is believed from "
        "STOPA_AUTH_PROXIES only; the proxy has to remove it from what clients send.",
        readers.read_header,
        "X-Remote-User",
    ),
    Setting(
        "STOPA_AUTH_PROXIES",
        N_("(none)"),
        "addresses or networks",
        "Where the proxy of STOPA_AUTH_HEADER connects from, separated by commas: the other end of the "
        "connection, not X-Forwarded-For.",
        readers.read_networks,
        "127.0.0.1,10.0.0.0/28",
    ),
    Setting(
        "STOPA_WEBHOOK_ALLOW",
        N_("(none)"),
        "host:port list",
        "Private addresses that webhooks, channels and the sign-in provider may have, separated by commas.",
        readers.read_host_ports,
        "10.0.0.5:8080,intranet.example.com:443",
    ),
    Setting(
        "STOPA_AUDIT_SEALS",
        N_("(no seals)"),
        "folder",
        "Where a seal of the audit log goes every night: a folder of another machine, for what no one can "
        "change there proves the log here. `flask audit verify` reads them.",
        readers.read_folder,
        "/mnt/archive/stopa-seals",
    ),
    Setting(
        "STOPA_LOG_FOLDERS",
        "/var/log/asterisk",
        "folders",
        "Folders of queue logs that may be followed from Settings > Sources, separated by commas.",
        readers.read_folders,
        "/var/log/asterisk,/srv/pbx/log",
    ),
    Setting(
        "STOPA_DISK_LOW_MB",
        "1024",
        "MB, 1 to 10000000",
        "Free space below which a disk counts as low and `system.disk_low` is recorded: that of SQLite's "
        "file, with exports, or that of the folder `instance`. A PostgreSQL server's disk is not seen.",
        readers.whole(1, 10_000_000),
        "1024",
    ),
    Setting(
        "STOPA_DISK_STOP_MB",
        "256",
        "MB, 0 to 10000000",
        "Free space beside SQLite's file below which no events are taken: senders get 507 and come again, "
        "logs wait. Pages go on working. 0: events are taken until the disk is full.",
        readers.whole(0, 10_000_000),
        "256",
    ),
    Setting(
        "STOPA_SQLITE_SYNCHRONOUS",
        "normal",
        "normal or full",
        "`full`: SQLite has every commit on the disk before an event is acknowledged, also at a power loss. "
        "`normal` is several times faster; a power loss may take the last commits, a killed process takes "
        "none. PostgreSQL decides by its own `synchronous_commit`.",
        readers.one_of("normal", "full"),
        "full",
    ),
    Setting(
        "STOPA_METRICS",
        N_("(off)"),
        f"loopback, or a token of {TOKEN_MIN} characters or more",
        "Who may read `GET /metrics`: this machine only, or who sends the token as "
        "`Authorization: Bearer TOKEN`.",
        readers.read_metrics,
        "loopback, or the output of python3 -c 'import secrets; print(secrets.token_hex(16))'",
        readers.hidden_token,
    ),
    Setting(
        "STOPA_LOG_LEVEL",
        "info",
        "error, warning, info or debug",
        "What is logged to standard error. `debug` adds a line for each request.",
        readers.one_of("error", "warning", "info", "debug"),
        "info or debug",
    ),
    Setting(
        "STOPA_LOG_FORMAT",
        "text",
        "text or json",
        "Lines of text, or of JSON with time, level, logger, request and message.",
        readers.one_of("text", "json"),
        "json",
    ),
    Setting(
        "STOPA_SLOW_REQUEST_MS",
        "1000",
        "milliseconds, 0 to 600000",
        "A request whose answer begins later than this is logged as a warning; 0: none is.",
        readers.whole(0, 600_000),
        "1000",
    ),
]
