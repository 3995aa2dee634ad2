"""Reads queries from the parameters of an address. Pure.

Every parameter that cannot be used is an error that names it and what would be right; none is ignored.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence

from dashboard.clock import Span
from dashboard.db.search import is_long_enough
from dashboard.i18n.message import N_, NOT_WHOLE, Message, message
from dashboard.sources.conditions import related, tree
from dashboard.sources.filters import MAX_SEARCH, TOO_SHORT, FilterReader
from dashboard.sources.measures import UNKNOWN_FIELD, read_measure
from dashboard.sources.period import Bucket, before
from dashboard.sources.period_parameters import OF_PERIOD, UNKNOWN_VALUE, PeriodReading
from dashboard.sources.query import (
    DEFAULT_PERIOD,
    MAX_ROWS,
    Column,
    Compared,
    Group,
    Measure,
    Names,
    Query,
    QueryError,
    Sort,
    compared_name,
    sortable,
)
from dashboard.sources.types import Source
from dashboard.sources.values import number

MAX_NUMBER = 2**53
RESERVED = frozenset(
    (
        *OF_PERIOD,
        "q",
        "columns",
        "group",
        "measures",
        "compare",
        "sort",
        "limit",
        "after",
        "any",
        "none",
        "filter",
    )
)

NO_COMPARISON = N_("Figures are compared, not rows. Choose measures, such as count.")
NEEDS_MEASURE = N_("Groups need measures, such as count.")
NO_COLUMN = N_("A row may have several of “%(name)s”. Use it in groups and filters.")
NOT_SINGLE = N_("The times of several layers overlap. Choose one of %(names)s.")
NOT_GROUPED = N_("Choose columns or measures, not both.")
NO_SEARCH = N_("This source has no search. Use filters.")
NO_CURSOR = N_("Not a cursor of this list. Leave it out to start from the first page.")


def parse(
    source: Source,
    given: Mapping[str, Sequence[str]],
    zone: str,
    now_s: int,
    names: Names,
    period: str = DEFAULT_PERIOD,
) -> Query:
    """Return the query of the parameters of an address, each with all its values.

    `zone` is the viewer's, used without `tz`; `period` is the one used without another. Raises QueryError,
    which names every bad parameter.
    """
    return _Reading(source, given, zone, now_s, names, period).query()


class _Reading(PeriodReading):
    """Reads one set of parameters and collects its errors."""

    def __init__(
        self,
        source: Source,
        given: Mapping[str, Sequence[str]],
        zone: str,
        now_s: int,
        names: Names,
        period: str,
    ) -> None:
        super().__init__(given, zone, now_s, period)
        self.source, self.names = source, names

    def query(self) -> Query:
        span = self.span()
        search = self.search()
        asked = {name: values for name, values in self.given.items() if name not in RESERVED}
        reader = FilterReader(self.source, self.zone, self.names, self.errors)
        filters = tuple(reader.read(asked))
        rows = [each for name in ("any", "none") for each in related(reader, name, self.given.get(name, ()))]
        conditions = tree(reader, self.text("filter"))
        groups = tuple(self.group(name) for name in self.listed("group"))
        measures = tuple(self.measure(name, groups) for name in self.listed("measures"))
        columns = tuple(self.column("columns", name) for name in self.listed("columns"))
        if groups and not measures:
            self.errors.setdefault("measures", Message(NEEDS_MEASURE))
        if measures and not reader.is_single(filters):
            names = ", ".join(self.source.fields[self.source.single][1].choices)
            self.errors.setdefault(self.source.single, message(NOT_SINGLE, names=names))
        if columns and measures:
            self.errors.setdefault("columns", Message(NOT_GROUPED))
        compare = self.compare(span, bool(measures))
        sort = self.sort(self.results(groups, measures, compare) if measures else None)
        limit, after = self.limit(), self.after()
        if self.errors:
            raise QueryError(self.errors)
        return Query(
            self.source,
            span,
            self.zone,
            search,
            filters,
            tuple(each for each in groups if each),
            tuple(each for each in measures if each),
            tuple(each for each in columns if each) or self.all_columns(measures),
            sort,
            limit,
            after,
            compare,
            self.now_s,
            tuple(rows),
            conditions,
        )

    def listed(self, name: str) -> list[str]:
        values = (part.strip() for value in self.given.get(name, ()) for part in value.split(","))
        return list(dict.fromkeys(part for part in values if part))

    def search(self) -> str:
        text = self.text("q").strip()
        if text and not (self.source.id_searched or self.source.searched):
            self.errors["q"] = Message(NO_SEARCH)
        elif text and not (self.source.small or is_long_enough(text)):
            self.errors["q"] = Message(TOO_SHORT)
        return text[:MAX_SEARCH]

    def column(self, parameter: str, name: str) -> Column | None:
        known = self.source.fields.get(name)
        if known is None:
            self.errors[parameter] = message(UNKNOWN_FIELD, names=", ".join(sorted(self.source.fields)))
            return None
        if parameter == "columns" and known[0].many:
            self.errors[parameter] = message(NO_COLUMN, name=name)
        return Column(self.source.full_name(*known), *known)

    def all_columns(self, measures: Sequence[object]) -> tuple[Column, ...]:
        if measures:
            return ()
        grain = self.source.entities[0]
        return tuple(Column(field.name, grain, field) for field in grain.fields)

    def group(self, name: str) -> Group | None:
        if name in list(Bucket):
            return Group(name, *self.source.timed_field, Bucket(name))
        column = self.column("group", name)
        if column and name not in self.source.usable:
            self.errors["group"] = message(UNKNOWN_FIELD, names=", ".join(self.source.usable))
        return Group(*column) if column else None

    def measure(self, name: str, groups: Sequence[Group | None]) -> Measure | None:
        found = read_measure(self.source, name, [each for each in groups if each])
        if isinstance(found, Message):
            self.errors["measures"] = found
            return None
        return found

    def compare(self, span: Span, has_measures: bool) -> Span | None:
        """Return the period before `span`, if its figures are to be compared."""
        text = self.text("compare")
        if not text:
            return None
        if text != "previous":
            self.errors["compare"] = message(UNKNOWN_VALUE, names="previous")
        elif not has_measures:
            self.errors["compare"] = Message(NO_COMPARISON)
        return None if self.errors else before(span, self.zone, self.now_s)

    @staticmethod
    def results(
        groups: Sequence[Group | None], measures: Sequence[Measure | None], compare: Span | None
    ) -> list[str]:
        """Return the names of the columns of figures."""
        names = [each.name for each in measures if each]
        more = [compared_name(name, each) for name in names for each in Compared] if compare else []
        return [*(each.name for each in groups if each), *names, *more]

    def sort(self, results: Sequence[str] | None) -> Sort | None:
        """Return the order: of figures by one of `results`, of rows by the moment, a number or a duration."""
        text = self.text("sort")
        if not text:
            return None
        name, descending = text.removeprefix("-"), text.startswith("-")
        allowed = results if results is not None else sortable(self.source)
        if name not in allowed:
            self.errors["sort"] = message(UNKNOWN_VALUE, names=", ".join(allowed))
            return None
        return Sort(name, descending)

    def limit(self) -> int | None:
        text = self.text("limit")
        found = number(text) if text else None
        if found is not None and (isinstance(found, Message) or not 1 <= found <= MAX_ROWS):
            self.errors["limit"] = message(NOT_WHOLE, least=1, most=MAX_ROWS)
            return None
        return found

    def after(self) -> tuple[int, int] | None:
        text = self.text("after")
        if not text:
            return None
        try:
            value, key = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True))
        except (ValueError, TypeError):
            value = key = None
        if not (
            type(value) is int and type(key) is int and abs(value) < MAX_NUMBER and abs(key) < MAX_NUMBER
        ):
            self.errors["after"] = Message(NO_CURSOR)
            return None
        return value, key
