"""The windows: a folder per entry of the menu."""

from dashboard.pages import api, exports, signin, tracing

BLUEPRINTS = (api.bp, exports.bp, signin.bp, tracing.bp)
