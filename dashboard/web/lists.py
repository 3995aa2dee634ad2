"""What the lists of all pages share: search, order, heads that sort, moments, what is said without rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlencode

from flask import g, request, url_for
from flask_babel import gettext as _
from peewee import fn

from dashboard import clock
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.db import rows
from dashboard.db.prepared import Prepared
from dashboard.db.search import folded
from dashboard.events import internal
from dashboard.i18n import collation, formats, zone
from dashboard.models import Event, Source, User

Row = TypeVar("Row")
SEARCH_MAX = 100
BRING = "imports.index"  # the page where data are brought in


class Order(NamedTuple):
    column: str
    descending: bool = False


class Head(NamedTuple):
    """Where a column's heading leads, and `aria-sort` of the sorted one."""

    url: str
    order: str


def needle(args: Mapping[str, str], name: str = "q") -> str:
    return args.get(name, "").strip()[:SEARCH_MAX]


def found(sought: str, *texts: str) -> bool:
    """Is every word of `sought` in a text? Case, width and marks do not count: cerny finds Černý."""
    if not sought:
        return True
    inside = "\n".join(folded(each) for each in texts)
    return all(word in inside for word in folded(sought).split())


def order(args: Mapping[str, str], columns: Collection[str], default: str) -> Order:
    """Return the order of `sort=column` or `sort=-column`, else by `default`."""
    sort = args.get("sort", "")
    column = sort.removeprefix("-")
    return Order(column, sort.startswith("-")) if column in columns else Order(default)


def heads(by: Order, columns: Iterable[str]) -> dict[str, Head]:
    """Return each column's heading; the sorted one turns its order round, the filters stay."""
    made = {}
    for column in columns:
        current = column == by.column
        sort = f"-{column}" if current and not by.descending else column
        state = ("descending" if by.descending else "ascending") if current else ""
        made[column] = Head(here(("page",), sort=sort), state)
    return made


def arranged(rows: Iterable[Row], by: Order, keys: Mapping[str, Callable[[Row], Any]]) -> list[Row]:
    """Sort rows; texts by the rules of the reader's language, nothing (None) last either way."""
    keyed = [(keys[by.column](row), row) for row in rows]
    missing = [row for value, row in keyed if value is None]
    speech = formats.language()
    given = [(_sortable(value, speech), row) for value, row in keyed if value is not None]
    given.sort(key=itemgetter(0), reverse=by.descending)
    return [row for _value, row in given] + missing


def by_name(rows: Iterable[Row], name: Callable[[Row], str]) -> list[Row]:
    speech = formats.language()
    return sorted(rows, key=lambda row: collation.key(name(row), speech))


def preset_name(name: str | None, is_system: bool | None) -> str:
    """Return an access's name as shown: those of the presets are translated."""
    return str(_(name)) if name and is_system else name or ""


def moment(ts: int | None) -> str:
    """Return "Today 07:30" in the reader's time zone, or the date of another day, or a dash for never."""
    if ts is None:
        return "–"
    here = zone()
    day = clock.local_date(ts, here)
    if day == clock.local_date(clock.now_s(), here):
        return str(_("Today %(time)s", time=formats.clock_short(ts, here)))
    return formats.date_plain(day)


class Pager(NamedTuple):
    """Where one is in a long list: row numbers from 1, pages from 1; see ui/tables.html."""

    first: int
    last: int
    total: int
    page: int
    pages: int
    prev_url: str | None
    next_url: str | None


def paged(rows: Sequence[Row], size: int) -> tuple[Sequence[Row], Pager]:
    """Return the rows of the page in the address, kept within the list, and its pager."""
    pages = max(1, -(-len(rows) // size))
    number = request.args.get("page", "1")
    page = min(int(number), pages) if number.isascii() and number.isdigit() and len(number) < 7 else 1
    page = max(1, page)
    part = rows[(page - 1) * size : page * size]
    start = (page - 1) * size
    return part, Pager(
        start + 1 if rows else 0,
        start + len(part),
        len(rows),
        page,
        pages,
        _page_url(page - 1) if page > 1 else None,
        _page_url(page + 1) if page < pages else None,
    )


def _page_url(page: int) -> str:
    return here(page=str(page))


def here(without: Collection[str] = (), **parameters: str) -> str:
    """Return the address of this request without some of its parameters, and with others replaced."""
    gone = {*without, *parameters}
    kept = [(name, value) for name, value in request.args.items(multi=True) if name not in gone]
    query = urlencode([*kept, *parameters.items()])
    return f"{request.path}?{query}" if query else request.path


def one_period(given: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    """Return the parameters of a filter bar without the dates that a named period replaces; the bar sends
    both when the period is chosen while the dates are shown."""
    dates = ("from", "to") if any(given.get("period", ())) else ()
    return {name: values for name, values in given.items() if name not in dates}


def _sortable(value: Any, speech: str) -> Any:
    return collation.key(value, speech) if isinstance(value, str) else value


SHOWN = 50  # people offered besides those chosen; a search finds the others
CHOSEN = 100  # of those chosen that have a row


class Person(NamedTuple):
    id: int
    name: str
    login: str
    deactivated_ts: int | None


class People(NamedTuple):
    rows: list[Person]
    more: int  # that match and are not shown
    kept: tuple[int, ...] = ()  # ids of those chosen that have no row


def offered(scope: Scope, chosen: Collection[int], sought: str, most: int | None = None) -> People:
    """Return those chosen, then up to SHOWN active users who match; nobody outside the scope.

    Of those chosen `most` have a row, those that match first.
    """
    query = User.select(User.id, User.name, User.login, User.deactivated_ts).where(scope.allows(User.id))
    everybody: list[Person] = by_name(rows(query, Person), lambda person: person.name)
    first = [person for person in everybody if person.id in chosen]
    if most is not None and len(first) > most:
        first.sort(key=lambda person: not found(sought, person.name, person.login))
    others = [
        person
        for person in everybody
        if person.id not in chosen and not person.deactivated_ts and found(sought, person.name, person.login)
    ]
    kept = () if most is None else tuple(person.id for person in first[most:])
    return People(first[:most] + others[:SHOWN], max(0, len(others) - SHOWN), kept)


def unknown(scope: Scope, ids: Collection[int]) -> bool:
    """Is one of the ids nobody, or somebody outside the scope?"""
    known = User.select(User.id).where(User.id.in_(sorted(ids)) & scope.allows(User.id))
    return bool(known.count() < len(ids))


class Start(NamedTuple):
    """What a page of what sources sent says before the first event.

    `url` and `verb` are of its button, "" for who cannot bring data in.
    """

    title: str
    text: str
    url: str
    verb: str


def sources_with_data() -> Any:
    """Return the query of the sources, other than Stopa itself, that have events."""
    events = Event.select(Event.id).where(Event.source_id == Source.id)
    return Source.select(Source.id).where((Source.name != internal.SOURCE) & fn.EXISTS(events))


_ANY = Prepared(lambda: sources_with_data().limit(1))


def start() -> Start | None:
    """Return what a page without rows says; None where a source has sent something."""
    if _ANY.rows():
        return None
    if g.scope.can(Permission.EVENTS_IMPORT):
        text = _("Nothing has been recorded. Import a log or a table, or let a system send its events.")
        return Start(_("No data yet"), text, url_for(BRING), _("Import a file"))
    return Start(_("No data yet"), _("Nothing has been recorded. Your administrator brings data in."), "", "")
