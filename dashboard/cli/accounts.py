"""The `flask` commands of users and roles."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import click
from flask.cli import with_appcontext
from peewee import JOIN, fn

from dashboard import clock
from dashboard.access import (
    accounts,
    granting,
    password_links,
    passwords,
    sessions,
    sign_in_settings,
    throttle,
    two_factor,
)
from dashboard.access.permissions import Permission
from dashboard.audit import record as audit
from dashboard.cli.common import as_json, at_database, moment, print_table, printable_name
from dashboard.db import database, dialect
from dashboard.db.locks import Lock
from dashboard.events import erased_logins
from dashboard.ingest import presence
from dashboard.models import Access, AccessGrant, Queue, User, UserIdentity
from dashboard.notify import account_mail


@click.group()
def user() -> None:
    """Manage users."""


_password_stdin = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input."
)


@user.command("add")
@click.argument("login", callback=printable_name)
@click.option("--access", required=True, help="Role name, such as Administrator or Agent.")
@click.option("--name", default="", help="Display name; defaults to the login.")
@_password_stdin
def user_add(login: str, access: str, name: str, password_stdin: bool) -> None:
    """Add user LOGIN, or give a user known from events a role and a password."""
    with at_database():
        role = _role_named(access)
        hashed = _new_password(login, name, password_stdin)
        with database.atomic():
            dialect.one_at_a_time(Lock.GRANT)
            if User.select().where((User.login == login) & User.password_hash.is_null(False)).exists():
                raise click.ClickException(
                    f"{login!r} can already sign in. Edit the user in Settings > Users."
                )
            if erased_logins.users([login]):
                raise click.ClickException(erased_logins.TAKEN)
            row, created = accounts.give(login, name, role, hashed)
            audit.record(
                "user.created" if created else "user.updated",
                "c" if created else "u",
                audit.user_target(row),
                {"access": (None, access)},
            )
    click.echo(f"Added {login} with role {access}.")


@user.command("list")
@click.option("--all", "whole", is_flag=True, help="Include users who are known from events only.")
@as_json
@with_appcontext
def user_list(whole: bool, as_json: bool) -> None:
    """List users with role, state and last sign-in."""
    with at_database():
        query = User.select(User, Access).join(Access, JOIN.LEFT_OUTER).order_by(User.login)
        found = query if whole else query.where(User.access.is_null(False))
        print_table(
            ("LOGIN", "NAME", "ROLE", "STATE", "LAST SIGNED IN"),
            [(row.login, row.name, _role(row), _state(row), moment(row.last_sign_in_ts)) for row in found],
            as_json,
        )


def _role(row: User) -> str:
    return row.access.name if row.access else "-"


def _state(row: User) -> str:
    if row.deactivated_ts is not None:
        return "deactivated"
    if row.access_id is None or (row.password_hash is None and not _is_linked(row)):
        return "cannot sign in"
    return f"locked for {-(-wait_s // 60)} min" if (wait_s := throttle.locked_s(row.login)) else "active"


def _is_linked(row: User) -> bool:
    return bool(UserIdentity.select().where(UserIdentity.user == row.id).exists())


@user.command("password")
@click.argument("login", callback=printable_name)
@_password_stdin
def user_password(login: str, password_stdin: bool) -> None:
    """Set a new password for LOGIN, and end the user's sessions."""
    with at_database():
        row = _user(login)
        if row.access_id is None:
            raise click.ClickException(f"{login!r} has no role. Run `flask user add {login} --access ROLE`.")
        hashed = _new_password(login, row.name, password_stdin)
        with database.atomic():
            User.update(password_hash=hashed, version=User.version + 1).where(User.id == row.id).execute()
            sessions.end_all(row.id)
            throttle.unlock(login, row.id)
            audit.record("user.updated", "u", audit.user_target(row), {"password": ("", "")})
            if not (chosen := sign_in_settings.load()).takes_password(row):
                sign_in_settings.save(replace(chosen, emergency=(*chosen.emergency, row.id)))
                click.echo(f"{login} may sign in with a password from now on, as in an emergency.")
    click.echo(f"Changed the password of {login}. The user has been signed out everywhere.")
    if row.deactivated_ts is not None:
        click.echo(f"{login} is deactivated. Reactivate the user in Settings > Users.", err=True)


