"""The `flask` commands. Each parses its arguments, opens the database and calls a package."""

from __future__ import annotations

from flask import Flask

from dashboard.cli import accounts, api_keys, audit, config, database, imports, service, sources

COMMANDS = (
    *(database.migrate_, database.save, database.restore, database.copy, database.demo),
    *(database.work, database.rebuild, database.version),
    *(accounts.user, accounts.access, api_keys.key),
    *(imports.import_, imports.follow, imports.ami, sources.source, audit.audit, config.config),
    service.service,
)


def init(app: Flask) -> None:
    """Register the commands."""
    for command in COMMANDS:
        app.cli.add_command(command)
