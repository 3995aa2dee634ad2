"""The `flask` commands of the configuration: what is in force, and whether it works."""

from __future__ import annotations

from collections.abc import Iterator

import click
import peewee
from flask import current_app
from flask.cli import with_appcontext

from dashboard import clock, settings
from dashboard.cli.common import as_json, print_table
from dashboard.db import connected, failure
from dashboard.events import health
from dashboard.jobs import heartbeat
from dashboard.notify import email


@click.group()
def config() -> None:
    """Show and check the settings."""


@config.command("check")
@as_json
@with_appcontext
def check(as_json: bool) -> None:
    """Print every setting in force with the place it comes from, secrets hidden, and what does not work.

    Exit status 1 if something does not work. An invalid setting is named with an example, status 2.
    """
    given = settings.given_values()
    lines = []
    for setting in settings.SETTINGS:
        text = given[setting.name].value.strip() if setting.name in given else ""
        place = given[setting.name].place if text else "default"
        lines.append((setting.name, place, setting.masked(text) if text else setting.default))
    print_table(("NAME", "FROM", "VALUE"), lines, as_json)
    problems = list(_problems())
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        raise SystemExit(1)
    click.echo("Database, worker and mail server answer.", err=True)


def _problems() -> Iterator[str]:
    chosen = current_app.config["STOPA"]
    try:
        with connected():
            if wrong := health.database_problem():
                yield f"Database: {wrong}. Run `flask migrate`, or install the version that made it."
            elif all(age_s > heartbeat.ALIVE_S for _name, age_s in heartbeat.workers(clock.now_ms())):
                yield "Worker: none is alive. Run `bin/serve` or `flask worker`."
    except peewee.PeeweeException as error:
        if not failure.is_away(error):
            raise
        yield f"Database: {failure.explain(error)}"
    if chosen.smtp_url and (answer := email.check(chosen)).why:
        yield f"Mail server: {' '.join(part for part in (answer.why, answer.note) if part)}"