@user.command("unlock")
@click.argument("login", callback=printable_name)
def user_unlock(login: str) -> None:
    """Forget failed attempts to sign in as LOGIN, and those of all addresses."""
    with at_database(), database.atomic():
        row = _user(login)
        number = throttle.unlock(login, row.id)
        audit.record("user.unlocked", "u", audit.user_target(row), details={"attempts": number})
    click.echo(f"Unlocked {login}; failed attempts forgotten: {number}.")


@user.command("invite")
@click.argument("login", callback=printable_name)
@click.option("--email", default="", help="Email address; the user's own by default.")
@click.option("--access", default="", help="Role name, where the user has none yet.")
@click.option("--name", default="", help="Display name of a new user; defaults to the login.")
@click.option("--cancel", is_flag=True, help="Take an invitation back.")
@with_appcontext
def user_invite(login: str, email: str, access: str, name: str, cancel: bool) -> None:
    """Send LOGIN a link by mail to choose the first password; it works for 7 days, once."""
    with at_database(), database.atomic():
        dialect.one_at_a_time(Lock.GRANT)
        if cancel:
            withdrawn = account_mail.withdraw(_user(login))
            click.echo("Invitation withdrawn." if withdrawn else f"{login} has no invitation.")
            return
        row = _invited(login, email, access, name)
        account_mail.invite(row)
    click.echo(f"An invitation of {login} is on its way to {row.email}.")


def _invited(login: str, email: str, access: str, name: str) -> User:
    """Return the user, with role and address as given; raises ClickException where no invitation fits."""
    row: User | None = User.get_or_none(User.login == login)
    if not account_mail.works():
        raise click.ClickException("No mail server is configured. Set STOPA_SMTP_URL.")
    if row is not None and row.password_hash is not None:
        raise click.ClickException(f"{login!r} has a password. `flask user password {login}` sets a new one.")
    if row is None and erased_logins.users([login]):
        raise click.ClickException(erased_logins.TAKEN)
    if access:
        row, created = accounts.give(login, name, _role_named(access), None)
        act, crud = ("created", "c") if created else ("updated", "u")
        audit.record(f"user.{act}", crud, audit.user_target(row), {"access": (None, access)})
    row = _user(login)
    if email and email != row.email:
        User.update(email=email, version=User.version + 1).where(User.id == row.id).execute()
        audit.record("user.updated", "u", audit.user_target(row), {"email": (row.email, email)})
        row.email = email
    if not password_links.may_have(row):
        raise click.ClickException(f"{login!r} needs a role (--access) and an address (--email).")
    return row


@user.command("two-factor")
@click.argument("login", callback=printable_name)
@click.option("--reset", is_flag=True, help="Remove the second factor, and end the user's sessions.")
@with_appcontext
def user_two_factor(login: str, reset: bool) -> None:
    """Print whether LOGIN signs in with a second factor; --reset helps who has lost it."""
    with at_database(), database.atomic():
        row = _user(login)
        found = two_factor.state(row.id)
        if reset:
            two_factor.remove(row.id)
            number = sessions.end_all(row.id)
            audit.record("auth.two_factor_reset", "u", audit.user_target(row), details={"sessions": number})
    if reset:
        click.echo(f"Reset the second factor of {login}. The user has been signed out everywhere.")
    elif found is None:
        click.echo("off")
    else:
        click.echo(f"on since {moment(found.since_ts)}, recovery codes left: {found.codes}")


@user.command("deactivate")
@click.argument("login", callback=printable_name)
def user_deactivate(login: str) -> None:
    """Deactivate LOGIN: the user is signed out everywhere and cannot sign in. History is kept."""
    try:
        with at_database(), granting.keeping_administrator():
            row = _user(login)
            if row.deactivated_ts is not None:
                raise click.ClickException(f"{login!r} is already deactivated.")
            values = {"deactivated_ts": clock.now_s(), "version": User.version + 1}
            User.update(values).where(User.id == row.id).execute()
            presence.end(row)
            audit.record("user.deactivated", "u", audit.user_target(row), {"deactivated": (False, True)})
    except granting.RefusedError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"Deactivated {login}.")


