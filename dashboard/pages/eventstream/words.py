"""What the page of one event says: its sentence, facts, data and neighbours."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _

from dashboard import catalog, clock
from dashboard.i18n import formats
from dashboard.i18n.message import N_
from dashboard.models import Event
from dashboard.pages.eventstream.queries import Neighbour, RuleRun
from dashboard.rulelang.outcomes import RUN_LABELS, RunOutcome
from dashboard.ruletext.names import type_label
from dashboard.ruletext.run_scope import BADGES
from dashboard.sources.declared.events import value_text
from dashboard.web.detail import Fact, Line
from dashboard.web.page import row_url

REASONS = {  # why an event is marked, and what follows
    "ahead": N_("It lay over 5 minutes ahead of the server's clock; it moves no limit or timer of rules."),
    "late": N_("It was received over 24 hours after its time; rules do nothing about it."),
    "no_time": N_("The source gave no time; this is the time of arrival."),
}


def sentence(texts: Mapping[str, str]) -> str:
    """Return what happened in a line: the type, who, where and to whom, as far as they are known."""
    parts = (texts["type"], texts["user"], texts["queue"], texts["contact"])
    return " · ".join(part for part in parts if part)


def facts(event: Event, texts: Mapping[str, str], mark: str | None, zone: str) -> list[Fact]:
    kind = catalog.find(event.type)
    delay = (event.recorded_ms - event.time_ms) // 1000
    late = _("%(time)s later", time=formats.duration(delay)) if delay > 0 else ""
    given = [
        (_("Time"), f"{texts['time']} ({zone})"),
        (_("Received at"), " · ".join(part for part in (texts["recorded"], late) if part)),
        (_("Event type"), event.type),
        (_("Group"), _(catalog.GROUPS[kind.group]) if kind else ""),
        (_("User"), f"{texts['user']} #{event.user_id}" if texts["user"] else ""),
        (_("Queue"), texts["queue"]),
        (_("Contact"), texts["contact"]),
        (_("Session"), event.session or ""),
        (_("Source"), texts["source"]),
        (_("ID in the source"), event.external_id),
        (_("Line in the file"), formats.number(event.seq) if event.seq else ""),
        (_("Mark"), texts["mark"]),
        (_("Note"), _(REASONS[mark]) if mark else ""),
    ]
    return [Fact(*each) for each in given]


def fields(type_: str, data: Any) -> list[Fact]:
    """Return the fields of the data; one that the type does not declare by its name."""
    kind = catalog.find(type_)
    known = kind.by_name if kind is not None else {}
    given = data.items() if isinstance(data, dict) else [("", data)]
    labels = {name: str(_(field.label)) for name, field in known.items() if field.label}
    return [Fact(labels.get(name, name), value_text(known.get(name), value)) for name, value in given]


def as_json(event: Event, contact: Any, data: Any, zone: str) -> str:
    """Return the event as JSON text; contact and data are masked by the caller."""
    whole = {
        "id": event.external_id,
        "type": event.type,
        "time": clock.iso(event.time_ms // 1000, zone),
        "interaction": event.interaction,
        "session": event.session,
        "contact": contact,
        "data": data,
    }
    return json.dumps(
        {name: value for name, value in whole.items() if value is not None}, ensure_ascii=False, indent=2
    )


def neighbours(found: Sequence[Neighbour], event: Event, zone: str) -> list[Line]:
    return [
        Line(
            row_url("events.show", each.id),
            formats.stamp(each.time_ms // 1000, zone),
            each.name or "",
            each.id == event.id,
            (type_label(each.type), ""),
        )
        for each in found
    ]


def runs(found: Sequence[RuleRun]) -> list[Line]:
    """Return the rules that ran, each with its outcome and the milliseconds it took."""
    return [
        Line(
            row_url("ruleruns.run", each.id),
            each.rule,
            f"{each.took_us / 1000:.1f} ms",
            badge=(str(_(RUN_LABELS[RunOutcome(each.outcome)])), BADGES.get(RunOutcome(each.outcome), "")),
        )
        for each in found
    ]
