"""The pages: a package per entry of the menu, those of the group Settings below `settings`."""

from dashboard.pages import (
    api,
    exports,
    home,
    inbox,
    operations,
    queuedays,
    ruleeditor,
    ruleruns,
    rules,
    settings,
    signin,
    tracing,
)

BLUEPRINTS = (
    api.bp,
    exports.bp,
    home.bp,
    inbox.bp,
    operations.bp,
    queuedays.bp,
    ruleeditor.bp,
    ruleruns.bp,
    rules.bp,
    signin.bp,
    tracing.bp,
    *settings.BLUEPRINTS,
)
