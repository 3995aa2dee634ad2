"""Rules, what becomes of them, the calendar that starts them and the channels they use. Pure."""

from __future__ import annotations

from dashboard.catalog.fields import ERROR, NAME
from dashboard.catalog.types import EventType, Field, Kind, Origin, maker
from dashboard.i18n.mark import N_

RULE = (
    Field("rule", Kind.TEXT, N_("Rule")),
    Field("run_outcome", Kind.TEXT, N_("Outcome of the run")),
    ERROR,
)
ROWS = Field("rows", Kind.NUMBER, N_("Rows"))
CHANNEL = (NAME, ERROR)

_own = maker("rules", "system", own=True, needs_source=False)
_read = maker("rules", "system", own=True, needs_source=False, in_rules=False)
_counter = maker("rules", "system", own=True, needs_source=False, origin=Origin.COUNTER)
_timer = maker("rules", "personal", own=True, needs_source=False, origin=Origin.TIMER)
_channel = maker("rules", "system", own=True, needs_source=False, origin=Origin.TRANSPORT)

TYPES: tuple[EventType, ...] = (
    _own("rule.created", N_("Rule created"), *RULE),
    _own("rule.updated", N_("Rule changed"), *RULE),
    _own("rule.deleted", N_("Rule deleted"), *RULE),
    _own("rule.tested", N_("Rule tested"), *RULE),
    _own("rule.backtested", N_("Rule tried on stored events"), *RULE),
    _own("rule.runs_exported", N_("Runs of a rule exported"), *RULE),
    _read("run.viewed", N_("Run of a rule viewed"), *RULE),
    _own("rule.switched", N_("Rule switched"), *RULE),
    _own("rule.handed_over", N_("Rule given to another owner"), *RULE),
    _own("rule.exported", N_("Rules exported"), ROWS),
    _own("rule_group.created", N_("Group of rules created"), NAME),
    _own("rule_group.updated", N_("Group of rules changed"), NAME),
    _own("rule_group.deleted", N_("Group of rules deleted"), NAME),
    _own("rules.stopped", N_("All rules stopped")),
    _own("rules.resumed", N_("All rules resumed")),
    _own("rule.muted", N_("Rule muted by a user"), *RULE),
    _own("rule.unmuted", N_("Rule no longer muted by a user"), *RULE),
    _own("rule.logged", N_("Rule wrote to the audit log"), *RULE),
    _own("rule.run_failed", N_("Rule run failed"), *RULE),
    _counter("rule.auto_paused", N_("Rule paused automatically"), *RULE),
    _counter("rule.limit_hit", N_("Rule's limit reached"), *RULE),
    _timer("schedule.reached", N_("Scheduled time reached"), NAME),
    _own("channel.created", N_("Notification channel added"), NAME),
    _own("channel.updated", N_("Notification channel changed"), NAME),
    _own("channel.deleted", N_("Notification channel deleted"), NAME),
    _own("channel.enabled", N_("Notification channel switched on"), NAME),
    _own("channel.tested", N_("Notification channel tested"), *CHANNEL),
    _own("delivery.replayed", N_("Deliveries sent again")),
    _own("delivery.cancelled", N_("Deliveries cancelled")),
    _channel("channel.delivery_failed", N_("Notification channel: delivery failed"), *CHANNEL),
    _channel("channel.disabled", N_("Notification channel switched off"), *CHANNEL),
)
