"""The windows: a folder per entry of the menu."""

from dashboard.pages import api, exports, home, pauses, queuedays, queues, signin, teams, tracing, users

BLUEPRINTS = (
    api.bp,
    exports.bp,
    home.bp,
    pauses.bp,
    queuedays.bp,
    queues.bp,
    signin.bp,
    teams.bp,
    tracing.bp,
    users.bp,
)
