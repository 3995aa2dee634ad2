"""The types of pauses: paid or not, and how long they may be. No personal data: no scope."""

from __future__ import annotations

from typing import Any, ClassVar

from flask import Blueprint
from flask_babel import gettext as _
from flask_babel import ngettext

from dashboard.access.permissions import Permission
from dashboard.i18n import formats
from dashboard.i18n.message import N_
from dashboard.models import PauseType
from dashboard.web.columns import STATE, Column, Texts
from dashboard.web.fields import Check, NamedForm, TextLine, WholeNumber
from dashboard.web.resource import Resource

MINUTES_MAX = 1440


class Minutes(WholeNumber):
    """A whole number of minutes, stored as seconds; a stored part of a minute counts as a whole one."""

    @property
    def value(self) -> Any:
        if self.raw_data or self.data is None:
            return super().value
        return -(-self.data // 60)

    def process_formdata(self, valuelist: list[Any]) -> None:
        super().process_formdata(valuelist)
        if self.data is not None:
            self.data *= 60


class PauseTypeForm(NamedForm):
    name = TextLine(
        N_("Name in events"),
        120,
        hint=N_(
            "Must match the name used by the source. Other pauses are unpaid unless the "
            "source marks them as paid."
        ),
    )
    label = TextLine(
        N_("Label"), 200, required=False, hint=N_("Shown in the app. Leave empty to use the name.")
    )
    paid = Check(
        N_("Paid pause"),
        hint=N_("Applies to new pauses. If the source marks a pause, the source takes precedence."),
    )
    max_seconds = Minutes(
        N_("Maximum duration (minutes)"),
        1,
        MINUTES_MAX,
        needed=False,
        name="minutes",
        hint=N_("Leave empty for no limit."),
    )


class PauseTypes(Resource[PauseTypeForm]):
    model = PauseType
    kind = "pause_type"
    form_class = PauseTypeForm
    view = Permission.PAUSES_VIEW
    edit_permission = Permission.PAUSES_EDIT
    name_field = "label"
    texts = Texts(
        title=N_("Pause types"),
        one=N_("Pause type"),
        new=N_("New pause type"),
        table=N_("Table of pause types"),
        count=lambda number: ngettext("%(num)d pause type", "%(num)d pause types", number),
        no_match=N_("No matching pause types"),
        none=N_("No pause types yet"),
        none_hint=N_("Without pause types, pauses are unpaid unless the source marks them as paid."),
        taken=N_("A pause type with this name already exists."),
        leave=(
            N_("The type is removed from lists. Existing pauses keep it."),
            N_("Events that mention it are still accepted."),
        ),
        include=N_("Include deactivated types"),
        picture="pause",
    )
    labels: ClassVar = {"max_seconds": N_("Maximum duration (seconds)")}
    columns = (
        Column("label", N_("Label")),
        Column("name", N_("Name in events"), css="p2", cell_css="mono"),
        Column(
            "paid",
            N_("Paid or unpaid"),
            lambda row: row.paid,
            lambda row: _("Paid pause") if row.paid else _("Unpaid pause"),
        ),
        Column(
            "max",
            N_("Maximum duration"),
            lambda row: row.max_seconds,
            lambda row: formats.duration(row.max_seconds),
            css="n p2",
        ),
        STATE,
    )

    def below(self, row: PauseType) -> str:
        return row.name

    def saved_text(self, row: PauseType, form: PauseTypeForm) -> str:
        if form.paid.data == row.paid:
            return super().saved_text(row, form)
        return str(
            _(
                "Saved. The paid setting applies to new pauses. To apply it to earlier pauses "
                "that the source didn't mark, run “flask rebuild”."
            )
        )


bp = Blueprint("pauses", __name__, url_prefix="/pauses")
PauseTypes(bp)
