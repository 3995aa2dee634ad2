"""What a user with a role sees: menu, users and queues."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from flask import abort
from flask_babel import gettext as _
from flask_babel import ngettext

from dashboard.access import scope as scopes
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.i18n import formats
from dashboard.models import Access, Queue, User
from dashboard.pages.settings.accesses.queries import Holder
from dashboard.web import lists, nav

MOST = 20  # names that are listed


class Preview(NamedTuple):
    person: Holder | None  # none: somebody who has the role and leads no team
    others: list[tuple[str, str]]  # login and name of all who have it
    menu: list[tuple[str, str]]  # sections with their pages
    users: str
    queues: str
    contacts: str


def of_role(viewer: Scope, role: Access, holders: Iterable[Holder], login: str) -> Preview:
    """Return what the active holder `login` sees, the first one by default; 404 for any other login."""
    active = [each for each in holders if each.deactivated_ts is None]
    person = next((each for each in active if login in ("", each.login)), None)
    if login and person is None:
        abort(404)
    user = User.get_by_id(person.id) if person else User(id=0, access=role)
    seen = scopes.of_user(user)
    return Preview(
        person,
        [(each.login, each.name) for each in active],
        [(label, formats.listed(pages)) for label, pages in nav.opened(seen.permissions).items()],
        _users(viewer, seen),
        _queues(seen),
        _("In full") if seen.can(Permission.PII_UNMASK) else _("Masked"),
    )


def _users(viewer: Scope, seen: Scope) -> str:
    if seen.users is None:
        return str(_("All users"))
    shown = seen.users | ({seen.viewer_id} if seen.viewer_id else set())
    known = User.select(User.name).where(User.id.in_(sorted(shown)) & viewer.allows(User.id))
    names = [name for (name,) in known.tuples()]
    return _listed(names, len(shown) - len(names)) or str(_("Own data only"))


def _queues(seen: Scope) -> str:
    if seen.queues is None:
        return str(_("All queues"))
    query = Queue.select(Queue.label).where(Queue.id.in_(sorted(seen.queues)))
    return _listed([label for (label,) in query.tuples()], 0) or str(_("Only those of own work"))


def _listed(names: Sequence[str], hidden: int) -> str:
    """Return names in the order of the reader's language, and how many more there are."""
    ordered = lists.by_name(names, str)
    more = len(ordered[MOST:]) + hidden
    return formats.listed(ordered[:MOST] + ([ngettext("%(num)d more", "%(num)d more", more)] if more else []))
