"""What the page of one event says: its sentence, facts, data and neighbours."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from flask_babel import gettext as _

from dashboard import catalog, clock
from dashboard.i18n import formats
from dashboard.models import Event
from dashboard.pages.eventstream.queries import Neighbour
from dashboard.rulelang.outcomes import RUN_LABELS, RunOutcome
from dashboard.ruletext.names import type_label
from dashboard.ruletext.run_scope import BADGES
from dashboard.sources.declared.events import value_text


class NearRow(NamedTuple):
    id: int
    time: str
    label: str
    who: str
    current: bool


def sentence(texts: Mapping[str, str]) -> str:
    """Return what happened in a line: the type, who, where and to whom, as far as they are known."""
    parts = (texts["type"], texts["user"], texts["queue"], texts["contact"])
    return " · ".join(part for part in parts if part)


def facts(event: Event, texts: Mapping[str, str], zone: str) -> list[tuple[str, str]]:
    """Return label and text of each fact; one without text is not shown."""
    kind = catalog.find(event.type)
    delay = (event.recorded_ms - event.time_ms) // 1000
    arrival = _("The source gave no time; this is the time of arrival.") if event.time_of_arrival else ""
    late = _("%(time)s later", time=formats.duration(delay)) if delay > 0 else ""
    return [
        (_("Time"), f"{texts['time']} ({zone})"),
        (_("Received"), " · ".join(part for part in (texts["recorded"], late) if part)),
        (_("Event type"), event.type),
        (_("Group"), _(catalog.GROUPS[kind.group]) if kind else ""),
        (_("User"), texts["user"]),
        (_("Queue"), texts["queue"]),
        (_("Contact"), texts["contact"]),
        (_("Session"), event.session or ""),
        (_("Source"), texts["source"]),
        (_("ID in the source"), event.external_id),
        (_("Line in the file"), formats.number(event.seq) if event.seq else ""),
        (_("Note"), arrival),
    ]


def fields(type_: str, data: Any) -> list[tuple[str, str]]:
    """Return label and text of each field of the data; a field that the type does not declare by its name."""
    kind = catalog.find(type_)
    known = kind.by_name if kind is not None else {}
    given = data.items() if isinstance(data, dict) else [("", data)]
    labels = {name: str(_(field.label)) for name, field in known.items() if field.label}
    return [(labels.get(name, name), value_text(known.get(name), value)) for name, value in given]


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


def neighbours(found: Sequence[Neighbour], event: Event, zone: str) -> list[NearRow]:
    return [
        NearRow(
            each.id,
            formats.stamp(each.time_ms // 1000, zone),
            type_label(each.type),
            each.name or "",
            each.id == event.id,
        )
        for each in found
    ]


def outcome(value: str) -> tuple[str, str]:
    """Return the label and the badge of a run's outcome."""
    known = RunOutcome(value)
    return str(_(RUN_LABELS[known])), BADGES.get(known, "")
