"""The `flask service` commands: Stopa as a service of systemd."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext

from dashboard.cli.common import as_json, print_table, source_name
from dashboard.service import files, machine, steps
from dashboard.service.files import BACKUPS, Options, Proxy
from dashboard.service.machine import ServiceError
from dashboard.service.steps import Installed, Place
from dashboard.settings.readers import HIDDEN

HOST = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
PATH = re.compile(r"(/[\w.+@-]+)+", re.ASCII)  # what no file of the service has to quote
LAST = {  # what is left to do for HTTPS
    Proxy.NGINX: "ln -s ../sites-available/stopa /etc/nginx/sites-enabled/; nginx -t && nginx -s reload",
    Proxy.CADDY: "echo 'import stopa.Caddyfile' >>/etc/caddy/Caddyfile && systemctl reload caddy",
}


def _host(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value and not HOST.fullmatch(value):
        raise click.BadParameter(f"{value!r} is not a host name in lower case, such as stopa.example.com.")
    return value


def _path(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value and not PATH.fullmatch(value):
        raise click.BadParameter(f"{value!r} is not an absolute path of letters, digits and . + @ _ -")
    return value


def _source(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    return value and source_name(context, parameter, value)


def _proxy(_context: click.Context, _parameter: click.Parameter, value: str | None) -> Proxy | None:
    return Proxy(value) if value else None


at_prefix = click.option(
    "--prefix", callback=_path, default="/opt/stopa", show_default=True, help="Folder of the program."
)


@click.group()
def service() -> None:
    """Install Stopa as a service of systemd, upgrade and remove it. Root runs these."""


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except ServiceError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from None


def _place(prefix: str, root: Path | None = None) -> Place:
    if root is None and os.geteuid() != 0:
        raise click.ClickException("Only root can do this: use sudo.")
    os.umask(0o022)  # the user of the service reads what root makes
    return Place(current_app.config["STOPA"], Path(prefix), root)


@service.command("install")
@at_prefix
@click.option("--name", "host", callback=_host, help="Public host name; adds a file for HTTPS.")
@click.option(
    "--proxy",
    type=click.Choice([each.value for each in Proxy]),
    callback=_proxy,
    help="Web server of that file.  [default: nginx]",
)
@click.option("--certificate", callback=_path, help="nginx: the certificate.  [default: certbot's]")
@click.option("--key", callback=_path, help="nginx: its key.  [default: certbot's]")
@click.option("--queue-log", callback=_path, help="Rotate this log of Asterisk weekly, import each part.")
@click.option("--source", callback=_source, help="Source of that log.  [default: pbx]")
@click.option("--keep", type=click.IntRange(1), help="Nightly backups to keep.  [default: 14]")
@click.option("--dry-run", is_flag=True, help="Print every file with its path and change nothing.")
@click.option("--root", type=click.Path(path_type=Path, file_okay=False), help="Only write files, below it.")
@with_appcontext
def install(prefix: str, dry_run: bool, root: Path | None, **given: Any) -> None:
    """Install this version as a service of systemd. Run it again to change options.

    Makes the user stopa, /var/lib/stopa, /etc/stopa.env and units of the web server, the worker and a nightly
    backup, and starts them. Data and settings that exist stay.
    """
    with _errors():
        place = Place(current_app.config["STOPA"], Path(prefix), root) if dry_run else _place(prefix, root)
        try:
            options = Installed.read(place.at(place.prefix)).options
        except ServiceError:
            options = Options()
        options = replace(options, **{name: value for name, value in given.items() if value is not None})
        if dry_run:
            _print_files(place, options)
            return
        steps.install(place, options, click.echo)
    click.echo("The files are written." if root else f"Stopa is running on http://{place.bind()}.")
    if options.host:
        click.echo(f"For https://{options.host}: {LAST[options.proxy]}")


def _print_files(place: Place, options: Options) -> None:
    chosen = place.settings()
    for file in files.planned(chosen, place.prefix, options):
        click.echo(f"==> {file.path} {file.mode:04o} root:{file.group}")
        click.echo(file.text.replace(chosen.secret_key, HIDDEN))


@service.command("status")
@at_prefix
@as_json
@with_appcontext
def status(prefix: str, as_json: bool) -> None:
    """Print the state of the units, the version, the last backup and what /readyz says.

    Exit status 1 if Stopa is not ready or a unit has failed.
    """
    with _errors():
        place = Place(current_app.config["STOPA"], Path(prefix))
        Installed.read(place.prefix)
        states = machine.states()
        problem = machine.unready(place.bind())
        lines = [*states.items(), ("release", place.release("current").name)]
    backup = max(BACKUPS.glob("*.backup"), key=lambda file: file.stat().st_mtime, default=None)
    lines += [("last backup", backup.name if backup else "none"), ("ready", problem or "yes")]
    print_table(("PART", "STATE"), lines, as_json)
    if problem or any(state.startswith("failed") for state in states.values()):
        raise SystemExit(1)


@service.command("upgrade")
@at_prefix
@click.option("--back", is_flag=True, help="Go back to the version before and the backup made of it.")
@click.option("--yes", is_flag=True, help="Do not ask before going back.")
@with_appcontext
def upgrade(prefix: str, back: bool, yes: bool) -> None:
    """Take the version of this folder into use: stop, back up, migrate, start, check.

    If the new version does not get ready, the backup is restored and the version before started again.
    """
    place = _place(prefix)
    if back:
        text = "Go back to the version before? What came in since is kept in a backup of its own."
        yes or click.confirm(text, abort=True)
    with _errors():
        (steps.go_back if back else steps.upgrade)(place, click.echo)
    click.echo(f"Stopa is running on http://{place.bind()}.")


@service.command("uninstall")
@at_prefix
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_appcontext
def uninstall(prefix: str, yes: bool) -> None:
    """Stop the service and remove the program, its units and files. Data and settings stay."""
    place = _place(prefix)
    with _errors():
        Installed.read(place.prefix)
        yes or click.confirm("Stop Stopa and remove the program?", abort=True)
        steps.uninstall(place, click.echo)
