"""The windows: a folder per entry of the menu."""

from dashboard.pages import (
    accesses,
    api,
    exports,
    home,
    keys,
    pauses,
    queuedays,
    queues,
    signin,
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
    pauses.bp,
    queuedays.bp,
    queues.bp,
    signin.bp,
    teams.bp,
    tracing.bp,
    users.bp,
)
