"""The sections of the application and their pages: the only place that lists them.

A page appears with its view, for whoever the view admits. A request belongs to the page with the longest path
that its own path begins with.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any, NamedTuple

from flask import Flask, current_app, g, request, url_for
from flask_babel import gettext as _
from flask_wtf.csrf import generate_csrf
from peewee import Select, fn

from dashboard import clock
from dashboard.access import policy
from dashboard.access.guard import cookie_name
from dashboard.access.permissions import Permission
from dashboard.audit import nightly
from dashboard.db.prepared import Prepared, slot
from dashboard.i18n.formats import CAP, language
from dashboard.i18n.message import N_
from dashboard.models import Notification, Profile, User
from dashboard.settings import LOCALES
from dashboard.web import assets, lists


def _unread() -> Any:
    n = Notification
    awake = n.snoozed_ms.is_null() | (n.snoozed_ms <= slot("now"))
    p = Profile
    silent = p.select(p.id).where((p.user_id == slot("user")) & p.is_default & ~p.screen)
    mine = (n.user_id == slot("user")) & n.read_ms.is_null() & awake & ~fn.EXISTS(silent)
    return Select([n.select(n.user_id).where(mine).limit(CAP)], [fn.COUNT(1)])


_NOTICES = Prepared(
    lambda: User.select(_unread(), policy.reader_of_newest(slot("user")), nightly.proof_text()).where(
        User.id == slot("user")
    )
)


class Notices(NamedTuple):
    """What every page says of its viewer and the site.

    `unread` counts notifications up to CAP; one that is snoozed counts as read until then, and none counts
    for a user whose profile has them off on screen. `policy_due`: the viewer has not read the newest
    monitoring policy. `proof` is the latest verification of the audit log.
    """

    unread: int
    policy_due: bool
    proof: nightly.Proof | None


def notices() -> Notices:
    """Return the notices to the signed-in viewer, read once a request."""
    if "notices" not in g:
        ((number, reader, text),) = _NOTICES.rows(user=g.user.id, now=clock.now_ms())
        g.notices = Notices(number, reader == 0, nightly.parsed(text))
    found: Notices = g.notices
    return found


class Page(NamedTuple):
    label: str
    endpoint: str
    group: str = ""  # its heading in the list of a section with `listed`
    also: tuple[str, ...] = ()  # first parts of paths that belong to it besides its own


class Section(NamedTuple):
    label: str
    icon: str
    pages: tuple[Page, ...]
    listed: bool = False  # its pages stand in a list at the left, not in tabs


INBOX = "inbox.index"
PEOPLE, CENTRE, SOURCES = N_("People and roles"), N_("Contact centre"), N_("Sources and keys")
SECTIONS = (
    Section(N_("Now"), "home", (Page(N_("Home"), "home.index"),)),
    Section(
        N_("People"),
        "users",
        (
            Page(N_("User tracing"), "tracing.index"),
            Page(N_("Team day"), "teamday.index"),
            Page(N_("Compare"), "teamday.compare"),
            Page(N_("Attendance"), "attendance.index"),
        ),
    ),
    Section(
        N_("Interactions"),
        "call",
        (
            Page(N_("Interactions"), "interactions.index"),
            Page(N_("User events"), "interactions.user_events"),
            Page(N_("Visitors"), "visitors.index"),
            Page(N_("Co-browsing"), "sessions.index"),
        ),
    ),
    Section(
        N_("Figures"),
        "report",
        (
            Page(N_("Figures"), "figures.index"),
            Page(N_("Reports"), "reports.index"),
            Page(N_("Dashboards"), "dashboards.index"),
            Page(N_("Schedules"), "schedules.index"),
        ),
    ),
    Section(
        N_("Records"), "eye", (Page(N_("Event stream"), "events.index"), Page(N_("Audit log"), "audit.index"))
    ),
    Section(
        N_("Rules"),
        "bolt",
        (
            Page(N_("Rules"), "rules.index", also=("/backtests",)),
            Page(N_("Rule runs"), "ruleruns.subject"),
            Page(N_("Deliveries"), "deliveries.index"),
            Page(N_("Operations"), "operations.index"),
        ),
    ),
    Section(N_("Notifications"), "bell", (Page(N_("Notifications"), INBOX),)),
    Section(
        N_("Settings"),
        "sliders",
        (
            Page(N_("General"), "general.index", N_("Site")),
            Page(N_("Users"), "users.index", PEOPLE),
            Page(N_("Teams"), "teams.index", PEOPLE),
            Page(N_("Roles"), "accesses.index", PEOPLE),
            Page(N_("Sign-in"), "sign_in.index", PEOPLE),
            Page(N_("Queues"), "queues.index", CENTRE),
            Page(N_("Pause types"), "pauses.index", CENTRE),
            Page(N_("Calendars"), "calendars.index", CENTRE),
            Page(N_("Monitoring policy"), "policy.index", PEOPLE),
            Page(N_("Retention"), "retention.index", PEOPLE),
            Page(N_("Sources"), "sources.index", SOURCES),
            Page(N_("API keys"), "keys.index", SOURCES),
            Page(N_("Connectors"), "connectors.index", SOURCES),
            Page(N_("Web sites"), "sites.index", SOURCES),
            Page(N_("Imports"), "imports.index", SOURCES),
            Page(N_("Asterisk managers"), "managers.index", SOURCES),
            Page(N_("System events"), "systemevents.index", SOURCES),
            Page(N_("Channels"), "channels.index", N_("Channels")),
        ),
        listed=True,
    ),
)
MENUS = 1000  # kept: roles times pages times languages
THEME_COOKIE = "stopa_theme"
THEMES = {"": N_("System"), "light": N_("Light"), "dark": N_("Dark")}


class Place(NamedTuple):
    """A page that exists, with its path and the permissions of which one opens it."""

    section: Section
    page: Page
    path: str
    permissions: frozenset[Permission]

    def holds(self, path: str) -> int:
        """Return how many letters of `path` lead here; 0 for a path of another page."""
        starts = (self.path, *self.page.also)
        return max(len(each) * (path == each or path.startswith(f"{each}/")) for each in starts)


class Link(NamedTuple):
    label: str
    url: str
    current: bool
    icon: str = ""
    news: bool = False  # it shows how many notifications are new


class Navigation(NamedTuple):
    """What the viewer may open: sections, and the pages of the one that the request belongs to.

    Its pages are `tabs` or, by heading, the `groups` of a list; both are empty where it has one page.
    """

    sections: list[Link]
    label: str = ""
    tabs: tuple[tuple[str, str, bool, None], ...] = ()  # as ui/parts.html takes them
    groups: tuple[tuple[str, list[Link]], ...] = ()


def init(app: Flask) -> None:
    """Give templates the shell. The application has its views by now."""
    paths = {rule.endpoint: rule.rule for rule in app.url_map.iter_rules() if not rule.arguments}
    app.extensions["places"] = places = [
        Place(section, page, paths[page.endpoint], frozenset(getattr(view, "permissions", ())))
        for section in SECTIONS
        for page in section.pages
        if (view := app.view_functions.get(page.endpoint)) is not None
    ]
    app.jinja_env.globals["start"] = lists.start
    app.extensions["menus"] = lru_cache(MENUS)(partial(_menus, places))

    @app.context_processor
    def shell() -> dict[str, Any]:
        return {
            "viewer": _viewer(),
            "nav": navigation() if g.get("user") is not None else Navigation([]),
            "news": lambda: notices().unread,
            "locales": _locales(),
            "site_name": current_app.config["STOPA"].site_name,
            "theme": theme(),
            "themes": THEMES,
            "return_url": _return_url(),
            "csrf_token": generate_csrf,
            "lang": language(),
            "htmx_src": assets.htmx_src(),
            "policy_due": _policy_due,
        }


def navigation() -> Navigation:
    """Return the menus of this request."""
    here = place_of(request.path)
    found: Navigation = current_app.extensions["menus"](
        g.scope.permissions, here.page.endpoint if here else "", language()
    )
    return found


def _menus(
    places: list[Place], permissions: frozenset[Permission], endpoint: str, _language: str
) -> Navigation:
    """Return the menus of a viewer with `permissions` on the page of `endpoint`, in the current language."""
    opened = [place for place in places if place.permissions & permissions]
    here = next((place for place in places if place.page.endpoint == endpoint), None)
    first = {place.section: place for place in reversed(opened)}
    sections = [
        Link(
            _(section.label),
            first[section].path,
            here is not None and here.section is section,
            section.icon,
            section.pages[0].endpoint == INBOX,
        )
        for section in SECTIONS
        if section in first
    ]
    beside = [place for place in opened if here is not None and place.section is here.section]
    if here is None or len(beside) < 2:
        return Navigation(sections)
    links = [Link(_(place.page.label), place.path, place is here) for place in beside]
    if not here.section.listed:
        tabs = tuple((link.label, link.url, link.current, None) for link in links)
        return Navigation(sections, _(here.section.label), tabs)
    groups: dict[str, list[Link]] = {}
    for place, link in zip(beside, links, strict=True):
        groups.setdefault(_(place.page.group), []).append(link)
    return Navigation(sections, _(here.section.label), groups=tuple(groups.items()))


def opened(permissions: frozenset[Permission]) -> dict[str, list[str]]:
    """Return the labels of the pages that a user with `permissions` opens, by the label of their section."""
    found: dict[str, list[str]] = {}
    for place in current_app.extensions["places"]:
        if place.permissions & permissions:
            found.setdefault(_(place.section.label), []).append(_(place.page.label))
    return found


def place_of(path: str) -> Place | None:
    """Return the page that a path belongs to, whether or not the viewer may open it."""
    found = max(current_app.extensions["places"], key=lambda place: place.holds(path))
    return found if found.holds(path) else None


def list_of(path: str) -> tuple[str, str] | None:
    """Return label and address of the page that a path would be on, for a viewer who may open it."""
    place = place_of(path) if g.get("user") is not None else None
    return (_(place.page.label), place.path) if place is not None and _may(place) else None


def theme() -> str:
    """Return the colours that this browser chose: a key of THEMES, "" as the system has it."""
    chosen = request.cookies.get(cookie_name(THEME_COOKIE), "")
    return chosen if chosen in THEMES else ""


def _may(place: Place) -> bool:
    return bool(place.permissions & g.scope.permissions)


def _policy_due() -> bool:
    """Say whether the viewer still has to read the monitoring policy, on all pages but its own."""
    return g.get("user") is not None and request.path != "/my-data" and notices().policy_due


def _viewer() -> Any:
    user = g.get("user")
    if user is None:
        return None
    return {"name": user.name, "access_name": _(user.access.name), "login": user.login}


def _return_url() -> str:
    """Return where to go on after a change of language or theme."""
    return request.full_path.rstrip("?") if request.method == "GET" else "/"


def _locales() -> list[tuple[str, str, str, bool]]:
    here, now = _return_url(), language()
    return [
        (code, name, url_for("signin.language", code=code, next=here), code == now)
        for code, name in LOCALES.items()
    ]
