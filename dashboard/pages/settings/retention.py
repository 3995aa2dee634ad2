"""How long each kind of data is kept: what a choice deletes is shown before it can be saved."""

from __future__ import annotations

from typing import Any, NamedTuple

from flask import Blueprint, Response, flash, make_response, redirect, request, url_for
from flask_babel import gettext as _

from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.audit import record as audit
from dashboard.db import database, pieces
from dashboard.events import kept
from dashboard.events.kept import Days, Kept
from dashboard.i18n import formats, site_zone
from dashboard.retention.kinds import KINDS, MOST, RetentionKind, Stock
from dashboard.retention.nightly import TARGET
from dashboard.web import forms
from dashboard.web.fields import Form, WholeNumber
from dashboard.web.page import render

BY_NAME = {kind.kept.value: kind for kind in KINDS}
LONGER = {Kept.CONTENT: Kept.EVENTS, Kept.EVENTS: Kept.INTERVALS}  # kinds that are kept no longer than others

bp = Blueprint("retention", __name__, url_prefix="/settings/retention")


class RetentionRow(NamedTuple):
    field: Any
    stock: Stock
    oldest: str


def _days(kind: RetentionKind) -> WholeNumber:
    return WholeNumber(kind.label, kind.least, MOST, needed=not kind.may_stay, hint=kind.hint)


class RetentionForm(Form):
    """The days of each kind."""

    def validate(self, extra_validators: Any = None) -> bool:
        if not super().validate(extra_validators):
            return False
        for name, longer in LONGER.items():
            days, most, kind = self[name].data, self[longer].data, _(BY_NAME[longer].label)
            if most is not None and (days is None or days > most):
                number = formats.number(most)
                self.reject(name, _("At most %(num)s days, like %(kind)s.", num=number, kind=kind))
        return not self.problems


for _kind in KINDS:
    setattr(RetentionForm, _kind.kept, _days(_kind))


@bp.get("")
@require(Permission.RETENTION_EDIT)
def index() -> Response:
    """Show the periods, or those of the address with what they delete."""
    typed = any(kind in request.args for kind in Kept)
    return _page(_form(request.args if typed else None))


@bp.post("")
@require(Permission.RETENTION_EDIT)
def update() -> Response:
    form = _form(request.form)
    if not form.validate():
        return _page(form)
    values: Days = form.values()
    with database.atomic():
        before = kept.periods().days
        saved = kept.save(values, form.version.data)
        if saved and (changes := audit.differences(before, values)):
            audit.record("settings.updated", "u", TARGET, changes)
    if not saved:
        labels = {name: kind.label for name, kind in BY_NAME.items()}
        form.version.data = kept.periods().version
        return _page(form, forms.both(labels, before, values))
    flash(_("Saved."), "ok")
    return make_response(redirect(url_for(".index")))


def _form(given: Any) -> RetentionForm:
    periods = kept.periods()
    return RetentionForm(given, data={**periods.days, "version": periods.version})


def _page(form: RetentionForm, differing: list[forms.Both] | None = None) -> Response:
    stored = kept.periods()
    values = {name: form[name].data for name in form.names}
    problems = {} if form.validate() else form.problems
    return render(
        "retention/index.html",
        status=422 if problems or differing is not None else 200,
        differing=differing,
        problems=problems,
        form=form,
        rows=[_row(form, kind) for kind in KINDS],
        most=pieces.MOST,
        unsaved=not problems and (values != stored.days or differing is not None),
    )


def _row(form: RetentionForm, kind: RetentionKind) -> RetentionRow:
    field = form[kind.kept]
    stock = kind.stock(None if field.data is None or field.errors else kept.first_ms(field.data))
    oldest = "" if stock.oldest_ms is None else formats.stamp(stock.oldest_ms // 1000, site_zone())
    return RetentionRow(field, stock, oldest)
