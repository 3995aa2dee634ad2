"""The form of a mapping: one select per field of an event, and one per type that the sender writes.

It is another way to write the two texts of `connectors.mapped`, which are what is stored and checked: the
selects are read into these texts and filled from them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from dashboard import catalog, clock
from dashboard.i18n.message import N_
from dashboard.ingest import admission
from dashboard.ingest import body as bodies
from dashboard.ingest import data as payload
from dashboard.ingest.body import BodyError
from dashboard.ingest.connectors import mapped
from dashboard.ingest.connectors.fields import JsonObject
from dashboard.ingest.connectors.mapped import DATA, FIXED
from dashboard.ingest.connectors.reading import MAPPED, events
from dashboard.ingest.schema import Outcome, Refusal
from dashboard.ruletext.names import type_label
from dashboard.web import lists

LABELS = {
    "type": N_("Type"),
    "id": N_("ID"),
    "time": N_("Time"),
    "interaction": N_("Interaction"),
    "session": N_("Visit of a web site"),
    "user": N_("User"),
    "queue": N_("Queue"),
    "contact.name": N_("Contact name"),
    "contact.phone": N_("Contact phone"),
    "contact.email": N_("Contact email"),
}
NOT_SET = N_("Not set")
UNSET = {"id": N_("From the whole payload"), "time": N_("Time of arrival")}
EMPTY_ROWS = 3  # of data, and of types
MAX_SAMPLES = 20
MAX_VALUES = 12  # of the sample's types
SHOWN = ("id", "type", "user", "queue", "interaction", "session", "contact")
Choice = tuple[str, str]


class FieldRow(NamedTuple):
    """A field of an event: the ends of its controls' names, its label or its own name in data, its path or
    FIXED, the paths that are offered, and the fixed text."""

    key: str
    label: str
    name: str
    path: str
    choices: list[Choice]
    fixed: str


class TypeRow(NamedTuple):
    number: int
    value: str
    type: str


class MappingForm(NamedTuple):
    fields: list[FieldRow]
    data: list[FieldRow]
    types: list[TypeRow]
    event_types: list[tuple[str, list[Choice]]]  # by group


def samples(text: str) -> list[JsonObject]:
    """Return the payloads of a sample: an object or a list of objects. Raises BodyError for anything else."""
    _text, value = bodies.value(text.encode("utf-8", "replace"))
    found = value if isinstance(value, list) else [value]
    return [each for each in found if isinstance(each, dict)][:MAX_SAMPLES]


def read(sent: MultiDict[str, str]) -> dict[str, str]:
    """Return the texts of a mapping whose selects were sent."""
    fields = [(name, _chosen(sent, name)) for name in LABELS]
    own = [(sent.get(f"name.{n}", "").strip(), _chosen(sent, str(n))) for n in range(mapped.MAX_LINES)]
    fields += [(f"{DATA}{name}", path) for name, path in own if name or path]
    types = [(sent.get(f"value.{n}", "").strip(), sent.get(f"type.{n}", "")) for n in range(mapped.MAX_LINES)]
    return {
        "fields": mapped.lines((name, path) for name, path in fields if path or name.startswith(DATA)),
        "types": mapped.lines((value, type_) for value, type_ in types if type_),
    }


def _chosen(sent: MultiDict[str, str], key: str) -> str:
    """Return the path that was chosen for a field, or its fixed text in quotation marks."""
    path = sent.get(f"path.{key}", "")
    fixed = " ".join(sent.get(f"fixed.{key}", "").split())
    return f"{FIXED}{fixed}{FIXED}" if path == FIXED else path


def form(texts: Mapping[str, str], sample: str) -> MappingForm:
    """Return the selects of a mapping, with the paths and types of a sample that can be read."""
    try:
        payloads = samples(sample)
    except BodyError:
        payloads = []
    offered = mapped.paths(payloads)
    pairs = {name: dict(mapped.loose(texts.get(name, ""))) for name in ("fields", "types")}
    own = [(name.removeprefix(DATA), path) for name, path in pairs["fields"].items() if name.startswith(DATA)]
    seen = mapped.values(payloads, pairs["fields"].get("type", ""))[:MAX_VALUES]
    types = [*pairs["types"].items(), *((each, "") for each in seen if each not in pairs["types"])]
    return MappingForm(
        [_row(name, _(label), "", pairs["fields"].get(name, ""), offered) for name, label in LABELS.items()],
        [
            _row(str(n), "", name, path, offered)
            for n, (name, path) in enumerate([*own, *[("", "")] * EMPTY_ROWS])
        ],
        [TypeRow(n, *each) for n, each in enumerate([*types, *[("", "")] * EMPTY_ROWS])],
        _event_types(),
    )


def _row(key: str, label: str, name: str, path: str, offered: Mapping[str, str]) -> FieldRow:
    fixed = path[1:-1] if mapped.is_fixed(path) else ""
    choices = [("", _(UNSET.get(key, NOT_SET))), (FIXED, _("Fixed text"))]
    choices += [(each, f"{each} = {value}" if value else each) for each, value in offered.items()]
    if path and not mapped.is_fixed(path) and path not in offered:
        choices.append((path, path))
    return FieldRow(key, label, name, FIXED if mapped.is_fixed(path) else path, choices, fixed)


def _event_types() -> list[tuple[str, list[Choice]]]:
    """Return the types that a sender may send, by group."""
    found = []
    for group, label in catalog.GROUPS.items():
        named = [
            (type_.name, type_label(type_.name))
            for type_ in catalog.CATALOG.values()
            if type_.group == group and not type_.internal
        ]
        if named:
            found.append((str(_(label)), lists.by_name(named, lambda each: each[1])))
    return found


def preview(texts: Mapping[str, str], sample: str) -> str:
    """Return what becomes of each payload of a sample that is sent to the connector: the event as JSON, or
    why it is refused. Nothing is stored."""
    try:
        payloads = [json.dumps(each).encode() for each in samples(sample)]
    except BodyError as error:
        return str(error.message.render(_))
    now_ms = clock.now_ms()
    found = [
        each for body in payloads for each in events(MAPPED, texts, body, lambda *_at: ({}, None), now_ms)
    ]
    return "\n\n".join(map(_shown, found)) or str(_(payload.NOT_AN_OBJECT))


def _shown(found: Outcome) -> str:
    errors = found.errors if isinstance(found, Refusal) else admission.current().errors(found)
    if isinstance(found, Refusal) or errors:
        return "\n".join(f"{place}: {why.render(_)}" for place, why in errors.items())
    shown = {name: getattr(found, name) for name in SHOWN}
    shown |= {"time": clock.iso(found.time_ms // 1000, "UTC"), "data": json.loads(found.data)}
    text = json.dumps({name: value for name, value in shown.items() if value}, ensure_ascii=False, indent=2)
    return str(payload.cleaned(text))
