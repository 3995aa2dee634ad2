"""Runs queries: pages of rows, and figures by group with their total."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import product
from math import prod
from operator import itemgetter
from typing import Any, NamedTuple

import peewee

from dashboard.access.scope import Scope
from dashboard.db import database, dialect, patience
from dashboard.db.search import folded
from dashboard.sources import made, period, scan, small
from dashboard.sources.compiler import COUNTED, Compiler, entities_of, parts
from dashboard.sources.derived import Groups, Key, Values, aligned, compared, derived, ordered
from dashboard.sources.query import PAGE, Filter, Group, Measure, Op, Query, Sum, Tree, base
from dashboard.sources.types import Type
from dashboard.sources.where import Sql

LIMIT_S = 2.0  # database time of all statements of one query
STEPS = 10_000  # of SQLite's engine between looks at the clock
MAX_GROUPS = 10_000
MAX_TEXTS = 10_000  # different values of a field in which a text is looked for


class TooLong(Exception):  # noqa: N818
    """A query took longer than it may, or has more than MAX_GROUPS groups."""


class TooSlow(TooLong):
    """A query took longer than LIMIT_S; a job, which may take longer, can run it."""


class Rows(NamedTuple):
    """A page of rows, each its key and the values of the query's columns in order.

    `number` is that of all pages, exact up to COUNTED. `first` and `next` are the places (sort value and key)
    of the first row and to go on after; a search that was not finished has come to `searched`.
    """

    rows: list[tuple[int, tuple[Any, ...]]]
    number: int
    exact: bool
    next: tuple[int, int] | None
    first: tuple[int, int] | None = None
    searched: tuple[int, int] | None = None


class Figures(NamedTuple):
    """Figures by group, and of all rows.

    Each row has the values of the groups, in the order of the query, and the figure of each measure by name.
    `overlap`: a coarser entity occurs in several groups, so that the total is not the sum of the groups.
    """

    rows: list[tuple[Key, Values]]
    total: Values
    overlap: bool


def rows(scope: Scope, query: Query) -> Rows:
    """Return a page of the rows that a viewer may see. Raises TooLong."""
    if query.source.small:
        return _whole(scope, query)
    if scan.can(query):
        return _scanned(scope, query)
    compiler = _compiler(scope, query)
    with limited() as run:
        legs = compiler.legs()
        found = [row for leg in legs for row in run(leg)]
        number = int(run(compiler.count())[0][0])
    if len(legs) > 1:
        found.sort(key=itemgetter(0, 1), reverse=compiler.order()[1])
    page, more = found[: query.limit or PAGE], len(found) > (query.limit or PAGE)
    first, last = (_place(row) for row in (page[:1], page[-1:] if more else []))
    kept = [(int(row[1]), row[2:]) for row in page]
    return Rows(kept, min(number, COUNTED), number <= COUNTED, last, first)


def _scanned(scope: Scope, query: Query) -> Rows:
    """Return a page of hits of a search; it is the last one where `next` is None, and may be short."""
    with limited() as run:
        found = scan.rows(scope, _with_values(scope, query), run)
    page, more = found.rows[: query.limit or PAGE], len(found.rows) > (query.limit or PAGE)
    then = _place(page[-1:]) if more else found.next
    kept, first = [(int(row[1]), row[2:]) for row in page], _place(page[:1])
    return Rows(kept, len(page), (then or query.after) is None, then, first, None if more else then)


def _place(rows: Sequence[tuple[Any, ...]]) -> tuple[int, int] | None:
    return (int(rows[0][0]), int(rows[0][1])) if rows else None


def number_behind(scope: Scope, query: Query) -> int:
    """Return how many rows are behind `query.after`, at most one more than `query.limit`. Raises TooLong."""
    with limited() as run:
        return min(sum(len(run(leg)) for leg in _compiler(scope, query).legs()), (query.limit or PAGE) + 1)


def _whole(scope: Scope, query: Query) -> Rows:
    """Return a page of a small source; its place is the number of rows before it."""
    with limited() as run:
        found = small.in_order(scope, query, lambda each: run(_compiler(scope, each).rows()))
    if len(found) > small.LARGEST:
        raise TooLong
    start, limit = max(0, query.after[0]) if query.after else 0, query.limit or PAGE
    page, end = found[start : start + limit], start + limit
    after = (end, int(page[-1][1])) if end < len(found) else None
    return Rows([(int(row[1]), row[2:]) for row in page], len(found), True, after)


def figures(scope: Scope, query: Query) -> Figures:
    """Return the figures of a query with measures, empty buckets included. Raises TooLong.

    With `compare`, each measure has those named by `compared_name` too, from the period before.
    """
    if query.source.small and query.search:
        keys = [key for key, _values in _whole(scope, replace(query, limit=small.LARGEST, sort=None)).rows]
        query = small.among(query, keys)
    before = replace(query, span=query.compare) if query.compare else None
    compilers = [_compiler(scope, each) for each in (query, before) if each]
    with limited() as run:
        found, *more = [_groups(run, each) for each in compilers]
    then = more[0] if more else None
    occurring = dict.fromkeys(_plain(query, key) for each in (found, then) if each for key in each.by_key)
    shown = derived(query, _filled(query, found, occurring))
    if before and then:
        then = derived(before, _filled(before, then, occurring))
        shown = compared(query, shown, then._replace(by_key=aligned(query, before.span, then.by_key)))
    return Figures(ordered(query, shown.by_key), shown.total, shown.overlap)


def _compiler(scope: Scope, query: Query) -> Compiler:
    """Return the compiler of a query, with the rows of a source that makes them. Raises TooLong."""
    query = _with_values(scope, query)
    return Compiler(query, scope, made.table(scope, query))


def _with_values(scope: Scope, query: Query) -> Query:
    """Return the query in which the texts that must contain another are the values that do: the databases
    fold texts in other ways. Raises TooLong."""
    asked = [*query.filters, *(query.tree.conditions() if query.tree else ())]
    given = [each for each in asked if each.op is Op.CONTAINS and each.field.type is Type.TEXT]
    if not given:
        return query
    others = tuple(each for each in query.filters if each not in given)
    bare = replace(query, filters=others, tree=None)
    compiler = Compiler(bare, scope, made.table(scope, bare))
    found = {}
    with limited() as run:
        for each in given:
            texts = [str(text) for (text,) in run(compiler.values(each, MAX_TEXTS))]
            if len(texts) > MAX_TEXTS:
                raise TooLong
            terms = [folded(str(term)) for term in each.values]
            chosen = tuple(text for text in texts if any(term in folded(text) for term in terms))
            found[each] = each._replace(op=Op.ANY_OF, values=chosen)
    filters = tuple(found.get(each, each) for each in query.filters)
    return replace(query, filters=filters, tree=_replaced(query.tree, found) if query.tree else None)


def _replaced(tree: Tree, found: Mapping[Filter, Filter]) -> Tree:
    parts = (
        _replaced(each, found) if isinstance(each, Tree) else found.get(each, each) for each in tree.parts
    )
    return Tree(tree.how, tuple(parts))


def _groups(run: Callable[[Sql], list[tuple[Any, ...]]], compiler: Compiler) -> Groups:
    """Return what statements give of the measures: groups without rows are left out. Raises TooLong."""
    query = compiler.query
    read = base(query.measures)
    overlap = False
    by_key: dict[Key, Values] = {}
    total: Values = {}
    for entity in entities_of(query.source, read):
        measures = [each for each in read if each.entity is entity]
        found = _read(run, compiler, measures, query.groups)
        for row in found:
            by_key.setdefault(row.key, {}).update(_figures(measures, row))
        disjoint = entity is query.source.entities[0] and not any(each.entity.many for each in query.groups)
        if found and disjoint:
            total |= _of_disjoint(measures, found)
            measures = [each for each in measures if not _adds_up(each)] if query.groups else []
        for row in _read(run, compiler, measures, ()) if measures else ():
            total |= _figures(measures, row)
            overlap = overlap or (bool(query.groups) and sum(each.number for each in found) > row.number)
    if len(by_key) > MAX_GROUPS:
        raise TooLong
    return Groups(by_key, total, overlap)


class _Row(NamedTuple):
    """The values of the groups, the number of an entity's keys, the parts of each measure; see `parts`."""

    key: Key
    number: int
    parts: dict[str, tuple[Any, ...]]


