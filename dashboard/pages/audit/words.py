"""What the pages of the audit log say: labels of actions and fields, values before and after, the proof."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from flask_babel import gettext as _
from flask_babel import ngettext

from dashboard.access.granting import LABELS
from dashboard.audit.nightly import Proof
from dashboard.audit.verify import KINDS, Fault, Kind
from dashboard.i18n import formats
from dashboard.i18n.message import N_
from dashboard.models import AuditEntry, User
from dashboard.retention.kinds import KINDS as RETENTION
from dashboard.sources.declared.audit import ACTIONS, ACTORS, INTERFACES, MACHINES, OUTCOMES, TARGETS
from dashboard.web.detail import Change, Fact, Line
from dashboard.web.page import row_url

# Fields of changes and details that have a label on other pages.
FIELDS = {
    "access": N_("Role"),
    "active": N_("Active"),
    "action": N_("Action"),
    "address": N_("Address"),
    "deactivated": N_("Deactivated"),
    "definition": N_("Definition"),
    "description": N_("Description"),
    "email": N_("Email"),
    "entries": N_("Entries"),
    "entry": N_("Audit entry"),
    "extension": N_("Extension"),
    "fault": N_("What is wrong"),
    "format": N_("File format"),
    "frequency": N_("How often"),
    "from": N_("From"),
    "group": N_("Group"),
    "hash": N_("Hash"),
    "hours": N_("Working hours"),
    "in_rules": N_("Rules may use it"),
    "kind": N_("Kind"),
    "label": N_("Label"),
    "leads": N_("Leads"),
    "locale": N_("Language"),
    "login": N_("Username"),
    "max_seconds": N_("Limit"),
    "members": N_("Members"),
    "name": N_("Name"),
    "paid": N_("Paid"),
    "password": N_("Password"),
    "period": N_("Period"),
    "permissions": N_("Permissions"),
    "position": N_("Position"),
    "query": N_("Filters"),
    "recipients": N_("Recipients"),
    "recorded": N_("Recorded"),
    "refresh_s": N_("Refresh"),
    "report": N_("Report"),
    "revoked": N_("Revoked"),
    "rows": N_("Rows"),
    "scope": N_("Scope"),
    "seal": N_("Seal"),
    "schedule": N_("Schedule"),
    "shared": N_("Who sees it"),
    "sla_seconds": N_("Service level"),
    "source": N_("Source"),
    "starter": N_("Starter set"),
    "state": N_("State"),
    "stored": N_("Stored"),
    "tab": N_("Tab"),
    "teams": N_("Teams"),
    "tile": N_("Tiles"),
    "timezone": N_("Time zone"),
    "to": N_("To"),
    "two_factor": N_("Two-factor required"),
    "user": N_("User"),
    "version": N_("Version"),
    "zone": N_("Time zone"),
    **{kind.kept.value: kind.label for kind in RETENTION},
}


# Details of views, whose names mean something else in changes.
VIEWS = {"date": N_("Date"), "hours": N_("Hours"), "unit": N_("Period")}
UNITS = {"day": N_("Day"), "week": N_("Week"), "month": N_("Month")}


class Proved(NamedTuple):
    """What proves an entry: a sentence and its style."""

    text: str
    css: str


def action(entry: AuditEntry) -> str:
    return _label(entry.action)


def actor(entry: AuditEntry, user: User | None) -> str:
    """Return who acted: the name and login of a user, with the id beside; of others their kind and name."""
    if user is not None:
        return f"{user.name} ({entry.actor_label}) #{user.id}"
    if entry.actor_label in MACHINES and entry.actor_id is None:
        return str(_(MACHINES[entry.actor_label]))
    kind = str(_(ACTORS.get(entry.actor_type, entry.actor_type)))
    return f"{kind} {entry.actor_label}" + (f" #{entry.actor_id}" if entry.actor_id else "")


def target(entry: AuditEntry) -> str:
    kind = str(_(TARGETS[entry.target_type])) if entry.target_type in TARGETS else entry.target_type
    if entry.target_type == "batch":
        return f"{_target_name(entry)} · {kind}: {entry.target_id}"
    number = f"#{entry.target_id}" if entry.target_id.isdecimal() else entry.target_id
    return " ".join(part for part in (kind, entry.target_label, number) if part)


def _target_name(entry: AuditEntry) -> str:
    return _label(entry.target_label) if entry.target_type == "batch" else entry.target_label


def _label(action: str) -> str:
    return str(_(ACTIONS[action])) if action in ACTIONS else action


def sentence(entry: AuditEntry, user: User | None) -> str:
    """Return what happened in a line."""
    parts = (actor(entry, user), action(entry), target(entry))
    return " · ".join(part for part in parts if part)


def facts(entry: AuditEntry, user: User | None, zone: str) -> list[Fact]:
    given = [
        (_("Entry"), formats.number(entry.seq) if entry.seq else ""),
        (_("Time"), f"{formats.stamp(entry.occurred_ms // 1000, zone)} ({zone})"),
        (_("Actor"), actor(entry, user)),
        (_("Action"), f"{action(entry)} ({entry.action})"),
        (_("Acted on"), target(entry)),
        (_("Outcome"), _(OUTCOMES.get(entry.outcome, entry.outcome))),
        (_("Interface"), _(INTERFACES.get(entry.interface, entry.interface))),
        (_("IP address"), entry.ip),
        (_("Browser"), entry.user_agent),
        (_("Request"), entry.request_id),
    ]
    return [Fact(*each) for each in given]


def changes(given: Mapping[str, Sequence[Any]]) -> list[Change]:
    """Return the changes of an entry as a reader sees them."""
    found = []
    for name, (old, new) in given.items():
        if isinstance(old, list) and isinstance(new, list):
            old, new = [each for each in old if each not in new], [each for each in new if each not in old]
        found.append(Change(field(name), text(name, old), text(name, new)))
    return found


def details(given: Mapping[str, Any]) -> list[Fact]:
    return [
        Fact(str(_(VIEWS[name])) if name in VIEWS else field(name), text(name, value))
        for name, value in given.items()
    ]


def field(name: str) -> str:
    return str(_(FIELDS[name])) if name in FIELDS else name


def text(name: str, value: Any) -> str:
    """Return a value in the reader's words: permissions by their labels, lists by line."""
    match value:
        case None:
            return ""
        case bool():
            return str(_("Yes") if value else _("No"))
        case list():
            return "\n".join(text(name, each) for each in value)
        case str():
            if name == "permissions" and value in LABELS:
                return str(_(LABELS[value]))
            if name == "unit" and value in UNITS:
                return str(_(UNITS[value]))
            return _label(value) if name == "action" else value
        case int():
            return formats.number(value)
        case _:
            return json.dumps(value, ensure_ascii=False, indent=2)


