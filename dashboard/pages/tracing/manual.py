"""Manual events: a user presses a button on an activity, and rules evaluate it like any other event."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _

from dashboard import catalog, clock
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.audit import record as audit
from dashboard.catalog import EventType, Kind
from dashboard.db import database
from dashboard.events import record as events
from dashboard.events import switches
from dashboard.ingest.schema import NewEvent
from dashboard.models import Event, Interaction, Queue, Source, User
from dashboard.tracing.load import ActivityRow
from dashboard.tracing.types import type_of
from dashboard.web import forms

BUTTON = "button"
BUTTON_MAX = 80
TOKEN = re.compile("[0-9a-f]{32}")
LENGTHS = (Kind.SECONDS, Kind.MILLISECONDS)  # true of the moment of their event alone


@dataclass
class ManualEventForm:
    """What the form says. `token` is of one form: sent twice it makes one event."""

    button: str = ""
    token: str = ""
    errors: dict[str, str] = field(default_factory=dict)


def blank() -> ManualEventForm:
    return ManualEventForm(token=secrets.token_hex(16))


def parse(form: Mapping[str, str]) -> ManualEventForm:
    """Return the form with its errors; one without a good token gets a new one, to be sent again."""
    asked = ManualEventForm(forms.text(form, BUTTON), form.get("token", ""))
    problem = forms.line_problem(asked.button, BUTTON_MAX, needed=False)
    if problem is not None:
        asked.errors[BUTTON] = problem
    if not TOKEN.fullmatch(asked.token):
        asked.token = secrets.token_hex(16)
        asked.errors[""] = _("The form couldn't be read. Submit it again.")
    return asked


def offered(scope: Scope, row: ActivityRow) -> EventType | None:
    """Return the type that a button on the activity records; None where there is none.

    The viewer must be one who makes rules. Calls and e-mails have no such type; an administrator may have
    kept it from rules; and a file ends with its last event, so that nothing is added to what it tells.
    """
    if not (scope.can(Permission.RULES_OWN) or scope.can(Permission.RULES_EDIT)):
        return None
    type_ = catalog.find(f"{type_of(row.channel)}.manual")
    if type_ is None or not switches.in_rules(type_.name):
        return None
    return None if Source.get_by_id(row.source_id).is_file else type_


def record(viewer: User, row: ActivityRow, type_: EventType, asked: ManualEventForm) -> bool:
    """Record the event as one of the interaction's source, with an audit entry; say whether it is new.

    Its data has the latest values of the type's fields in the interaction's events, lengths of time left out,
    so that conditions and texts of rules have something to go by.
    """
    interaction = Interaction.get_by_id(row.interaction_id).external_id
    data = _known(type_, row.source_id, interaction)
    if asked.button:
        data[BUTTON] = asked.button
    contact = {"name": row.contact_name, "phone": row.contact_phone, "email": row.contact_email}
    event = NewEvent(
        id=f"manual:{viewer.id}:{asked.token}",
        type=type_.name,
        time_ms=clock.now_ms(),
        user=viewer.login,
        queue=Queue.get_by_id(row.queue_id).name if row.queue_id is not None else None,
        interaction=interaction,
        contact={name: text for name, text in contact.items() if text} or None,
        data=json.dumps(data, ensure_ascii=False),
    )
    with database.atomic():
        is_new = events.append(row.source_id, [event], makes=False).accepted == 1
        if is_new:
            details = {"type": type_.name, "activity": row.id, BUTTON: asked.button}
            audit.record(
                "manual_event.recorded", "c", ("interaction", interaction, interaction), details=details
            )
    return is_new


def _known(type_: EventType, source_id: int, interaction: str) -> dict[str, Any]:
    wanted = {name for name, each in type_.by_name.items() if each.kind not in LENGTHS}
    wanted = wanted - {BUTTON} | {"custom"}  # a source's own fields
    e = Event
    query = e.select(e.data).where((e.source_id == source_id) & (e.interaction == interaction))
    known: dict[str, Any] = {}
    for (data,) in query.order_by(e.id).tuples():
        known |= {name: value for name, value in json.loads(data).items() if value is not None}
    return {name: value for name, value in known.items() if name in wanted}
