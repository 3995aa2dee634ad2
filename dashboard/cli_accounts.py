"""The `flask` commands of users, roles and API keys."""

from __future__ import annotations

import sys

import click
from flask import Flask

from dashboard.access import accounts, keys, passwords
from dashboard.access.permissions import Permission
from dashboard.audit import record as audit
from dashboard.cli import at_database, printable_name, source_name
from dashboard.db import database, dialect
from dashboard.db.locks import Lock
from dashboard.models import Access, User


def init(app: Flask) -> None:
    for command in (user, access, key):
        app.cli.add_command(command)


@click.group()
def user() -> None:
    """Manage users."""


@user.command("add")
@click.argument("login", callback=printable_name)
@click.option("--access", required=True, help="Role name, such as Administrator or Agent.")
@click.option("--name", default="", help="Display name; defaults to the login.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def user_add(login: str, access: str, name: str, password_stdin: bool) -> None:
    """Add user LOGIN, or give a user known from events a role and a password."""
    with at_database():
        role = Access.get_or_none(Access.name == access)
        if role is None:
            raise click.ClickException(f"Unknown role {access!r}. Available: {_role_names()}.")
        secret = (
            sys.stdin.readline().rstrip("\r\n")
            if password_stdin
            else click.prompt("Password", hide_input=True, confirmation_prompt=True)
        )
        if problem := passwords.problem(secret, login, name):
            raise click.ClickException(problem)
        hashed = passwords.make(secret)
        with database.atomic():
            dialect.one_at_a_time(Lock.GRANT)
            if User.select().where((User.login == login) & User.password_hash.is_null(False)).exists():
                raise click.ClickException(
                    f"{login!r} can already sign in. Edit the user in Settings > Users."
                )
            row, created = accounts.give(login, name, role, hashed)
            audit.record(
                "user.created" if created else "user.updated",
                "c" if created else "u",
                audit.user_target(row),
                {"access": (None, access)},
            )
    click.echo(f"Added {login} with role {access}.")


@click.group()
def access() -> None:
    """Manage roles and permissions."""


@access.command("grant")
@click.argument("name")
@click.argument("permission", type=click.Choice([permission.value for permission in Permission]))
def access_grant(name: str, permission: str) -> None:
    """Grant role NAME a PERMISSION, including ones administrators cannot grant in the app.

    In the application users can grant only permissions they hold themselves, and no built-in role shows
    full contact details. This command is how the owner of the server grants them.
    """
    with at_database(), database.atomic():
        row = Access.get_or_none(Access.name == name)
        if row is None:
            raise click.ClickException(f"Unknown role {name!r}. Available: {_role_names()}.")
        after = sorted({*row.permissions, permission})
        Access.update(permissions=after, version=Access.version + 1).where(Access.id == row.id).execute()
        audit.record(
            "access.updated", "u", ("access", row.id, name), {"permissions": (row.permissions, after)}
        )
    click.echo(f"Granted {permission} to {name}.")


def _role_names() -> str:
    return ", ".join(row.name for row in Access.select().order_by(Access.name))


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