def _read(
    run: Callable[[Sql], list[tuple[Any, ...]]],
    compiler: Compiler,
    measures: Sequence[Measure],
    groups: Sequence[Group],
) -> list[_Row]:
    """Return what statements give of the measures of one entity by group."""
    ranked = {
        each.name: {tuple(row[:-1]): row[-1:] for row in run(compiler.ranks(each, groups))}
        for each in measures
        if each.sum.is_rank
    }
    fields = list(dict.fromkeys(each.field for each in measures if each.field is not None))
    found = []
    for row in run(compiler.figures(measures[0].entity, measures, groups)):
        key, rest = tuple(row[: len(groups)]), iter(row[len(groups) + 1 :])
        taken = {each.name: tuple(next(rest) for _ in parts(each, fields)) for each in measures}
        taken |= {name: by_key.get(key, (None,)) for name, by_key in ranked.items()}
        found.append(_Row(key, int(row[len(groups)]), taken))
    return found


def _adds_up(measure: Measure) -> bool:
    """Return whether the figure of all rows follows from those of groups that share no row."""
    return not measure.sum.is_rank and measure.sum is not Sum.COUNT_DISTINCT


def _of_disjoint(measures: Sequence[Measure], rows: Sequence[_Row]) -> Values:
    """Return the figures of all rows from those of groups that share none, of the measures that add up."""
    number = sum(each.number for each in rows)
    return {
        each.name: _figure(each, number, _joined(each, [row.parts[each.name] for row in rows]))
        for each in measures
        if len(rows) == 1 or _adds_up(each)
    }


