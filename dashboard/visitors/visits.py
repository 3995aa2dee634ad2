"""Takes a report: the visit's row and the events of it change together, or nothing does.

Every record becomes one event however often it arrives, because its identity is made of the visit and the
record. The row holds the earliest and latest of what the records say, so their order does not matter.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from peewee import fn

from dashboard.clock import DAY_MS
from dashboard.db import database, dialect
from dashboard.db.locks import Lock
from dashboard.db.prepared import Prepared, insert_row, slot, update_row
from dashboard.events import record as log
from dashboard.events import switches
from dashboard.models import Contact, Visit
from dashboard.tracing.contacts import key_of
from dashboard.visitors import identify, invitations, privacy, records
from dashboard.visitors.records import Report, VisitorEvent
from dashboard.visitors.sites import Portal

# Less does not move the last activity by itself: it would be written at every report. Where something is due
# within NEAR_MS, in which a hidden page reports too, less does, so that nobody is idle or gone too early.
ACTIVE_MS, JITTER_MS, NEAR_MS = 15_000, 2_000, 45_000
AWAY_MS = 30_000
INACTIVE_MS = 15 * 60_000
END_MS = 30 * 60_000
LONGEST_MS = 2**40  # a page that says more does not say when
_SEEN = Prepared(
    lambda: Visit.select(
        Visit.id,
        Visit.browser,
        Visit.active_ms,
        Visit.away_ms,
        Visit.ended_ms,
        Visit.invitation,
        Visit.contact_key,
        Visit.contact_id,
        Visit.due_ms,
    ).where((Visit.site == slot("site")) & (Visit.token == slot("token")))
)
_ROW = Prepared(  # locked until the transaction ends
    lambda: dialect.held(Visit.select().where((Visit.site == slot("site")) & (Visit.token == slot("token"))))
)
_EARLIER = Prepared(
    lambda: Visit.select(fn.COUNT(Visit.id)).where(
        (Visit.site == slot("site")) & (Visit.browser == slot("browser"))
    )
)
_CONTACT = Prepared(lambda: Contact.select(Contact.id).where(Contact.key == slot("key")))
_WRITTEN = (
    *("contact_id", "contact_key", "started_ms", "active_ms", "away_ms", "idle_ms", "inactive_ms"),
    *("closed_ms", "ended_ms", "due_ms", "pages", "first_ms", "first_url", "page_ms", "url", "title"),
    "referrer",
)


class ForgedError(Exception):
    """The visit is another browser's."""


class Seen(NamedTuple):
    """What a report without news needs of the visit's row."""

    id: int
    browser: str
    active_ms: int
    away_ms: int | None
    ended_ms: int | None
    invitation: str
    contact_key: str
    contact_id: int | None
    due_ms: int | None


class Client(NamedTuple):
    """What the request says of the visitor: names of browser and system, country, shortened address."""

    browser: str
    system: str
    country: str
    ip: str


def seen(site: Portal, report: Report) -> Seen | None:
    """Return the visit of a report, None for a new one. Raises ForgedError for another browser's."""
    rows = _SEEN.rows(site=site.id, token=report.v)
    if not rows:
        return None
    found = Seen._make(rows[0])
    if found.browser != report.b:
        raise ForgedError
    return found


def has_news(
    site: Portal, known: Seen | None, report: Report, who: dict[str, str] | None, now_ms: int
) -> bool:
    """Say whether a report changes anything; `who` is the contact that the site has signed."""
    if known is None or report.e:
        return True
    if _acted_ms(known, report, now_ms) > known.active_ms:
        return True
    if known.ended_ms is not None:
        return False
    if bool(report.bye) != (known.away_ms is not None):
        return True
    if who is not None and known.contact_key != key_of(site.source_id, who):
        return True
    waits = known.contact_key and known.contact_id is None
    return bool(waits and _CONTACT.rows(key=known.contact_key))


