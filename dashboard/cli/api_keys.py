"""The `flask` commands of API keys."""

from __future__ import annotations

import click
from flask.cli import with_appcontext
from peewee import JOIN

from dashboard import clock
from dashboard.access import keys
from dashboard.audit import record as audit
from dashboard.cli.common import as_json, at_database, moment, print_table, printable_name, source_name
from dashboard.db import database
from dashboard.models import ApiKey, Source, User


@click.group()
def key() -> None:
    """Manage API keys."""


@key.command("add")
@click.argument("name", callback=printable_name)
@click.option(
    "--source", required=True, callback=source_name, help="Source name for events sent with this key."
)
@click.option("--allow", type=click.Choice(["ingest", "read"]), default="ingest", show_default=True)
@click.option("--known-only", is_flag=True, help="Reject events with unknown users or queues.")
def key_add(name: str, source: str, allow: str, known_only: bool) -> None:
    """Create an API key and print it once. Only its hash is stored.

    A read key made here shows all users and queues with full contact details; one made in Settings > API
    keys shows what the user who made it may see.
    """
    with at_database(), database.atomic():
        if allow == "ingest" and (shared := keys.sharing(source)):
            click.echo(f"Source {source} already has keys: {', '.join(shared)}.", err=True)
        plain = keys.make(name, source, allow, makes=not known_only)
        audit.record("key.created", "c", ("key", "", name), details={"source": source, "allow": allow})
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
            ("STARTS WITH", "ALLOWS", "SOURCE", "NAME", "MADE BY", "STATE", "LAST USED"),
            [
                (
                    row.prefix,
                    row.allow,
                    row.source or "-",
                    row.name,
                    row.maker or "command line",
                    "active" if row.revoked_ts is None else "revoked",
                    moment(row.last_used_ts),
                )
                for row in found.objects()
            ],
            as_json,
        )


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
