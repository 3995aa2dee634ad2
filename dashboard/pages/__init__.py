"""The windows: a folder per entry of the menu."""

from dashboard.pages import (
    accesses,
    api,
    exports,
    home,
    keys,
    operations,
    pauses,
    queuedays,
    queues,
    rules,
    signin,
    systemevents,
    teams,
    tracing,
    users,
)

BLUEPRINTS = (
    accesses.bp,
    api.bp,
    exports.bp,
    home.bp,
    keys.bp,
    operations.bp,
    pauses.bp,
    queuedays.bp,
    queues.bp,
    rules.bp,
    signin.bp,
    systemevents.bp,
    teams.bp,
    tracing.bp,
    users.bp,
)
