"""What pages and files say about corrections: what was recorded, what counts, why and who says so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from flask_babel import gettext as _

from dashboard.exports.table import Column, Kind, Row, Sheet
from dashboard.i18n import formats
from dashboard.models import PauseType, User
from dashboard.tracing.corrections import Correction, Stretch
from dashboard.tracing.types import Kind as Interval


class CorrectionText(NamedTuple):
    """A correction in words; `taken_back` is empty while it counts."""

    id: str
    what: str
    was: str
    now: str
    reason: str
    by: str
    at: str
    taken_back: str

    @property
    def line(self) -> str:
        return f"{self.what}: {self.was} → {self.now} ({self.reason})"


def texts(corrections: Sequence[Correction], zone: str) -> list[CorrectionText]:
    """Return the corrections in words, in the order of their making."""
    if not corrections:
        return []
    people = {
        login for one in corrections for login in (one.by, one.taken_back and one.taken_back.by) if login
    }
    names = dict(User.select(User.login, User.name).where(User.login.in_(sorted(people))).tuples())
    pauses = dict(PauseType.select(PauseType.name, PauseType.label).tuples())
    return [_text(one, zone, names, pauses) for one in corrections]


def stretch(part: Stretch | None, zone: str, pauses: dict[str, str]) -> str:
    """Return 08:00:00–16:30:00, with the date of an end on another day, and the name of a pause."""
    if part is None:
        return "–"
    start, end = formats.stamp(part.start, zone), formats.day_clock(part.end, zone, part.start)
    return " ".join(text for text in (f"{start} – {end}", pauses.get(part.pause, part.pause)) if text)


def _text(one: Correction, zone: str, names: dict[str, str], pauses: dict[str, str]) -> CorrectionText:
    back = one.taken_back
    said = (
        _(
            "Taken back by %(name)s on %(time)s: %(reason)s",
            name=names.get(back.by, back.by),
            time=formats.stamp(back.at, zone),
            reason=back.reason,
        )
        if back
        else ""
    )
    return CorrectionText(
        one.id,
        _("Signed in") if one.kind is Interval.LOGIN else _("Pause"),
        stretch(one.was, zone, pauses),
        stretch(one.now, zone, pauses),
        one.reason,
        names.get(one.by, one.by),
        formats.stamp(one.at, zone),
        said,
    )


def sheet(rows: Sequence[tuple[str, CorrectionText]]) -> Sheet:
    """Return the sheet of corrections of a file; each row with its user's name."""
    columns = (
        Column("user", _("User"), Kind.TEXT, 20),
        Column("what", _("What"), Kind.TEXT, 12),
        Column("was", _("Recorded"), Kind.TEXT, 32),
        Column("now", _("Corrected to"), Kind.TEXT, 32),
        Column("reason", _("Reason"), Kind.TEXT, 28),
        Column("by", _("Author"), Kind.TEXT, 18),
        Column("at", _("Made at"), Kind.TEXT, 20),
        Column("taken_back", _("Taken back"), Kind.TEXT, 28),
    )
    return Sheet(_("Corrections"), columns, (_row(user, text) for user, text in rows))


def _row(user: str, text: CorrectionText) -> Row:
    return (user, text.what, text.was, text.now, text.reason, text.by, text.at, text.taken_back)
