"""The form of a correction: which stretch, what it should be, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from flask_babel import gettext as _

from dashboard import clock
from dashboard.ingest.corrections import Wanted
from dashboard.models import PauseType
from dashboard.tracing.corrections import KINDS, NAMES, Stretch
from dashboard.tracing.types import Kind
from dashboard.web import forms

REASON_MAX = 200
YEARS = range(1971, 9999)


@dataclass
class CorrectionForm:
    """What the form says; `was` names a stretch as `key` does, "" for a missing one."""

    kind: Kind = Kind.LOGIN
    was: str = ""
    start: str = ""
    end: str = ""
    pause: str = ""
    reason: str = ""
    errors: dict[str, str] = field(default_factory=dict)


def key(kind: Kind, part: Stretch) -> str:
    return f"{NAMES[kind]}-{part.start}-{part.end}"


def local(ts: int, zone: str) -> str:
    """Return an instant as a field of date and time shows it."""
    return datetime.fromtimestamp(ts, clock.zone(zone)).strftime("%Y-%m-%dT%H:%M:%S")


def filled(
    args: Mapping[str, str], counted: Mapping[Kind, Sequence[Stretch]], zone: str
) -> CorrectionForm | None:
    """Return the form for the stretch of the address, or an empty one to add a missing one, else None."""
    if (kind := KINDS.get(args.get("add", ""))) is not None:
        return CorrectionForm(kind)
    for kind, parts in counted.items():
        for part in parts:
            if key(kind, part) == args.get("was"):
                times = (local(part.start, zone), local(part.end, zone))
                return CorrectionForm(kind, key(kind, part), *times, part.pause)
    return None


def parse(
    sent: Mapping[str, str], counted: Mapping[Kind, Sequence[Stretch]], zone: str
) -> tuple[CorrectionForm, Wanted | None]:
    """Return the form as sent, and what it asks for, None with errors by field."""
    form = CorrectionForm(
        KINDS.get(sent.get("kind", ""), Kind.LOGIN),
        forms.text(sent, "was"),
        forms.text(sent, "from"),
        forms.text(sent, "to"),
        forms.text(sent, "pause"),
        forms.text(sent, "reason"),
    )
    known = {key(form.kind, part): part for part in counted.get(form.kind, ())}
    was = known.get(form.was)
    if form.was and was is None:
        form.errors["was"] = _("This stretch has changed meanwhile. Choose it again.")
    problem = forms.line_problem(form.reason, REASON_MAX)
    if problem is not None:
        form.errors["reason"] = problem
    now = None if sent.get("act") == "remove" else _stretch(form, was, zone)
    return form, None if form.errors else Wanted(form.kind, was, now, form.reason)


def _stretch(form: CorrectionForm, was: Stretch | None, zone: str) -> Stretch | None:
    start = _instant(form, "from", form.start, was.start if was else None, zone)
    end = _instant(form, "to", form.end, was.end if was else None, zone)
    paid = was.paid if was and was.pause == form.pause else False
    if form.kind is Kind.PAUSE and not (was and was.pause == form.pause):
        chosen = PauseType.get_or_none(PauseType.name == form.pause)
        if chosen is None:
            form.errors["pause"] = _("Choose a pause type.")
        else:
            paid = chosen.paid
    pause = form.pause if form.kind is Kind.PAUSE else ""
    return Stretch(start, end, pause, paid) if start is not None and end is not None else None


def _instant(form: CorrectionForm, name: str, text: str, known: int | None, zone: str) -> int | None:
    """Return the instant of a local time; the one that counts now where the field was left as it was."""
    if known is not None and text == local(known, zone):
        return known
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is None and at.year in YEARS:
            return clock.resolve(at, zone, end=name == "to")
    except ValueError:
        pass
    form.errors[name] = _("Enter date and time, such as 2026-11-27T16:30.")
    return None
