"""The pages of the menu group Settings."""

from dashboard.pages.settings import (
    accesses,
    api_keys,
    calendars,
    channels,
    connectors,
    deliveries,
    event_types,
    general,
    managers,
    pause_types,
    policy,
    queues,
    retention,
    sources,
    teams,
    users,
)

BLUEPRINTS = (
    accesses.bp,
    api_keys.bp,
    calendars.bp,
    channels.bp,
    connectors.bp,
    deliveries.bp,
    event_types.bp,
    general.bp,
    managers.bp,
    pause_types.bp,
    policy.bp,
    queues.bp,
    retention.bp,
    sources.bp,
    teams.bp,
    users.bp,
)
