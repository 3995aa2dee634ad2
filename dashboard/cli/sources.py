"""The `flask` commands of sources: their settings."""

from __future__ import annotations

import sys

import click

from dashboard.audit import record as audit
from dashboard.cli.common import as_json, at_database, print_table
from dashboard.db import database
from dashboard.models import Source
from dashboard.tracing import activity_presence, projection
from dashboard.tracing.activity_presence import PresenceOf


@click.group()
def source() -> None:
    """Manage sources."""


@source.command("list")
@as_json
def source_list(as_json: bool) -> None:
    """List the sources of events and their settings."""
    with at_database():
        lines = [
            ("file" if row.is_file else "live", row.presence, row.name)
            for row in Source.select().order_by(Source.name)
        ]
    print_table(("KIND", "PRESENCE", "NAME"), lines, as_json)


@source.command("set")
@click.argument("name")
@click.option(
    "--presence",
    type=click.Choice([presence.value for presence in PresenceOf]),
    required=True,
    help="What the presence of members who never join a queue or sign in is taken from.",
)
def source_set(name: str, presence: str) -> None:
    """Change settings of source NAME. Safe to repeat: rerun an interrupted change to finish it.

    With first-to-last, such a member counts as signed in and ready from the first to the last activity of
    each day, marked as inferred. With recorded, only what the source reports counts.
    """
    with at_database():
        row = Source.get_or_none(Source.name == name)
        if row is None:
            names = ", ".join(known for (known,) in Source.select(Source.name).order_by(Source.name).tuples())
            raise click.ClickException(f"Unknown source {name!r}. Available: {names}.")
        with database.atomic():
            Source.update(presence=presence).where(Source.id == row.id).execute()
            changes = {"presence": (row.presence, presence)}
            audit.record("settings.updated", "u", ("source", row.id, name), changes)
        users = activity_presence.users({row.id})
        with click.progressbar(users, label="Computing", file=sys.stderr) as bar:
            for user in bar:
                projection.refold_presence(user)
    click.echo(f"Presence of source {name}: {presence}. Users computed again: {len(users)}.")
