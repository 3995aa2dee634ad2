"""The forms of an import: where the file belongs, and how it is read."""

from __future__ import annotations

import re

from flask_babel import gettext as _
from wtforms.validators import ValidationError

from dashboard.access import keys
from dashboard.i18n.message import N_
from dashboard.ingest import encodings
from dashboard.ingest.imports import source_removal
from dashboard.models import Event, Follow, Source
from dashboard.web.fields import Choice, Field, Form, TextLine, time_zone

FORMATS = {"queue_log": "Asterisk queue_log", "jsonl": N_("JSON lines"), "csv": "CSV"}
ENCODINGS = {
    "": N_("Detect"),
    **{name: encodings.shown(name) for name in ("utf-8", "utf-16", "cp932", "cp1250", "cp1252", "iso8859-2")},
}
KEPT = {"hx-preserve": "true"}  # what is typed while a fragment loads
_NOT_IN_NAME = re.compile(r"[^\w.-]+")


def _sources() -> list[str]:
    query = Source.select(Source.name).where(Source.is_file).order_by(Source.name).limit(100)
    return [name for (name,) in query.tuples()]


class UploadForm(Form):
    """What is said of a file when it is sent."""

    format = Choice(
        N_("Format"),
        {"": N_("Detect"), **FORMATS},
        problem=N_("Choose a format."),
    )
    source = TextLine(
        N_("Source"),
        120,
        needed=False,
        suggest=_sources,
        hint=N_("Events are stored under this name. Leave it empty to name a new source after the file."),
    )
    zone = time_zone(N_("Times without an offset are in"))

    def validate_source(self, field: Field) -> None:
        if keys.is_reserved(field.data):
            raise ValidationError(_(keys.RESERVED))
        source = Source.get_or_none(Source.name == field.data)
        if source is not None and source.id in source_removal.removed():
            raise ValidationError(_("This source is being deleted. Choose another name."))
        if source is not None and is_live(source):
            raise ValidationError(_("Events of this source come in live. Choose another name."))


class DraftForm(UploadForm):
    """How a file is read."""

    format = Choice(N_("Format"), FORMATS, problem=N_("Choose a format."))
    source = TextLine(N_("Source"), 120, suggest=_sources, attrs=KEPT)
    zone = time_zone(N_("Times without an offset are in"), attrs=KEPT)
    encoding = Choice(N_("Encoding"), ENCODINGS, problem=N_("Choose an encoding."))


def is_live(source: Source) -> bool:
    """Say whether events of a source come in by themselves; older parts of a followed log may be imported."""
    followed = Follow.select().where(Follow.source == source.id).exists()
    sent = Event.select(Event.id).where(Event.source_id == source.id).limit(1).exists()
    return not source.is_file and not followed and sent


def named_after(file: str) -> str:
    """Return the name of a source for a file."""
    stem = file.removesuffix(".gz").rpartition(".")
    return _NOT_IN_NAME.sub("-", stem[0] or stem[2]).strip("-.")[:60] or "import"


def clean_name(name: str | None) -> str:
    """Return the last part of a file's name, without what makes no single line."""
    last = re.split(r"[/\\]", name or "")[-1]
    return "".join(letter for letter in last if letter.isprintable())[:200] or "file"
