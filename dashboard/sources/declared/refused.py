"""The data source of refused events: a row is a record that a source sent and that is no event."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from flask_babel import gettext as _

from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.i18n.message import N_, Message
from dashboard.sources.types import Entity, Field, Source, Type


def errors_of(stored: str) -> dict[str, str]:
    """Return what is wrong with a record, by field, in the reader's language."""
    return {name: Message.from_json(each).render(_) for name, each in json.loads(stored).items()}


def _texts(_scope: Scope, values: Collection[Any] | None) -> Mapping[Any, str]:
    lines = {value: errors_of(value).items() for value in values or ()}
    return {value: "; ".join(f"{name}: {why}" for name, why in found) for value, found in lines.items()}


REFUSED = Source(
    "refused_events",
    '"refused_event" r',
    (
        Entity(
            "refused_event",
            N_("Refused event"),
            N_("Refused events"),
            "r.id",
            (
                Field("time", N_("Received at"), Type.MOMENT, "r.recorded_ms", scale=1000),
                Field("source", N_("Source"), Type.SOURCE, "r.source_id"),
                Field("file", N_("File"), Type.TEXT, "r.file"),
                Field("line", N_("Line"), Type.NUMBER, "r.line"),
                Field("errors", N_("What is wrong"), Type.TEXT, "r.errors", texts=_texts),
                Field("text", N_("Record"), Type.TEXT, "r.text"),
                Field("id", N_("Number"), Type.ID, "r.id"),
            ),
        ),
    ),
    moment="time",
    grain=N_("One row is one record that was not stored. Contact details in it are masked."),
    permission=Permission.KEYS_VIEW,
    unlimited=True,
)
