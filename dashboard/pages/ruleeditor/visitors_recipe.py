"""The recipe that invites idle visitors: one form for the rule, the idle time of the site and its chat."""

from __future__ import annotations

import re
from typing import Any

from flask import Response, abort, flash, g, make_response, redirect, request, url_for
from flask_babel import gettext as _
from wtforms.validators import ValidationError

from dashboard.access.guard import MissingPermission, require
from dashboard.access.permissions import Permission
from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.i18n import site_locale, translator
from dashboard.i18n.message import N_
from dashboard.models import Rule, Site
from dashboard.models.notify import Calendar
from dashboard.pages.ruleeditor import commands, queries, validation
from dashboard.pages.ruleeditor import form as rule_form
from dashboard.pages.ruleeditor.page import Editing
from dashboard.pages.ruleeditor.views import bp
from dashboard.rulelang.actions import MAX_INVITATION
from dashboard.rules import permissions, recipes
from dashboard.settings import LOCALES
from dashboard.visitors import invitations
from dashboard.visitors import sites as portals
from dashboard.web import forms
from dashboard.web.fields import Choice, ChoiceOfId, Duration, Field, Form, TextLine
from dashboard.web.page import render

NAME = N_("Invite idle visitors")
GREETING = N_("Hello, can we help you? We'll gladly answer in a chat.")
LANGUAGES = {"en": N_("Text in English"), "cs": N_("Text in Czech"), "ja": N_("Text in Japanese")}
ADDRESS_MAX = 2000  # characters
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
SITE_FIELDS = ("idle_s", "chat", "chat_url")  # kept by the site


def _text(locale: str) -> TextLine:
    return TextLine(
        LANGUAGES[locale],
        MAX_INVITATION,
        needed=False,
        element="textarea",
        attrs={"rows": 2, "lang": locale},
        default=lambda: translator(locale)(GREETING),
    )


class VisitorsForm(Form):
    idle_s = Duration(
        N_("Idle after"),
        portals.LEAST_IDLE_S,
        portals.MOST_IDLE_S,
        hint=N_("A setting of the web site. Applies to all rules."),
    )
    page = TextLine(
        N_("Only on pages whose address contains"),
        200,
        needed=False,
        hint=N_("Such as /prices. Leave empty for all pages."),
    )
    calendar = ChoiceOfId(
        N_("Only within the working hours of"),
        none=N_("At any hour"),
        problem=N_("Choose a calendar from the list."),
        hint=N_(
            "Rules don't check whether an agent is available. Choose hours when someone answers the chats."
        ),
    )
    text_en, text_cs, text_ja = map(_text, LANGUAGES)
    chat = Choice(N_("An accepted invitation opens"), invitations.CHATS, problem=N_("Choose what opens."))
    chat_url = TextLine(
        N_("Chat address"),
        ADDRESS_MAX,
        needed=False,
        attrs={"spellcheck": "false"},
        hint=N_("With the placeholders {visit}, {language}, {page} and {contact} where they are wanted."),
    )

    @property
    def texts(self) -> dict[str, str]:
        """Return the texts by language; under "" that of the instance's language, else the first there is."""
        found = {locale: str(self[f"text_{locale}"].data) for locale in LOCALES}
        default = found[site_locale()] or next(filter(None, found.values()), "")
        return {**found, "": default}

    def validate_text_en(self, field: Field) -> None:
        if not self.texts[""]:
            raise ValidationError(_("Enter the text in at least one language."))

    def validate_chat_url(self, field: Field) -> None:
        unknown = [name for name in _PLACEHOLDER.findall(field.data) if name not in invitations.PLACEHOLDERS]
        if unknown:
            raise ValidationError(_("There is no placeholder {%(name)s}.", name=unknown[0]))
        if (field.data or self.chat.data == "url") and not invitations.is_web_address(field.data):
            raise ValidationError(_("Enter an address that begins with https:// or http://."))


@bp.route("/recipes/visitors/<int:ident>", methods=["GET", "POST"])
@require(Permission.KEYS_EDIT)
def invite_visitors(ident: int) -> Response:
    """Show the form for a site; on POST add the rule, turned on where the viewer may, and set up the site."""
    for needed in (Permission.RULES_EDIT, Permission.RULES_OUTWARD):
        if not g.scope.can(needed):
            raise MissingPermission(needed)
    site: Site = forms.one(Site, ident)
    if ident not in dict(queries.sites(g.scope) or ()):
        abort(404)
    stored = {name: getattr(site, name) for name in SITE_FIELDS}
    form = VisitorsForm(request.form if request.method == "POST" else None, data=stored)
    form.calendar.offer(Calendar.select(Calendar.id, Calendar.name).order_by(Calendar.name).tuples())
    rule = _set_up(site, form) if request.method == "POST" and form.validate() else None
    if rule is not None:
        flash(_("Saved. The rule is on.") if rule.state == "on" else _("Saved. The rule is off."), "ok")
        return make_response(redirect(url_for("ruleeditor.edit", ident=rule.id), 303))
    status = 422 if request.method == "POST" else 200
    return render("ruleeditor/visitors.html", form=form, site=site, name=_(NAME), status=status)


def _set_up(site: Site, form: VisitorsForm) -> Rule | None:
    """Add the rule and change the site in one transaction; None with the reason on the form."""
    calendar = Calendar.get_by_id(form.calendar.data).name if form.calendar.data else ""
    typed = rule_form.typed(
        recipes.invitation(site.name, form.page.data, calendar, form.texts),
        name=f"{_(NAME)}: {site.name}"[: validation.NAME_MAX],
        list="system",
        position=queries.last_position(None) + 1,
        state="on" if permissions.can_switch(g.scope, None, "on") else "off",
        existing="new",
    )
    wanted, errors = validation.check(Editing(None, typed))
    if wanted is None:
        for text in dict.fromkeys(errors.values()):
            form.reject("", text)
        return None
    values: dict[str, Any] = {name: form[name].data for name in SITE_FIELDS}
    before = {name: getattr(site, name) for name in SITE_FIELDS}
    changes = {name: (before[name], values[name]) for name in SITE_FIELDS if before[name] != values[name]}
    with database.atomic():
        rule = commands.create(g.user.id, None, wanted, keep_draft=True)
        if changes:
            Site.update(version=Site.version + 1, **values).where(Site.id == site.id).execute()
            audit.record("site.updated", "u", ("site", site.id, site.name), changes)
    portals.forget()
    return rule
