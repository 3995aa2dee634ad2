"""Starter rules: added disabled, to be read, changed and enabled.

Names and texts are in the language of the user who adds them. Source: the starter set of the editor.
"""

from __future__ import annotations

from collections.abc import Callable

from flask_babel import force_locale, gettext

from dashboard.access import scope as scopes
from dashboard.access.permissions import Permission
from dashboard.catalog import CATALOG
from dashboard.db import database
from dashboard.models import Rule, User
from dashboard.models.notify import Calendar
from dashboard.rulelang.actions import ACTIONS, texts
from dashboard.rules import import_export
from dashboard.rules.starter_rules import STARTERS, Starter
from dashboard.settings import LOCALES


def drafts(
    translate: Callable[[str], str], personal: bool = False, calendar: str = "", outward: bool = True
) -> list[Starter]:
    """Return the set in the language of `translate`; of `personal` rules those that suit one's own.

    With the name of a `calendar` idle time is counted in its working time. Not `outward` leaves out what
    writes to people outside the organisation.
    """
    return [_translated(each, translate, calendar) for each in _suiting(personal, outward)]


def make(author_id: int, owner_id: int | None, locale: str) -> list[Rule]:
    """Add the rules of the set that are not there yet, switched off, and return them.

    They become the site's, or `owner_id`'s own, with names in `locale`. What is there is known by its name
    in any of the languages, so that adding twice adds nothing. An author who may not let rules call out
    gets none that does.
    """
    outward = scopes.of_user(User.get_by_id(author_id)).can(Permission.RULES_OUTWARD)
    with database.atomic():
        mine = Rule.owner_id.is_null() if owner_id is None else Rule.owner_id == owner_id
        there = {row[0] for row in Rule.select(Rule.name).where(mine).tuples()}
        calendar = Calendar.select(Calendar.name).order_by(Calendar.name).limit(1).scalar() or ""
        suit = [each for each in _suiting(owner_id is not None, outward) if not there & _names(each)]
        with force_locale(locale):
            found = [_translated(each, gettext, calendar) for each in suit]
        rows = [import_export.built_in(*each[:3]) for each in found]
        return import_export.add(rows, author_id, owner_id, origin="starter")


def _suiting(personal: bool, outward: bool) -> list[Starter]:
    allowed = [each for each in STARTERS if outward or not _is_outward(each)]
    return [each for each in allowed if not personal or _is_personal(each)]


def _is_personal(starter: Starter) -> bool:
    types = starter.definition["types"]
    return not _is_outward(starter) and all(CATALOG[name].level == "personal" for name in types)


def _is_outward(starter: Starter) -> bool:
    return any(not ACTIONS[action["do"]].inside for action in starter.definition["then"])


def _names(starter: Starter) -> set[str]:
    found = set()
    for locale in LOCALES:
        with force_locale(locale):
            found.add(str(gettext(starter.name)))
    return found


def _translated(starter: Starter, translate: Callable[[str], str], calendar: str) -> Starter:
    raw = dict(starter.definition)
    if "after" in raw and calendar:
        raw["after"] = {**raw["after"], "calendar": calendar}
    raw["then"] = [
        {**action, **{key: str(translate(action[key])) for key in texts(action) if key in action}}
        for action in raw["then"]
    ]
    return starter._replace(
        name=str(translate(starter.name)), description=str(translate(starter.description)), definition=raw
    )
