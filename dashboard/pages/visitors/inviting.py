"""Inviting a visitor by hand: what the form says, why somebody can't be invited, and the invitation."""

from __future__ import annotations

from typing import NamedTuple

from flask import g, request
from flask_babel import gettext as _

from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.i18n import site_locale, translator
from dashboard.i18n.message import N_
from dashboard.models import Visit
from dashboard.pages.visitors.queries import VisitRow
from dashboard.settings import LOCALES
from dashboard.sources.declared.visits import visitor_name
from dashboard.visitors import invitations

TEXT_MAX = 500
TEXT = N_("Hello, can I help you with anything? I will be glad to answer you in a chat.")


class InviteForm(NamedTuple):
    """The language and the text of an invitation, and what is wrong with them."""

    language: str
    text: str
    error: str | None


class Box(NamedTuple):
    """The words of the box on the page."""

    title: str
    accept: str
    decline: str
    note: str


def read(visit: VisitRow) -> InviteForm:
    """Return the form as sent, or as it begins: the usual text in the visitor's language."""
    own = visit.language.partition("-")[0].lower()
    language = request.form.get("language", own if own in LOCALES else site_locale())
    if language not in LOCALES:
        return InviteForm(site_locale(), "", str(_("Choose one of the languages.")))
    text = request.form.get("text", "").strip() or translator(language)(TEXT)
    too_long = str(_("At most %(most)s characters.", most=TEXT_MAX)) if len(text) > TEXT_MAX else None
    return InviteForm(language, text, too_long)


def box(language: str) -> Box:
    say = translator(language)
    words = (invitations.TITLE, invitations.ACCEPT, invitations.DECLINE, invitations.NOTE)
    return Box(*(say(each) for each in words))


def refusal(visit: VisitRow) -> str:
    """Return why a visitor can't be invited now, "" for one who can."""
    why = invitations.obstacle(Visit.get_by_id(visit.id), again=False)
    return str(_(why)) if why else ""


def send(visit: VisitRow, form: InviteForm) -> bool:
    """Invite the visitor and record the act; False for who was invited meanwhile, or is away."""
    with database.atomic():
        made = invitations.invite(visit.id, {form.language: form.text}, user_id=g.user.id)
        if made is None:
            return False
        label = visitor_name(visit.browser, visit.contact, False)
        audit.record("visitor.invited", "c", ("visit", visit.id, label), details={"text": form.text})
    return True
