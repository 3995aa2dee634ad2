"""The commands that read files and exchanges: `flask import`, `flask follow` and `flask ami`."""

from __future__ import annotations

import shlex
import signal
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Event

import click

from dashboard import clock
from dashboard.cli.common import at_database, source_name
from dashboard.events import holds
from dashboard.ingest import encodings, growing_log, importer
from dashboard.ingest import follow as follower
from dashboard.ingest.csv_options import CsvOptions, TableMap
from dashboard.ingest.importer import Summary
from dashboard.ingest.lines import STANDARD_INPUT
from dashboard.ingest.manager import keeper
from dashboard.ingest.schema import WHOLE
from dashboard.ingest.tally import Tally
from dashboard.models import Manager, Source

HELD_S = 1  # between two looks at a source of which nothing is taken now
NAMED = 10  # users or event types that the summary lists


def _encoding(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    found = encodings.known(value)
    if found is None:
        raise click.BadParameter(f"{value!r} is not an encoding, such as utf-8, utf-16, cp1250 or cp932.")
    return found


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
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
@click.option(
    "--encoding", callback=_encoding, help="Encoding of the file, such as cp1250.  [default: detected]"
)
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
    encoding: str | None,
    rules: bool,
) -> None:
    """Import FILE, or standard input for "-". Safe to repeat: rerun an interrupted import to resume it.

    FILE may be compressed with gzip. The options of a CSV import are kept with its source and used again for
    a CSV import without --map.
    """
    options = CsvOptions(columns, where, types, none, timezone or "UTC", encoding)
    options = _with_kept(source, options, timezone) if kind == "csv" else _without_table(options)
    try:
        clock.zone(options.timezone)
        table = options.table()
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    with at_database():
        summary = _import(file, kind, source, options, table, rules)
        if kind == "csv" and (summary.stored or summary.repeated):
            importer.keep_options(source, options)
    click.echo(
        f"read {summary.read}, stored {summary.stored}, repeated {summary.repeated}, "
        f"refused {summary.refused}"
    )
    if not summary.folded:
        click.echo("  The events are stored. The worker that is busy now will process them.")
    for note in _notes(summary, source, options.timezone, options.encoding is None):
        click.echo(f"  {note}")
    raise SystemExit(1 if summary.refused and not summary.stored and not summary.repeated else 0)


def _import(file: Path, kind: str, source: str, options: CsvOptions, table: TableMap, rules: bool) -> Summary:
    """Import with a progress bar where the size is known; a file that cannot be read ends the command."""
    try:
        size = file.stat().st_size if file != STANDARD_INPUT and file.is_file() else 0
        with click.progressbar(length=size, label="Reading", file=sys.stderr, hidden=not size) as bar:
            return importer.run(
                file,
                kind,
                source,
                options.timezone,
                table,
                lambda at: bar.update(at - bar.pos),
                rules=rules,
                encoding=options.encoding,
            )
    except OSError as error:
        raise click.ClickException(f"Cannot read {str(file)!r}: {error.strerror or error}.") from None


def _without_table(options: CsvOptions) -> CsvOptions:
    """Return the options of an import that is none of CSV; ends the command if they are."""
    if options.map or options.where or options.type or options.none:
        raise click.UsageError("--map, --where, --type and --none are for --format csv.")
    return options


def _with_kept(source: str, given: CsvOptions, timezone: str | None) -> CsvOptions:
    """Return the options of a CSV import: as given with a map or where none are kept with its source; else
    the kept ones but for what is given."""
    with at_database():
        kept = importer.kept_options(source)
    if kept is None or given.map:
        return given
    options = CsvOptions(
        kept.map,
        given.where or kept.where,
        given.type or kept.type,
        given.none or kept.none,
        timezone or kept.timezone,
        given.encoding or kept.encoding,
    )
    click.echo(f"Using the options kept with source {source}: {shlex.join(options.words())}", err=True)
    return options