def _joined(measure: Measure, values: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
    join = {Sum.MIN: min, Sum.MAX: max}.get(measure.sum, sum)
    columns = ([part for part in column if part is not None] for column in zip(*values, strict=True))
    return tuple(join(column) if column else None for column in columns)


def _figures(measures: Sequence[Measure], row: _Row) -> Values:
    return {each.name: _figure(each, row.number, row.parts[each.name]) for each in measures}


def _figure(measure: Measure, number: int, taken: Sequence[Any]) -> int | float | None:
    match measure.sum:
        case Sum.COUNT:
            return number
        case Sum.SUM | Sum.COUNT_DISTINCT:
            return int(taken[0] or 0)
        case Sum.AVG:
            return int(taken[0]) / int(taken[1]) if taken[1] else None
        case Sum.MEDIAN:
            return None if taken[0] is None else int(taken[0]) / 2
        case _:
            return None if taken[0] is None else int(taken[0])


def nothing(measure: Measure) -> int | None:
    """Return the figure of a group without rows."""
    return 0 if measure.sum in (Sum.COUNT, Sum.SUM, Sum.COUNT_DISTINCT) else None


def _plain(query: Query, key: Key) -> Key:
    """Return the values of the groups that are no buckets."""
    return tuple(value for value, group in zip(key, query.groups, strict=True) if group.bucket is None)


def _filled(query: Query, groups: Groups, occurring: Iterable[Key]) -> Groups:
    """Add the groups without rows: every bucket, for each of the `occurring` values of the other groups."""
    empty = {each.name: nothing(each) for each in base(query.measures)}
    filled = {key: empty | values for key, values in groups.by_key.items()}
    axes: list[list[Any]] = [
        list(period.numbers(group.bucket, query.span, query.zone)) if group.bucket else [None]
        for group in query.groups
    ]
    plain = [n for n, group in enumerate(query.groups) if group.bucket is None]
    others = list(occurring) or ([] if plain else [()])
    if len(others) * prod(map(len, axes)) > MAX_GROUPS:
        raise TooLong
    for other in others:
        for n, value in zip(plain, other, strict=True):
            axes[n] = [value]
        for key in product(*axes):
            filled.setdefault(key, dict(empty))
    return groups._replace(by_key=filled)


@contextmanager
def limited() -> Iterator[Callable[[Sql], list[tuple[Any, ...]]]]:
    """Give a function that runs statements; together they may take LIMIT_S, a job longer. Raises TooSlow."""
    end = time.monotonic() + patience.allowed_s(LIMIT_S)
    if dialect.is_sqlite():
        connection = database.connection()
        connection.set_progress_handler(lambda: time.monotonic() > end, STEPS)
        try:
            yield lambda sql: list(database.execute_sql(sql.text, sql.values).fetchall())
        except (peewee.OperationalError, sqlite3.OperationalError) as error:  # the latter from fetchall()
            raise _too_long(error, "interrupted") from error
        finally:
            connection.set_progress_handler(None, 0)
    else:
        try:
            with database.atomic():
                yield lambda sql: _timed(sql, end)
        except peewee.OperationalError as error:
            raise _too_long(error, "statement timeout") from error


def _timed(sql: Sql, end: float) -> list[tuple[Any, ...]]:
    left = int((end - time.monotonic()) * 1000)
    if left < 1:
        raise TooSlow
    database.execute_sql(f"SET LOCAL statement_timeout = {left}")
    text = sql.text.replace("%", "%%").replace("?", "%s").replace("group_concat(", "string_agg(")
    return list(database.execute_sql(text, sql.values).fetchall())


def _too_long(error: Exception, sign: str) -> Exception:
    return TooSlow() if sign in str(error) else error
