"""The menu: what this access may open, and nothing else."""

from __future__ import annotations

from typing import Any, NamedTuple

from flask import Flask, current_app, g, request, url_for
from flask_babel import gettext as _
from flask_wtf.csrf import generate_csrf

from dashboard import clock
from dashboard.access.permissions import Permission
from dashboard.db.prepared import Prepared, slot
from dashboard.i18n import LOCALES
from dashboard.i18n.formats import CAP, language
from dashboard.i18n.message import N_
from dashboard.models import Notification
from dashboard.web import assets


def _unread() -> Any:
    n = Notification
    awake = n.snoozed_ms.is_null() | (n.snoozed_ms <= slot("now"))
    return n.select(n.user_id).where((n.user_id == slot("user")) & n.read_ms.is_null() & awake).limit(CAP)


_UNREAD = Prepared(_unread)


def unread(user_id: int) -> int:
    """Count the user's unread notifications up to CAP; one that is snoozed counts as read until then."""
    return len(_UNREAD.rows(user=user_id, now=clock.now_ms()))


class Entry(NamedTuple):
    group: str
    label: str
    endpoint: str
    icon: str
    permission: Permission
    others: tuple[Permission, ...] = ()  # each of which is enough, too


class Item(NamedTuple):
    label: str
    url: str
    icon: str
    current: bool
    news: bool = False  # it shows how many notifications are new


P = Permission
INBOX = "inbox.index"
MENU = (
    Entry("", N_("Home"), "home.index", "home", P.SELF),
    Entry("", N_("Notifications"), INBOX, "bell", P.SELF),
    Entry(N_("Monitoring"), N_("User tracing"), "tracing.index", "tracing", P.SELF),
    Entry(N_("Monitoring"), N_("Team day"), "teamday.index", "team", P.TRACING_VIEW),
    Entry(N_("Monitoring"), N_("Interactions"), "interactions.index", "queue", P.QUEUES_FIGURES),
    Entry(N_("Monitoring"), N_("Figures"), "figures.index", "report", P.QUEUES_FIGURES),
    Entry(N_("Monitoring"), N_("Queue figures"), "queuedays.show", "report", P.QUEUES_FIGURES),
    Entry(N_("Automation"), N_("Rules"), "rules.index", "bolt", P.RULES_OWN, (P.RULES_VIEW, P.RULES_OVERSEE)),
    Entry(N_("Automation"), N_("Operations"), "operations.index", "ready", P.RULES_OPERATE),
    Entry(N_("Settings"), N_("System events"), "systemevents.index", "switch", P.SYSTEM_EVENTS_VIEW),
    Entry(N_("Settings"), N_("Channels"), "channels.index", "chat", P.CHANNELS_VIEW),
    Entry(N_("Settings"), N_("Users"), "users.index", "users", P.USERS_VIEW),
    Entry(N_("Settings"), N_("Teams"), "teams.index", "team", P.TEAMS_VIEW),
    Entry(N_("Settings"), N_("Queues"), "queues.index", "queue", P.QUEUES_VIEW),
    Entry(N_("Settings"), N_("Pause types"), "pauses.index", "pause", P.PAUSES_VIEW),
    Entry(N_("Settings"), N_("Calendars"), "calendars.index", "clock", P.CALENDARS_VIEW),
    Entry(N_("Settings"), N_("Roles"), "accesses.index", "shield", P.ACCESSES_VIEW),
    Entry(N_("Settings"), N_("API keys"), "keys.index", "key", P.KEYS_VIEW),
)


def init(app: Flask) -> None:
    @app.context_processor
    def shell() -> dict[str, Any]:
        return {
            "viewer": _viewer(),
            "nav": menu(app) if g.get("user") is not None else [],
            "news": _news,
            "locales": _locales(),
            "site_name": _("Contact centre"),
            "csrf_token": generate_csrf,
            "lang": language(),
            "htmx_src": assets.htmx_src(),
        }


def menu(app: Flask) -> list[tuple[str | None, list[Item]]]:
    """Return the groups of the menu with the entries that exist and that the scope allows."""
    groups: dict[str, list[Item]] = {}
    for entry in MENU:
        if entry.endpoint in app.view_functions and _may(entry):
            current = request.endpoint == entry.endpoint or (
                request.blueprint == entry.endpoint.partition(".")[0] and _sole(entry)
            )
            shows = entry.endpoint == INBOX
            item = Item(_(entry.label), url_for(entry.endpoint), entry.icon, current, shows)
            groups.setdefault(entry.group, []).append(item)
    return [(_(group) if group else None, items) for group, items in groups.items()]


def _may(entry: Entry) -> bool:
    return any(g.scope.can(permission) for permission in (entry.permission, *entry.others))


def _sole(entry: Entry) -> bool:
    """A blueprint with two entries marks only the one that is open."""
    name = entry.endpoint.partition(".")[0]
    twins = [other for other in MENU if other.endpoint.partition(".")[0] == name]
    return len(twins) == 1 or (entry is twins[-1] and request.endpoint not in {t.endpoint for t in twins})


def _news() -> int:
    """Return how many notifications the viewer has not read, asked once a request."""
    if "news" not in g:
        g.news = unread(g.user.id)
    return int(g.news)


def _viewer() -> Any:
    user = g.get("user")
    if user is None:
        return None
    return {"name": user.name, "access_name": _(user.access.name), "login": user.login}


def _locales() -> list[tuple[str, str, str, bool]]:
    here = request.full_path.rstrip("?") if request.method == "GET" else "/"
    now = language()
    return [
        (code, name, url_for("signin.language", code=code, next=here), code == now)
        for code, name in LOCALES.items()
        if "signin.language" in current_app.view_functions
    ]