def _notes(summary: Summary, source: str, zone: str, detected: bool) -> Iterator[str]:
    """Yield the lines of the summary after the counts of records."""
    tally = summary.tally
    yield _lines(tally)
    if tally.records:
        yield f"encoding {tally.encoding}{' (detected)' if detected else ''}"
    if tally.damaged:
        yield "the compressed file is damaged or incomplete: what follows its last line is missing"
    if tally.absent:
        yield f"{tally.absent} events not in their rows: no time or user"
    if tally.moved:
        yield f"{tally.moved} events moved to the next day: their rows go over midnight"
    if tally.changes.repeated:
        yield f"times that {zone} has twice: {tally.changes.repeated}, the earlier one is taken"
    if tally.changes.skipped:
        yield f"times that {zone} skips: {tally.changes.skipped}, the next valid one is taken"
    if summary.unused:
        yield f"kept, but in no figure: {_listed(f'{n} {name}' for name, n in summary.unused.most_common())}"
    if summary.members:
        mend = f"flask source set {shlex.quote(source)} --presence first-to-last"
        infer = f" (static members of a queue? {mend})" if summary.may_infer else ""
        yield f"users with calls who never sign in: {_listed(summary.members)}{infer}"
    if summary.bad_times:
        yield f"refused for their time: {summary.bad_times}"
    for line, text in summary.examples:
        yield f"line {line}: {text}"
    if summary.refused > len(summary.examples):
        yield f"and {summary.refused - len(summary.examples)} more"


def _lines(tally: Tally) -> str:
    parts = {
        "records": tally.records,
        "blank": tally.blank,
        "header": tally.header,
        "inside records": tally.continued,
        "left out by --where": tally.left_out,
    }
    shown = (f"{name} {n}" for name, n in parts.items() if n or name in {"records", "blank"})
    return f"lines {tally.lines}: {', '.join(shown)}"


def _listed(texts: Iterable[str]) -> str:
    """Return the first NAMED texts, and how many more there are."""
    found = list(texts)
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return ", ".join(found[:NAMED]) + more


@click.command("follow")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--source", required=True, callback=source_name, help="Source name for the events.")
@click.option("--from-start", "start", flag_value="start", help="Begin with the first line of FILE.")
@click.option("--from-now", "start", flag_value="now", help="Begin after the last line of FILE.")
@click.option("--encoding", callback=_encoding, help="Encoding of the file.  [default: utf-8]")
@click.option("--once", is_flag=True, help="Exit when no line is left.")
def follow(file: Path, source: str, start: str | None, encoding: str | None, once: bool) -> None:
    """Follow the growing queue_log FILE over its rotations, until SIGTERM or Ctrl+C.

    Reads on where it stopped, also in parts that were rotated or compressed meanwhile; the first time, begins
    with the first line of FILE. The source is live: what is open goes on while the log is written.
    """
    stopping = _stopping()
    with at_database():
        try:
            begin = growing_log.end(file) if start == "now" else growing_log.START if start else None
            reader = follower.Follower(source, file, begin, encoding or "")
            click.echo(f"Following {file} as source {source}.")
            while not stopping.is_set():
                if holds.hold(reader.source_id) and not once:
                    stopping.wait(HELD_S)
                    continue
                step = reader.step()
                for refused in step.refused:
                    where = "" if refused.field == WHOLE else f"{refused.field}: "
                    click.echo(f"line {refused.line}: {where}{refused.message.render(str)}", err=True)
                if not step.lines and (once or stopping.wait(follower.IDLE_S)):
                    break
        except OSError as error:
            raise click.ClickException(f"Cannot read {str(file)!r}: {error.strerror or error}.") from None
    reader.log.close()
    sums = reader.counts
    click.echo(f"read {sums.read}, stored {sums.stored}, repeated {sums.repeated}, refused {sums.refused}")


@click.command("ami")
@click.option("--source", required=True, help="Source with an Asterisk manager in Settings.")
def ami(source: str) -> None:
    """Keep the connection to the Asterisk manager of a source, until SIGTERM or Ctrl+C.

    For a manager that only this machine reaches. Workers keep the other connections by themselves. Restart it
    after a change of the settings.
    """
    stopping = _stopping()
    with at_database():
        row = Manager.select().join(Source).where(Source.name == source).first()
        if row is None:
            raise click.ClickException(f"Source {source!r} has no Asterisk manager. Add it in Settings.")
        if not keeper.take(row):
            raise click.ClickException(f"{row.owner} keeps this connection. Stop it first.")
        click.echo(f"Connecting to {row.host}:{row.port} as source {source}.")
        kept, state = keeper.Keeper(row), ""
        while not stopping.is_set():
            kept.step()
            if kept.state != state:
                state = kept.state
                click.echo(f"{clock.iso(clock.now_s(), 'UTC')} {state} {kept.problem}".strip())
            if not kept.is_due():
                stopping.wait(follower.IDLE_S)
        kept.close()


def _stopping() -> Event:
    """Return what a signal to end sets."""
    found = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: found.set())
    return found