def take(site: Portal, report: Report, client: Client, who: dict[str, str] | None, now_ms: int) -> Visit:
    """Store what a report says in one transaction and return the visit. Raises ForgedError.

    The locks are taken in the order in which a digest takes them, so that they cannot wait for each other.
    """
    with database.atomic():
        dialect.adding(Lock.APPENDING)
        dialect.one_at_a_time(Lock.APPEND, site.source_id)
        visit = next(iter(_ROW.models(Visit, site=site.id, token=report.v)), None)
        made: list[VisitorEvent] = []
        fresh = _fresh(site, report, now_ms, visit is not None)
        times = [each.time_ms for record, each in fresh if record.k != "agent"]
        started = visit is None
        if visit is None:
            first_ms = min([_said_ms(report, now_ms), *times])
            visit = _start(site, report, client, max(first_ms, now_ms - DAY_MS))
        elif visit.browser != report.b:
            raise ForgedError
        before = {name: visit.__data__[name] for name in _WRITTEN}
        visit.started_ms = min([visit.started_ms, *times])
        _pages(visit, [each for record, each in fresh if record.k == "page"])
        if started:
            made += _opened(site, visit, visit.started_ms, "visit.started", "session.opened")
        made += _moved(site, visit, report, times, now_ms)
        if who is not None:
            made += _identified(site, visit, who, now_ms)
        find_contact(visit)
        append(site, [*made, *(each for _record, each in fresh)])
        for record in report.e:
            if record.k == "invite" and record.s:
                invitations.answered(visit, record.id, record.s, now_ms)
        set_due(site, visit, now_ms)
        changed = {name: visit.__data__[name] for name in _WRITTEN if visit.__data__[name] != before[name]}
        if changed:
            update_row(Visit, visit.id, **changed)
    return visit


def find_contact(visit: Visit) -> None:
    """Set the contact of a visitor whom the site has identified, once the digest has made it."""
    if visit.contact_key and visit.contact_id is None:
        visit.contact_id = next((ident for (ident,) in _CONTACT.rows(key=visit.contact_key)), None)


def append(site: Portal, events: Sequence[VisitorEvent]) -> None:
    """Append the events of a visit that are recorded, in the caller's transaction."""
    off = switches.off()
    log.append(site.source_id, [each for each in events if each.type not in off], makes=False)


def set_due(site: Portal, visit: Visit, now_ms: int) -> None:
    """Set the next moment at which something becomes of the visit without a report."""
    moments = [invitations.expired(visit, now_ms)]
    if visit.ended_ms is None:
        moments.append(visit.active_ms + END_MS)
        if visit.away_ms is None and visit.idle_ms is None:
            moments.append(visit.active_ms + site.idle_ms)
        if visit.closed_ms is None:
            moments.append(visit.active_ms + INACTIVE_MS if visit.inactive_ms is None else None)
            moments.append(None if visit.away_ms is None else visit.away_ms + AWAY_MS)
    visit.due_ms = min((each for each in moments if each is not None), default=None)


def event(site: Portal, visit: Visit, type_: str, time_ms: int, stretch_ms: int, **more: Any) -> VisitorEvent:
    """Return the event of a change of the visit; it is recorded once for the stretch that began then."""
    data = {**records.visitor(visit, time_ms), **more}
    who = identify.of_contact(visit)
    return records.event(site, visit.token, f"{type_}:{stretch_ms}", type_, time_ms, data, who)


def _fresh(
    site: Portal, report: Report, now_ms: int, known: bool
) -> list[tuple[records.Record, VisitorEvent]]:
    """Return the records of a report that are not stored, each with its event."""
    found: dict[str, tuple[records.Record, VisitorEvent]] = {}
    for record in report.e:
        made = records.event_of(site, report, record, now_ms)
        if made is not None:
            found.setdefault(made.id, (record, made))
    stored = log.stored_keys(site.source_id, list(found)) if known and found else ()
    return [each for ident, each in found.items() if ident not in stored]


