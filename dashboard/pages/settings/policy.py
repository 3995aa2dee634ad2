"""The versions of the monitoring policy. A version is never changed: it is what somebody has read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import peewee
from flask import Blueprint, g
from flask_babel import gettext as _
from flask_babel import ngettext

from dashboard import clock
from dashboard.access import policy
from dashboard.access.permissions import Permission
from dashboard.i18n import formats
from dashboard.i18n.message import N_
from dashboard.models import Policy, PolicyReading
from dashboard.settings import LOCALES
from dashboard.web.columns import Column, Texts, moment
from dashboard.web.fields import Form, TextLine
from dashboard.web.resource import Resource
from dashboard.web.versioned import InvalidError

TEXT_MAX = 10_000


class TextBlock(TextLine):
    """A text of several lines."""

    def pre_validate(self, form: Any) -> None:
        self.data = "\n".join(line.rstrip() for line in self.data.splitlines()).strip()
        if len(self.data) > self.most:
            raise ValueError(_("At most %(num)s characters.", num=formats.number(self.most)))


def _text(label: str) -> TextBlock:
    return TextBlock(label, TEXT_MAX, needed=False, element="textarea", attrs={"rows": 12})


class PolicyForm(Form):
    en = _text(N_("Text in English"))
    cs = _text(N_("Text in Czech"))
    ja = _text(N_("Text in Japanese"))


class Policies(Resource[PolicyForm]):
    model = Policy
    kind = "policy"
    form_class = PolicyForm
    view = Permission.POLICY_EDIT
    edit_permission = Permission.POLICY_EDIT
    name_field = "id"
    edits = False
    searches = False
    leaves = "delete"
    texts = Texts(
        title=N_("Monitoring policy"),
        one=N_("Monitoring policy"),
        new=N_("New version"),
        table=N_("Versions of the monitoring policy"),
        count=lambda number: ngettext("%(num)d version", "%(num)d versions", number),
        none=N_("No monitoring policy yet"),
        none_hint=N_(
            "Tell users why their work is recorded, what is recorded, who sees it and how long it is kept. "
            "Each user is shown the newest version until they acknowledge it."
        ),
        about=N_("Users see the newest version on My data and acknowledge that they read it."),
        add=N_("Publish"),
        picture="eye",
    )
    columns: ClassVar = (
        Column("id", N_("Version"), lambda row: row.id, lambda row: formats.number(row.id)),
        Column("text", N_("Text"), show=lambda row: policy.text(row, formats.language())[:200], sorts=False),
        moment("created", N_("Published"), "created_ts", "p2"),
        Column("by", N_("Author"), lambda row: row.created_by, css="p2"),
        Column(
            "read", N_("Read by"), lambda row: row.readers, lambda row: formats.number(row.readers), css="n"
        ),
    )

    def rows(self, gone: bool) -> Iterable[Any]:
        """Return the versions, each with the number of its readers."""
        r = PolicyReading
        readers = dict(r.select(r.policy, peewee.fn.COUNT(r.user)).group_by(r.policy).tuples())
        found = list(Policy.select())
        for row in found:
            row.readers = readers.get(row.id, 0)
        return found

    def insert(self, form: PolicyForm, context: Any) -> Policy:
        texts = {code: form[code].data for code in LOCALES}
        if not any(texts.values()):
            raise InvalidError("en", _("Enter the text in at least one language."))
        made: Policy = Policy.create(texts=texts, created_ts=clock.now_s(), created_by=g.user.login)
        return made

    def removing(self, row: Policy, context: Any) -> None:
        if PolicyReading.select().where(PolicyReading.policy == row.id).exists():
            raise InvalidError("", _("Somebody has read this version, so it stays."))


bp = Blueprint("policy", __name__, url_prefix="/settings/policy")
Policies(bp)
