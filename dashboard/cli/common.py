"""What the commands share: a connection with errors in one line, tables, and the checks of names."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import click
import peewee
from flask import current_app

from dashboard import clock
from dashboard.access import keys
from dashboard.db import connected, database, failure, migrate

NAME_MAX = 120  # the columns of logins, sources and keys


@contextmanager
def at_database(version: Callable[[peewee.Database], object] = migrate.check) -> Iterator[None]:
    """Open a connection. One line ends the command where the database cannot be used, or where `version`
    raises VersionError."""
    try:
        with connected():
            version(database.obj)
            yield
    except peewee.PeeweeException as error:
        if not failure.is_away(error):
            raise
        raise click.ClickException(failure.explain(error)) from None


as_json = click.option("--json", "as_json", is_flag=True, help="Print a JSON array of objects.")


def print_table(heads: Sequence[str], lines: Iterable[Sequence[str]], as_json: bool = False) -> None:
    """Print rows with aligned columns, or as JSON objects whose keys are the heads with underscores.

    Spaces of a cell stay, so the first columns hold no free text.
    """
    rows = list(lines)
    if as_json:
        names = [head.lower().replace(" ", "_") for head in heads]
        found = [dict(zip(names, row, strict=True)) for row in rows]
        click.echo(json.dumps(found, ensure_ascii=False, indent=1))
        return
    table = [tuple(heads), *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for line in table:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def moment(ts: int | None) -> str:
    """Return a time in UTC epoch seconds as ISO 8601 in the site's time zone, "never" for none."""
    return "never" if ts is None else clock.iso(ts, current_app.config["STOPA"].timezone)


def printable_name(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not value.strip() or len(value) > NAME_MAX or not value.isprintable():
        raise click.BadParameter(f"Enter 1 to {NAME_MAX} printable characters.")
    return value


def source_name(context: click.Context, parameter: click.Parameter, value: str) -> str:
    if keys.is_reserved(printable_name(context, parameter, value)):
        raise click.BadParameter(keys.RESERVED)
    return value