def _start(site: Portal, report: Report, client: Client, moment: int) -> Visit:
    """Add the row of a new visit. The lock of the source keeps two requests from adding it both."""
    ((earlier,),) = _EARLIER.rows(site=site.id, browser=report.b)
    insert_row(
        Visit,
        site_id=site.id,
        token=report.v,
        browser=report.b,
        number=earlier + 1,
        started_ms=moment,
        active_ms=moment,
        language=privacy.text(report.l, 20),
        country=client.country,
        browser_name=client.browser,
        os=client.system,
        ip=client.ip,
        url=privacy.url(report.u),
        title=privacy.text(report.t, records.TITLE_MAX),
    )
    return _ROW.models(Visit, site=site.id, token=report.v)[0]


def _opened(site: Portal, visit: Visit, moment: int, *types: str) -> list[VisitorEvent]:
    return [event(site, visit, type_, moment, visit.closed_ms or 0) for type_ in types]


def _pages(visit: Visit, pages: Sequence[VisitorEvent]) -> None:
    """Count pages that were viewed; keep the first and the last of them."""
    for page in pages:
        data = json.loads(page.data)
        visit.pages += 1
        if visit.first_ms is None or page.time_ms < visit.first_ms:
            visit.first_ms, visit.first_url = page.time_ms, data.get("url", "")
            visit.referrer = data.get("referrer", "")
        if visit.page_ms is None or page.time_ms > visit.page_ms:
            visit.page_ms, visit.url, visit.title = page.time_ms, data.get("url", ""), data.get("title", "")


def _moved(
    site: Portal, visit: Visit, report: Report, times: Sequence[int], now_ms: int
) -> list[VisitorEvent]:
    """Note the visitor's activity and whether a page is open; return the events of what that changes.

    `times` are those of the visitor's new records. A visit that has ended goes on where the browser was
    offline and has not begun another one; where its last records come too late for that, it ended later.
    """
    made: list[VisitorEvent] = []
    active_ms = max([_acted_ms(visit, report, now_ms), *times])
    if visit.ended_ms is not None:
        if active_ms <= visit.active_ms:
            return made
        if active_ms + END_MS <= now_ms:
            ended_ms, visit.active_ms, visit.ended_ms = visit.ended_ms, active_ms, active_ms + END_MS
            visit.closed_ms = visit.ended_ms if visit.closed_ms == ended_ms else visit.closed_ms
            return made
        visit.ended_ms = None
    if active_ms > visit.active_ms:
        idle_s, idle_ms = (active_ms - visit.active_ms) // 1000, visit.idle_ms
        visit.active_ms, visit.idle_ms, visit.inactive_ms = active_ms, None, None
        if idle_ms is not None:
            made.append(event(site, visit, "visitor.active", active_ms, idle_ms, idle_s=idle_s))
    if report.bye:
        visit.away_ms = now_ms if visit.away_ms is None else visit.away_ms
        return made
    visit.away_ms = None
    if visit.closed_ms is not None:
        made += _opened(site, visit, now_ms, "session.opened")
        visit.closed_ms = None
    return made


def _acted_ms(visit: Visit | Seen, report: Report, now_ms: int) -> int:
    """Return when the visitor acted last, as far as it is known and the report says something new of it."""
    said_ms, active_ms, due_ms = _said_ms(report, now_ms), int(visit.active_ms), visit.due_ms
    least = JITTER_MS if due_ms is not None and due_ms - now_ms < NEAR_MS else ACTIVE_MS
    return said_ms if said_ms > active_ms + least else active_ms


def _said_ms(report: Report, now_ms: int) -> int:
    """Return when the page saw the last sign of the visitor."""
    return now_ms - int(min(report.a, LONGEST_MS))


def _identified(site: Portal, visit: Visit, who: dict[str, str], now_ms: int) -> list[VisitorEvent]:
    """Note as whom the site identifies the visitor; return the event of it. The digest makes the contact."""
    key = key_of(site.source_id, who) or ""
    if visit.contact_key == key:
        return []
    visit.contact_key, visit.contact_id = key, None
    identity = f"contact.identified:{sha256(key.encode()).hexdigest()[:16]}"
    return [records.event(site, visit.token, identity, "contact.identified", now_ms, {}, who)]
