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
            "Exactly as the source writes it. A pause with another name is unpaid, unless its source marks "
            "it paid."
        ),
    )
    label = TextLine(
        N_("Label"), 200, required=False, hint=N_("Shown on pages; left empty, the name is shown.")
    )
    paid = Check(
        N_("Paid pause"),
        hint=N_("Holds for pauses from now on. What the source says of a pause goes before it."),
    )
    max_seconds = Minutes(
        N_("Maximum duration, minutes"),
        1,
        MINUTES_MAX,
        needed=False,
        name="minutes",
        hint=N_("Left empty, there is no limit."),
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
        no_match=N_("No pause type matches"),
        none=N_("No pause types yet"),
        none_hint=N_("Without types every pause is unpaid, unless its source marks it paid."),
        taken=N_("There is a pause type of this name already."),
        leave=(
            N_("The type leaves the lists. Pauses that had it stay."),
            N_("Events that name it are still taken."),
        ),
        include=N_("Include deactivated types"),
        picture="pause",
    )
    labels: ClassVar = {"max_seconds": N_("Maximum duration, seconds")}
    columns = (
        Column("label", N_("Label")),
        Column("name", N_("Name in events"), css="p2", cell_css="mono"),
        Column(
            "paid",
            N_("Pay"),
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
                "Saved. The pay holds for pauses from now on. For earlier ones that their source did not "
                "mark, “flask rebuild” applies it."
            )
        )


bp = Blueprint("pauses", __name__, url_prefix="/pauses")
PauseTypes(bp)
