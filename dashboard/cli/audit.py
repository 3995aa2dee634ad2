"""The `flask audit` commands: verification and retention of the audit log."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import click
from flask import current_app
from flask.cli import with_appcontext

from dashboard.audit import chain, retention, seals, verify
from dashboard.audit.chain import Head
from dashboard.cli.common import at_database
from dashboard.db import failure

_entry = click.IntRange(1)


@click.group()
def audit() -> None:
    """Verify the audit log."""


def _seals(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> list[Head]:
    try:
        return [seals.parse(value) for value in values]
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@audit.command("verify")
@click.option(
    "--from", "from_", type=_entry, metavar="N", help="Start with this entry.  [default: the first]"
)
@click.option("--to", type=_entry, metavar="N", help="End with this entry.  [default: the newest]")
@click.option(
    "--seal", "given", multiple=True, callback=_seals, metavar="N:HASH", help="A seal kept elsewhere."
)
@with_appcontext
def verify_(from_: int | None, to: int | None, given: list[Head]) -> None:
    """Walk the chain of the audit log and compare it with its seals; nothing is written.

    Exit status 1 with the first bad entry and its kind: gap, link, content, outside, cut or rewritten. The
    log is tamper-evident as far as seals have left the machine: without one, entries that were cut off at
    the end, or a log that was written anew as a whole, do not show.
    """
    folder = current_app.config["STOPA"].audit_seals
    with at_database():
        try:
            known = [*(seals.read(folder) if folder else []), *given]
        except seals.SealError as error:
            raise click.ClickException(failure.one_line(str(error)) + ".") from None
        if from_ is not None and from_ > chain.head().seq:
            raise click.ClickException(f"There is no entry {from_}; the newest is {chain.head().seq}.")
        with click.progressbar(length=1, label="Verifying", file=sys.stderr) as bar:

            def report(done: int, total: int) -> None:
                bar.length = total
                bar.update(done - bar.pos)

            found = verify.walk(known, from_, to, report)
    if found.entries:
        click.echo(f"Verified entries {found.first} to {found.last.seq}, seals that match: {found.seals}.")
    if found.redacted:
        click.echo(f"Without the texts of erased users, as later entries say: {found.redacted} entries.")
    if found.before:
        click.echo(f"Not proved, from before the chain: {found.before} entries.")
    if found.fault is not None:
        text = verify.KINDS[found.fault.kind]
        click.echo(f"Entry {found.fault.seq}: {found.fault.kind}: {text}.")
        raise SystemExit(1)
    click.echo(f"Seal: {found.last.seq}:{found.last.hash}" if found.entries else "The chain has no entries.")


@audit.command("purge")
@click.option("--before", type=click.DateTime(["%Y-%m-%d"]), required=True, help="A date, in UTC.")
@click.option("--yes", is_flag=True, help="Do not ask; needed where nobody can answer.")
def purge(before: datetime, yes: bool) -> None:
    """Delete the entries of before a date. What is left still verifies, and an entry says what is gone."""
    if not yes and not sys.stdin.isatty():
        raise click.ClickException("Nobody can be asked here. Use --yes to delete.")
    yes or click.confirm(f"Delete the audit entries of before {before:%Y-%m-%d}?", abort=True)
    with at_database():
        deleted = sum(retention.purge(int(before.replace(tzinfo=UTC).timestamp()) * 1000))
    click.echo(f"Entries deleted: {deleted}.")
