"""The files of the service, rendered from `templates/service`, with the limits that the application has."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dashboard import listener, settings
from dashboard.access import upload_pass
from dashboard.settings import ROOT, Settings, database_url

USER = "stopa"
ENV = Path("/etc/stopa.env")
COMMAND = Path("/usr/local/bin/stopa")
DATA = Path("/var/lib/stopa")
BACKUPS = DATA / "backups"
SYSTEMD = Path("/etc/systemd/system")
LOGROTATE = Path("/etc/logrotate.d")
UNITS = ("stopa-web.service", "stopa-worker.service", "stopa-backup.service", "stopa-backup.timer")
ENABLED = tuple(unit for unit in UNITS if unit != "stopa-backup.service")  # which its timer starts
MIB = 1024 * 1024
KEPT_S = listener.IDLE_S - 10  # by a proxy: an idle connection that Stopa has not closed yet


class Proxy(StrEnum):
    """The web server in front."""

    NGINX = "nginx"
    CADDY = "caddy"


PROXY_FILES = {  # the template, and where its file lies; neither is read there before one says so
    Proxy.NGINX: ("nginx.conf", Path("/etc/nginx/sites-available/stopa")),
    Proxy.CADDY: ("Caddyfile", Path("/etc/caddy/stopa.Caddyfile")),
}


@dataclass(frozen=True)
class Options:
    """What an installation was asked for; kept as JSON beside its releases."""

    host: str = ""  # the public name, "" without a proxy
    proxy: Proxy = Proxy.NGINX
    certificate: str = ""
    key: str = ""
    queue_log: str = ""  # a log whose rotated parts are imported, "" for none
    source: str = "pbx"
    keep: int = 14  # backups


class File(NamedTuple):
    """A file of the service; `group` may read one that others may not."""

    path: Path
    text: str
    mode: int = 0o644
    group: str = "root"


def planned(chosen: Settings, prefix: Path, options: Options) -> list[File]:
    """Return all files of an installation at `prefix` with the settings that are in force for it."""
    environment = Environment(  # noqa: S701  no HTML
        loader=FileSystemLoader(ROOT / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    values = _values(chosen, prefix, options)

    def file(template: str, path: Path) -> File:
        return File(path, environment.get_template(f"service/{template}").render(values))

    found = [
        file("stopa.env", ENV)._replace(mode=0o640, group=USER),
        *(file(unit, SYSTEMD / unit) for unit in UNITS),
    ]
    if options.queue_log:
        found.append(file("logrotate", LOGROTATE / "stopa"))
    if options.host:
        found.append(file(*PROXY_FILES[options.proxy]))
    return found


def _values(chosen: Settings, prefix: Path, options: Options) -> dict[str, object]:
    certificates = Path("/etc/letsencrypt/live") / options.host
    database = database_url.sqlite_path(chosen.database)
    writable = {DATA} | {path for path in (database and database.parent, chosen.audit_seals) if path}
    return {
        "auth_header": chosen.auth_header,
        "answer_s": listener.REQUEST_S,
        "backups": BACKUPS,
        "bind": settings.reachable(chosen.bind),
        "body_mib": listener.BODY_MAX // MIB,
        "certificate": options.certificate or certificates / "fullchain.pem",
        "current": prefix / "current",
        "database": chosen.database,
        "files": 2 * listener.CONNECTIONS + listener.RESERVED,
        "host": options.host,
        "idle_s": listener.IDLE_S,
        "keep": options.keep,
        "keepalive_s": KEPT_S,
        "key": options.key or certificates / "privkey.pem",
        "queue_log": options.queue_log,
        "secret_key": chosen.secret_key,
        "source": shlex.quote(options.source),
        "upload_mib": (upload_pass.FILE_MAX + upload_pass.FORM) // MIB,
        "upload_path": upload_pass.PATH,
        "writable": [f"-{path}" for path in sorted(writable)],  # "-": one that is missing stops no unit
    }
