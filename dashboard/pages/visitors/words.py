"""What the pages of visitors say: names, addresses of pages, facts and the lines of a visit's story."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from flask import g, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from dashboard import clock
from dashboard.access.permissions import Permission
from dashboard.i18n import formats
from dashboard.pages.visitors.queries import Happened, Invited, VisitRow
from dashboard.ruletext.names import type_label
from dashboard.sources.declared.visits import STATES, countries, language_name, path_of, visitor_name
from dashboard.web.detail import Fact, Line
from dashboard.web.page import row_url

BADGES = {"accepted": "ok", "waiting": "info", "shown": "info", "rejected": "", "ignored": "", "lapsed": ""}
MOST_PAGES = 6  # of the way to the present one
OF_CUSTOMERS = ("visitor.page_viewed", "chat.invite_accepted", "chat.invite_rejected")
FREQUENT = ("clicked", "scrolled", "input_changed", "selected")
# The fields of an event's data that say what it was about; never what was typed or selected.
ABOUT = ("title", "element", "form", "name", "message", "reason")


class Step(NamedTuple):
    """A line of the story: `number` events of a kind that followed each other on one page."""

    time: str
    label: str
    who: str
    what: str
    page: str
    number: int
    url: str | None


def name(visit: VisitRow) -> str:
    return visitor_name(visit.browser, visit.contact, g.scope.can(Permission.PII_UNMASK))


def state(visit: VisitRow) -> tuple[str, str]:
    """Return the last invitation of a visit as a badge, "" for none."""
    label = STATES.get(visit.invitation, "")
    return str(_(label)) if label else "", BADGES.get(visit.invitation, "")


def idle_s(visit: VisitRow, now_ms: int) -> int:
    return max(0, now_ms - visit.active_ms) // 1000


def presence(visit: VisitRow) -> tuple[str, str]:
    """Return whether the visitor is there, as a badge."""
    if visit.ended_ms is not None:
        return str(_("Ended")), ""
    if visit.away_ms is not None:
        return str(_("Left the site")), ""
    return (str(_("Idle")), "warn") if visit.idle_ms is not None else (str(_("On the site")), "ok")


def facts(visit: VisitRow, site: str, zone: str) -> list[Fact]:
    now = clock.now_ms()
    known = visit.contact_id is not None and g.scope.can(Permission.QUEUES_FIGURES)
    contacts = (
        url_for("interactions.index", contact=visit.contact_id, period="last_90_days") if known else None
    )
    language = language_name(visit.language) if visit.language else ""
    country = countries(g.scope, [visit.country])[visit.country] if visit.country else ""
    return [
        Fact(_("Contact"), name(visit) if visit.contact_id is not None else "", contacts),
        Fact(_("Web site"), site),
        Fact(_("Started at"), formats.stamp(visit.started_ms // 1000, zone)),
        Fact(_("Time on the site"), formats.duration(visit.stay_s(now))),
        Fact(_("Last activity"), formats.stamp(visit.active_ms // 1000, zone)),
        Fact(_("Idle time"), formats.duration(idle_s(visit, now)) if visit.is_here else ""),
        Fact(_("Pages viewed"), formats.number(visit.pages)),
        Fact(_("Page now") if visit.is_here else _("Last page"), path_of(visit.url), is_code=True),
        Fact(_("Landing page"), path_of(visit.first_url), is_code=True),
        Fact(_("Came from"), visit.referrer or _("Directly")),
        Fact(_("Language"), language),
        Fact(_("Country"), country),
        Fact(_("Browser"), formats.listed(filter(None, (visit.browser_name, visit.os)))),
        Fact(_("Visit number"), formats.number(visit.number)),
    ]


def steps(events: Iterable[Happened], interactions: Mapping[str, int], zone: str) -> list[Step]:
    """Return the lines of events; frequent ones of a kind that follow each other on a page are one line.

    `interactions` are the ids of the pages of interactions that the viewer may open.
    """
    found: list[Step] = []
    for each in events:
        data = each.data
        who = each.name if each.name else _("Another user") if each.name == "" else _by(each)
        shown = interactions.get(each.interaction or "")
        url = row_url("interactions.show", shown) if shown else None
        step = Step(
            formats.clock(each.time_ms // 1000, zone),
            type_label(each.type),
            who,
            " · ".join(str(data[field]) for field in ABOUT if data.get(field)),
            path_of(str(data.get("url") or "")),
            1,
            url,
        )
        last = found[-1] if found else None
        frequent = each.type.partition(".")[2] in FREQUENT
        if last and frequent and (last.label, last.who, last.page) == (step.label, step.who, step.page):
            parts = dict.fromkeys(part for part in (*last.what.split(" · "), step.what) if part)
            found[-1] = last._replace(number=last.number + 1, what=" · ".join(parts))
        else:
            found.append(step)
    return found


def _by(event: Happened) -> str:
    """Return who did what an event without a user says: the customer, an agent, or nobody ("")."""
    by = "customer" if event.type in OF_CUSTOMERS else event.data.get("by")
    return str(_("Customer")) if by == "customer" else str(_("Agent")) if by == "agent" else ""


def invitations(found: Iterable[Invited], zone: str) -> list[tuple[str, str, tuple[str, str]]]:
    """Return when and by whom each invitation was made, its text, and its state as a badge."""
    lines = []
    for each in found:
        by = each.rule or (
            each.user if each.user else _("Another user") if each.user_id else _("A deleted rule")
        )
        at = formats.stamp(each.created_ms // 1000, zone)
        badge = str(_(STATES[each.state])), BADGES.get(each.state, "")
        lines.append((f"{at} · {by}", each.text, badge))
    return lines


def sessions(found: Iterable[tuple[int, int, int]], zone: str) -> list[Line]:
    """Return the links to co-browsing sessions: id, begin (ms) and number of steps of each."""
    return [
        Line(
            row_url("sessions.show", ident),
            formats.stamp(first_ms // 1000, zone),
            ngettext("%(num)d step", "%(num)d steps", number),
        )
        for ident, first_ms, number in found
    ]


def earlier(found: Iterable[Any], zone: str) -> list[Line]:
    return [
        Line(
            row_url("visitors.show", each.id),
            formats.stamp(each.started_ms // 1000, zone),
            ngettext("%(num)d page", "%(num)d pages", each.pages),
        )
        for each in found
    ]


def about(visit: VisitRow) -> list[tuple[str, str]]:
    """Return what to know of a visitor before inviting."""
    stay = formats.duration(visit.stay_s(clock.now_ms()))
    pages = ngettext("%(num)d page", "%(num)d pages", visit.pages)
    return [
        (
            _("On the site"),
            _("%(time)s, %(pages)s, visit %(number)s", time=stay, pages=pages, number=visit.number),
        ),
        (_("Page now"), path_of(visit.url)),
        (_("Came from"), visit.referrer or _("Directly")),
        (_("Language"), language_name(visit.language) if visit.language else ""),
        (_("Browser"), formats.listed(filter(None, (visit.browser_name, visit.os)))),
    ]


def way(events: Iterable[Happened], zone: str) -> list[tuple[str, str]]:
    """Return the last pages of a visit and when each was opened."""
    seen = [each for each in events if each.type == "visitor.page_viewed"][-MOST_PAGES:]
    return [
        (formats.clock_short(each.time_ms // 1000, zone), path_of(str(each.data.get("url") or "")))
        for each in seen
    ]