def lines(entries: Sequence[AuditEntry], of: AuditEntry, zone: str) -> list[Line]:
    """Return entries beside another in a line each: when, what, whom about and by whom."""
    return [
        Line(
            row_url("audit.show", each.id),
            formats.stamp(each.occurred_ms // 1000, zone),
            " · ".join(part for part in (action(each), _target_name(each), each.actor_label) if part),
            each.id == of.id,
        )
        for each in entries
    ]


def proof(found: Proof | None, zone: str) -> Proved:
    """Return what the latest verification says of the whole log."""
    if found is None:
        return Proved(_("Not verified yet: the first night is to come"), "warn")
    when = formats.stamp(found.time_ms // 1000, zone)
    if found.bad is not None:
        return Proved(
            _(
                "Entry %(number)s: %(what)s (%(time)s)",
                number=formats.number(found.bad),
                what=_(KINDS[Kind(found.kind)]),
                time=when,
            ),
            "bad",
        )
    number = formats.number(found.seq)
    if found.seal_error:
        return Proved(
            _("Verified to entry %(number)s, but without a seal (%(time)s)", number=number, time=when), "warn"
        )
    return Proved(_("Verified to entry %(number)s · %(time)s", number=number, time=when), "ok")


def unproved(found: Proof | None) -> str:
    """Return how many entries of before the chain there are, "" without any."""
    if found is None or not found.before:
        return ""
    text = ngettext(
        "%(num)d entry from before the chain is not proved.",
        "%(num)d entries from before the chain are not proved.",
        found.before,
    )
    return str(text)


def proved(entry: AuditEntry, fault: Fault | None, found: Proof | None, zone: str) -> Proved:
    """Return what proves one entry, as it stands now and by the latest verification."""
    if entry.seq is None:
        return Proved(_("From before the chain: nothing proves it"), "warn")
    if fault is not None:
        return Proved(_("Not as it was written: %(what)s", what=_(KINDS[fault.kind])), "bad")
    if found is None or found.bad is not None or entry.seq > found.seq:
        return Proved(_("In the chain; to be verified next night"), "")
    when = formats.stamp(found.time_ms // 1000, zone)
    return Proved(_("In the chain; verified %(time)s", time=when), "ok")


def alarm(found: Proof | None) -> str:
    """Return the sentence of the banner for those who read the audit log, "" without a cause."""
    if found is None or found.is_good:
        return ""
    if found.bad is not None:
        return str(
            _(
                "The audit log was changed below Stopa. Entry %(number)s: %(what)s.",
                number=formats.number(found.bad),
                what=_(KINDS[Kind(found.kind)]),
            )
        )
    return str(_("The audit log has no seal of last night: %(reason)s.", reason=found.seal_error))
