"""The `flask` commands of API keys."""

from __future__ import annotations

from datetime import date

import click
from flask import current_app
from flask.cli import with_appcontext
from peewee import JOIN

from dashboard import clock
from dashboard.access import keys
from dashboard.audit import record as audit
from dashboard.cli.common import as_json, at_database, moment, print_table, printable_name, source_name
from dashboard.db import database
from dashboard.models import ApiKey, Source, User

DAYS_MAX = 3650


@click.group()
def key() -> None:
    """Manage API keys."""


def _expiry(value: str) -> int | None:
    """Return when a key ends, of a number of days or of its last day; None of an empty text."""
    if not value:
        return None
    try:
        if value.isdecimal() and 0 < int(value) <= DAYS_MAX:
            return clock.now_s() + int(value) * clock.DAY_S
        ends = clock.day(date.fromisoformat(value), current_app.config["STOPA"].timezone).end
    except (ValueError, OverflowError):
        raise click.BadParameter(f"Give 1 to {DAYS_MAX} days, or a date such as 2027-12-31.") from None
    if ends <= clock.now_s():
        raise click.BadParameter("This day is over.")
    return ends


@key.command("add")
@click.argument("name", callback=printable_name)
@click.option(
    "--source", required=True, callback=source_name, help="Source name for events sent with this key."
)
@click.option("--allow", type=click.Choice(["ingest", "read"]), default="ingest", show_default=True)
@click.option("--known-only", is_flag=True, help="Reject events with unknown users or queues.")
@click.option("--expires", default="", help="Days from now, or the last day, such as 2027-12-31.")
@with_appcontext
def key_add(name: str, source: str, allow: str, known_only: bool, expires: str) -> None:
    """Create an API key and print it once. Only its hash is stored.

    A read key made here shows all users and queues with full contact details; one made in Settings > API
    keys shows what the user who made it may see.
    """
    ends = _expiry(expires)
    with at_database(), database.atomic():
        if allow == "ingest" and (shared := keys.sharing(source)):
            click.echo(f"Source {source} already has keys: {', '.join(shared)}.", err=True)
        plain = keys.make(name, source, allow, makes=not known_only, expires_ts=ends)
        details = {"source": source, "allow": allow} | ({"expires": moment(ends)} if ends else {})
        audit.record("key.created", "c", ("key", "", name), details=details)
    click.echo(plain)


@key.command("list")
@click.option("--all", "whole", is_flag=True, help="Include revoked keys.")
@as_json
@with_appcontext
def key_list(whole: bool, as_json: bool) -> None:
    """List API keys; their values are not stored."""
    with at_database():
        query = ApiKey.select(ApiKey, Source.name.alias("source"), User.login.alias("maker"))
        query = query.join(Source, JOIN.LEFT_OUTER, on=(ApiKey.source_id == Source.id)).switch(ApiKey)
        query = query.join(User, JOIN.LEFT_OUTER, on=(ApiKey.maker_id == User.id)).order_by(ApiKey.name)
        found = query if whole else query.where(ApiKey.revoked_ts.is_null())
        print_table(
            ("STARTS WITH", "ALLOWS", "SOURCE", "NAME", "MADE BY", "STATE", "LAST USED", "EXPIRES"),
            [
                (
                    row.prefix,
                    row.allow,
                    row.source or "-",
                    row.name,
                    row.maker or "command line",
                    _state(row),
                    moment(row.last_used_ts),
                    moment(row.expires_ts),
                )
                for row in found.objects()
            ],
            as_json,
        )


def _state(row: ApiKey) -> str:
    if row.revoked_ts is not None:
        return "revoked"
    return "expired" if row.expires_ts is not None and clock.now_s() >= row.expires_ts else "active"


@key.command("revoke")
@click.argument("name")
def key_revoke(name: str) -> None:
    """Revoke the key NAME, or the one that starts with NAME. Its events are kept."""
    with at_database(), database.atomic():
        named = (ApiKey.name == name) | (ApiKey.prefix == name)
        found = list(ApiKey.select().where(named & ApiKey.revoked_ts.is_null()))
        if not found:
            raise click.ClickException(f"No valid key {name!r}. `flask key list` shows them.")
        if len(found) > 1:
            starts = ", ".join(row.prefix for row in found)
            raise click.ClickException(f"Several keys are named {name!r}. Name one by its start: {starts}.")
        (row,) = found
        ApiKey.update(revoked_ts=clock.now_s()).where(ApiKey.id == row.id).execute()
        audit.record("key.revoked", "u", ("key", row.id, row.name), {"revoked": (False, True)})
    click.echo(f"Revoked {row.name} ({row.prefix}…).")