def _user(login: str) -> User:
    row: User | None = User.get_or_none(User.login == login)
    if row is None:
        raise click.ClickException(f"Unknown user {login!r}. `flask user list --all` shows all users.")
    return row


def _new_password(login: str, name: str, from_stdin: bool) -> str:
    """Read a new password, check it, and return its hash."""
    secret = (
        sys.stdin.readline().rstrip("\r\n")
        if from_stdin
        else click.prompt("Password", hide_input=True, confirmation_prompt=True)
    )
    if problem := passwords.problem(secret, login, name):
        raise click.ClickException(problem)
    return passwords.make(secret)


@click.group()
def access() -> None:
    """Manage roles and permissions."""


@access.command("list")
@as_json
def access_list(as_json: bool) -> None:
    """List roles with the number of their users and permissions."""
    with at_database():
        users = fn.COUNT(User.id)
        query = Access.select(Access.name, Access.permissions, Access.is_system, users)
        query = query.join(User, JOIN.LEFT_OUTER).group_by(Access.id).order_by(Access.name)
        lines = [
            (str(number), str(len(permissions)), "built-in" if is_system else "own", name)
            for name, permissions, is_system, number in query.tuples()
        ]
    print_table(("USERS", "PERMISSIONS", "KIND", "NAME"), lines, as_json)


@access.command("show")
@click.argument("name")
@as_json
def access_show(name: str, as_json: bool) -> None:
    """Print what role NAME may do, and whose data and which queues it sees."""
    with at_database():
        row = _role_named(name)
        query = AccessGrant.select(AccessGrant.kind, User.login, Queue.name)
        query = query.join(User, JOIN.LEFT_OUTER, on=_refers(User, "users")).switch(AccessGrant)
        query = query.join(Queue, JOIN.LEFT_OUTER, on=_refers(Queue, "queues"))
        query = query.where(AccessGrant.access == row)
        query = query.order_by(AccessGrant.kind, User.login, Queue.name)
        scope = [("sees", kind, login or queue or "") for kind, login, queue in query.tuples()]
    rights = [("may", permission, "") for permission in row.permissions]
    if row.two_factor:
        rights.append(("needs", "two-factor", ""))
    print_table(("", "WHAT", "WHICH"), [*rights, *(scope or [("sees", "own data", "")])], as_json)


def _refers(table: type[User] | type[Queue], kind: str) -> Any:
    return (AccessGrant.kind == kind) & (AccessGrant.ref_id == table.id)


@access.command("set")
@click.argument("name")
@click.option("--two-factor/--no-two-factor", required=True, help="Whether users need a second factor.")
def access_set(name: str, two_factor: bool) -> None:
    """Change role NAME. In the application nobody can change their own role; this command can."""
    with at_database(), database.atomic():
        row = _role_named(name)
        changes = {"two_factor": two_factor, "version": Access.version + 1}
        Access.update(changes).where(Access.id == row.id).execute()
        changed = {"two_factor": (row.two_factor, two_factor)}
        audit.record("access.updated", "u", ("access", row.id, name), changed)
    click.echo(f"Users with role {name} {'need' if two_factor else 'need not have'} a second factor.")


@access.command("grant")
@click.argument("name")
@click.argument("permission", type=click.Choice([permission.value for permission in Permission]))
def access_grant(name: str, permission: str) -> None:
    """Grant role NAME a PERMISSION, including ones administrators cannot grant in the app.

    In the application users can grant only permissions they hold themselves, and no built-in role shows
    full contact details. This command is how the owner of the server grants them.
    """
    with at_database(), database.atomic():
        row = _role_named(name)
        after = sorted({*row.permissions, permission})
        Access.update(permissions=after, version=Access.version + 1).where(Access.id == row.id).execute()
        audit.record(
            "access.updated", "u", ("access", row.id, name), {"permissions": (row.permissions, after)}
        )
    click.echo(f"Granted {permission} to {name}.")


def _role_named(name: str) -> Access:
    row: Access | None = Access.get_or_none(Access.name == name)
    if row is None:
        names = ", ".join(known for (known,) in Access.select(Access.name).order_by(Access.name).tuples())
        raise click.ClickException(f"Unknown role {name!r}. Available: {names}.")
    return row
