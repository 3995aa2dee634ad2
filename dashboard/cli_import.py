"""The command `flask import`."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from flask import Flask

from dashboard import clock
from dashboard.cli import at_database, source_name
from dashboard.ingest import importer
from dashboard.ingest.csv_events import Tally
from dashboard.ingest.csv_options import CsvOptions


def init(app: Flask) -> None:
    app.cli.add_command(import_)


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--format", "kind", type=click.Choice(["queue_log", "jsonl", "csv"]), required=True)
@click.option("--source", required=True, callback=source_name, help="Source name for the imported events.")
@click.option("--timezone", help="Time zone for timestamps without an offset.  [default: UTC]")
@click.option(
    "--map", "columns", multiple=True, metavar="[TYPE:]FIELD=COLUMN", help="CSV: map a field to a column."
)
@click.option("--where", multiple=True, metavar="COLUMN=VALUE", help="CSV: import only these rows.")
@click.option(
    "--type",
    "types",
    multiple=True,
    metavar="VALUE=TYPE[,TYPE]",
    help="CSV: event types of rows with this value, in the order in which they happen.",
)
@click.option("--none", multiple=True, metavar="VALUE", help="CSV: a value that stands for an empty cell.")
@click.option("--rules", is_flag=True, help="Run rules on the imported events, regardless of their age.")
def import_(
    file: Path,
    kind: str,
    source: str,
    timezone: str | None,
    columns: tuple[str, ...],
    where: tuple[str, ...],
    types: tuple[str, ...],
    none: tuple[str, ...],
    rules: bool,
) -> None:
    """Import FILE. Safe to repeat: rerun an interrupted import to resume it.

    The options of a CSV import are kept with its source and used again for a CSV import without --map.
    """
    options = CsvOptions(columns, where, types, none, timezone or "UTC")
    if kind == "csv":
        with at_database():
            options = _csv_options(source, options, timezone)
    try:
        clock.zone(options.timezone)
        table = options.table()
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    with at_database():
        total = file.stat().st_size
        with click.progressbar(length=total, label="Reading", file=sys.stderr) as bar:
            summary = importer.run(
                file, kind, source, options.timezone, table, lambda at: bar.update(at - bar.pos), rules=rules
            )
        if kind == "csv" and (summary.stored or summary.repeated):
            importer.keep_options(source, options)
    click.echo(
        f"read {summary.read}, stored {summary.stored}, repeated {summary.repeated}, "
        f"refused {summary.refused}"
    )
    if not summary.folded:
        click.echo("  The events are stored. The worker that is busy now will process them.")
    for note in _table_notes(summary.table):
        click.echo(f"  {note}")
    for line, text in summary.examples:
        click.echo(f"  line {line}: {text}")
    if summary.refused > len(summary.examples):
        click.echo(f"  and {summary.refused - len(summary.examples)} more")
    raise SystemExit(1 if summary.refused and not summary.stored and not summary.repeated else 0)


def _csv_options(source: str, given: CsvOptions, timezone: str | None) -> CsvOptions:
    """Return the options of a CSV import: as given with a map or where none are kept with its source; else
    the kept ones but for what is given."""
    kept = importer.kept_options(source)
    if kept is None or given.map:
        return given
    options = CsvOptions(
        kept.map,
        given.where or kept.where,
        given.type or kept.type,
        given.none or kept.none,
        timezone or kept.timezone,
    )
    click.echo(f"Using the options kept with source {source}: {shlex.join(options.words())}", err=True)
    return options


def _table_notes(table: Tally) -> Iterator[str]:
    """Yield what the summary says of a CSV file's rows besides its records."""
    if table.left_out:
        yield f"{table.left_out} of {table.rows} rows left out by --where"
    if table.absent:
        yield f"{table.absent} events not in their rows: no time or user"
    if table.moved:
        yield f"{table.moved} events moved to the next day: their rows go over midnight"
