"""The windows: a folder per entry of the menu."""

from dashboard.pages import api, exports, pauses, queues, signin, teams, tracing, users

BLUEPRINTS = (api.bp, exports.bp, pauses.bp, queues.bp, signin.bp, teams.bp, tracing.bp, users.bp)
