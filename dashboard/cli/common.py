"""What the commands share: a connection with errors in one line, and the checks of names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
import peewee

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


def printable_name(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not value.strip() or len(value) > NAME_MAX or not value.isprintable():
        raise click.BadParameter(f"Enter 1 to {NAME_MAX} printable characters.")
    return value


def source_name(context: click.Context, parameter: click.Parameter, value: str) -> str:
    if keys.is_reserved(printable_name(context, parameter, value)):
        raise click.BadParameter(keys.RESERVED)
    return value
