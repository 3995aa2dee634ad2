"""Results of queries as readers see them: names of users and queues, masked contacts, translated texts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple

from babel.dates import format_skeleton, get_day_names
from flask_babel import gettext as _

from dashboard import clock
from dashboard.access import masking
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.clock import Span
from dashboard.exports.table import Column, Kind
from dashboard.i18n import formats
from dashboard.i18n.message import N_
from dashboard.models import Contact, Queue, User
from dashboard.models import Source as Origin
from dashboard.sources import period
from dashboard.sources.conditions import RELATED
from dashboard.sources.period import Bucket
from dashboard.sources.query import Column as Chosen
from dashboard.sources.query import Compared, Filter, Measure, Op, Query, Sum, Tree
from dashboard.sources.types import Field, Source, Type

CHUNK = 500
WHOLE = N_("All time")
HOW = {"all": N_("all of: %(parts)s"), "any": N_("any of: %(parts)s"), "none": N_("none of: %(parts)s")}
SENTENCES = {
    Op.ANY_OF: N_("%(field)s: %(values)s"),
    Op.NOT: N_("%(field)s: not %(values)s"),
    Op.GTE: N_("%(field)s: at least %(values)s"),
    Op.GT: N_("%(field)s: more than %(values)s"),
    Op.LTE: N_("%(field)s: at most %(values)s"),
    Op.LT: N_("%(field)s: less than %(values)s"),
    Op.CONTAINS: N_("%(field)s: contains %(values)s"),
}
KINDS = {
    Type.MOMENT: Kind.TIME,
    Type.DURATION: Kind.DURATION,
    Type.NUMBER: Kind.INT,
    Type.PERCENT: Kind.PERCENT,
}
WIDTHS = {Type.MOMENT: 20, Type.USER: 24, Type.QUEUE: 20, Type.CONTACT: 24, Type.TEXT: 24, Type.CHOICE: 18}

BUCKETS = {
    Bucket.HOUR: N_("Hour"),
    Bucket.DAY: N_("Day"),
    Bucket.WEEK: N_("Week"),
    Bucket.MONTH: N_("Month"),
    Bucket.WEEKDAY: N_("Day of the week"),
    Bucket.HOUR_OF_DAY: N_("Hour of the day"),
    Bucket.HOUR_OF_WEEK: N_("Hour of the week"),
}


class Name(NamedTuple):
    """The name of a user or queue in events, and on pages; of a contact the label alone."""

    key: str
    shown: str


def named(scope: Scope, type_: Type, ids: Collection[int]) -> dict[int, Name]:
    """Return the names of these users, queues, sources or contacts, the latter masked as the scope says."""
    if type_ is Type.USER:
        return {row[0]: Name(*row[1:]) for row in _by_id(User, (User.login, User.name), ids)}
    if type_ is Type.QUEUE:
        return {row[0]: Name(*row[1:]) for row in _by_id(Queue, (Queue.name, Queue.label), ids)}
    if type_ is Type.SOURCE:
        return {ident: Name(name, name) for ident, name in _by_id(Origin, (Origin.name,), ids)}
    full, columns = scope.can(Permission.PII_UNMASK), (Contact.name, Contact.phone, Contact.email)
    found = _by_id(Contact, columns, ids)
    return {
        ident: Name("", masking.contact(details[0], details[1], details[2], full))
        for ident, *details in found
    }


def _by_id(model: Any, columns: Sequence[Any], ids: Collection[int]) -> Iterable[tuple[Any, ...]]:
    """Yield id and columns of the rows with these ids, in parts that fit into one statement."""
    ordered = sorted(ids)
    for start in range(0, len(ordered), CHUNK):
        yield from (
            model.select(model.id, *columns).where(model.id.in_(ordered[start : start + CHUNK])).tuples()
        )


def writer(scope: Scope, field: Field, values: Collection[Any], zone: str) -> Callable[[Any], str]:
    """Return how values of a field are written on a page; `values` are those that occur."""
    if field.texts is not None:
        texts = field.texts(scope, values)
        return lambda value: texts.get(value, "")
    match field.type:
        case Type.MOMENT:
            return lambda value: formats.stamp(int(value) // field.scale, zone)
        case Type.DURATION:
            return formats.duration
        case Type.NUMBER:
            return formats.number
        case Type.YES_NO:
            return lambda value: _("Yes") if value else _("No")
        case Type.USER | Type.QUEUE | Type.SOURCE | Type.CONTACT:
            names = named(scope, field.type, values)
            return lambda value: names[value].shown if value in names else ""
        case Type.CHOICE:
            return lambda value: str(_(field.choices[value])) if value in field.choices else ""
        case _:
            return lambda value: str(_(field.choices[value]) if value in field.choices else value)


def bucket_writer(bucket: Bucket, zone: str, one_day: bool = False) -> Callable[[Any], str]:
    """Return how buckets are written; hours of `one_day` without their date."""
    names = get_day_names("wide", locale=formats.language())

    def on(number: int) -> date:
        return date.fromisoformat(str(period.key(bucket, number, zone)))

    match bucket:
        case Bucket.HOUR:
            return lambda number: _hour(number, zone, one_day)
        case Bucket.DAY:
            return lambda number: formats.date_short(on(number))
        case Bucket.WEEK:
            return lambda number: formats.week_label(on(number))
        case Bucket.MONTH:
            return lambda number: str(
                format_skeleton("yMMMM", date(number // 12, number % 12 + 1, 1), locale=formats.language())
            )
        case Bucket.WEEKDAY:
            return lambda number: names[number - 1]
        case Bucket.HOUR_OF_DAY:
            return lambda number: f"{number:02}:00"
        case Bucket.HOUR_OF_WEEK:
            return lambda number: f"{names[number // 24]} {number % 24:02}:00"


def _hour(number: int, zone: str, one_day: bool) -> str:
    """Return an hour as 09:00, with its date unless it is of `one_day`, with its offset where it repeats."""
    local = formats.local(number, zone)
    repeated = len(clock.instants(local.replace(tzinfo=None), zone)) > 1
    text = f"{local:%H:%M}" + (f" ({local.isoformat()[-6:]})" if repeated else "")
    return text if one_day else f"{formats.day_short(local.date())} {text}"


def cells(
    scope: Scope, columns: Sequence[Chosen], rows: Sequence[tuple[Any, ...]], zone: str
) -> list[list[str]]:
    """Return the texts of rows of a query; an empty one for nothing."""
    written = []
    for column, values in zip(columns, zip(*rows, strict=True), strict=False):
        write = writer(scope, column.field, set(values) - {None}, zone)
        written.append(["" if value is None else write(value) for value in values])
    return [list(row) for row in zip(*written, strict=True)]


def label(chosen: Chosen, grain: bool) -> str:
    """Return the heading of a column: with its table's name where that is not the grain."""
    field = str(_(chosen.field.label or chosen.field.counted))
    return field if grain else str(_("%(table)s: %(field)s", table=_(chosen.entity.label), field=field))


# What a measure of a field is called; of durations as phrases, which Czech can only make of one gender.
_OF_TIMES = {
    Sum.SUM: N_("total %(field)s"),
    Sum.AVG: N_("average %(field)s"),
    Sum.MIN: N_("shortest %(field)s"),
    Sum.MAX: N_("longest %(field)s"),
    Sum.MEDIAN: N_("median %(field)s"),
    Sum.P90: N_("90th percentile of %(field)s"),
}
_OF_FIELDS = {
    Sum.AVG: N_("%(field)s (average)"),
    Sum.MIN: N_("%(field)s (lowest)"),
    Sum.MAX: N_("%(field)s (highest)"),
    Sum.MEDIAN: N_("%(field)s (median)"),
    Sum.P90: N_("%(field)s (90th percentile)"),
    Sum.COUNT_DISTINCT: N_("%(field)s (different values)"),
    Sum.SHARE: N_("%(field)s (share of the total)"),
    Sum.RUNNING: N_("%(field)s (running total)"),
}
_SHARE = N_("%(field)s (share)")
_COMPARED = {
    Compared.PREVIOUS: N_("%(field)s (period before)"),
    Compared.DIFFERENCE: N_("%(field)s (difference)"),
    Compared.CHANGE: N_("%(field)s (change)"),
}


def measure_label(source: Source, measure: Measure, what: Compared | None = None) -> str:
    """Return the heading of a measure, or of what `compare` adds to it, such as “Average waiting time”."""
    if what is not None:
        return _phrase(_COMPARED[what], measure_label(source, measure))
    if measure.sum in (Sum.SHARE, Sum.RUNNING):
        return _phrase(_OF_FIELDS[measure.sum], measure_label(source, measure.of[0]))
    if measure.sum is Sum.COUNT:
        return str(_(measure.entity.plural))
    found = _of_field(measure)
    if measure.entity is source.entities[0]:
        return found
    return str(_("%(table)s: %(field)s", table=_(measure.entity.label), field=found))


def _of_field(measure: Measure) -> str:
    if measure.field is None:
        return str(_(measure.ratio.label)) if measure.ratio else ""
    name = str(_(measure.field.label or measure.field.counted))
    if measure.field.type is Type.DURATION and measure.sum in _OF_TIMES:
        return _phrase(_OF_TIMES[measure.sum], name[:1].lower() + name[1:])
    if measure.sum is Sum.SUM:
        return str(_(measure.field.counted)) if measure.field.counted else name
    if measure.field.type is Type.YES_NO and measure.sum is Sum.AVG:
        return _phrase(_SHARE, name)
    return _phrase(_OF_FIELDS[measure.sum], name)


def _phrase(pattern: str, field: str) -> str:
    found = str(_(pattern, field=field))
    return found[:1].upper() + found[1:]


def figure_writer(type_: Type) -> Callable[[Any], str]:
    """Return how figures of a type are written: numbers, shares in percent, durations; "" for none."""
    match type_:
        case Type.PERCENT:
            return lambda value: "" if value is None else formats.percent(value, 1)
        case Type.DURATION:
            return lambda value: "" if value is None else formats.duration(int(value))
        case _:
            return lambda value: "" if value is None else formats.number(value)


def export_columns(columns: Sequence[Chosen], labels: Sequence[str]) -> tuple[Column, ...]:
    """Return the columns of a file."""
    return tuple(
        Column(each.name, text, KINDS.get(each.field.type, Kind.TEXT), WIDTHS.get(each.field.type, 12))
        for each, text in zip(columns, labels, strict=True)
    )


def export_rows(
    scope: Scope, columns: Sequence[Chosen], rows: Sequence[tuple[Any, ...]], zone: str
) -> Iterable[tuple[Any, ...]]:
    """Yield rows for a file: numbers as such, instants in seconds, all else as texts."""
    texts = cells(scope, columns, rows, zone)
    for raw, written in zip(rows, texts, strict=True):
        yield tuple(
            text
            if each.field.type not in KINDS
            else None
            if value is None
            else int(value) // each.field.scale
            for each, value, text in zip(columns, raw, written, strict=True)
        )


def sentence(scope: Scope, query: Query, given: Filter) -> str:
    """Return a filter in words."""
    column = Chosen(given.field.name, given.entity, given.field)
    field = label(column, given.entity is query.source.entities[0])
    if given.op is Op.BLANK:
        return str(_("%(field)s: none", field=field) if given.values[0] else _("%(field)s: any", field=field))
    write: Callable[[Any], str] = str
    if given.bucket:
        field, write = str(_(BUCKETS[given.bucket])), bucket_writer(given.bucket, query.zone)
    elif given.op is not Op.CONTAINS:
        write = writer(scope, given.field, set(given.values), query.zone)
    values = ", ".join(write(value) for value in given.values)
    return str(_(SENTENCES[given.op], field=field, values=values))


def conditions(scope: Scope, query: Query) -> list[tuple[str, str]]:
    """Return what a query asks for beside its filters: the parameter, and a sentence."""
    found = []
    for each in query.related:
        rows = _(RELATED[each.source][0].entities[0].plural)
        given = "; ".join(sentence(scope, query, one) for one in each.filters) or "–"
        if each.none:
            found.append(("none", str(_("None of %(rows)s: %(conditions)s", rows=rows, conditions=given))))
        else:
            found.append(("any", str(_("Any of %(rows)s: %(conditions)s", rows=rows, conditions=given))))
    return [*found, ("filter", _tree(scope, query, query.tree))] if query.tree else found


def _tree(scope: Scope, query: Query, given: Tree) -> str:
    parts = [
        f"({_tree(scope, query, each)})" if isinstance(each, Tree) else sentence(scope, query, each)
        for each in given.parts
    ]
    return str(_(HOW[given.how], parts="; ".join(parts)))


def period_text(query: Query) -> str:
    """Return the dates of a query."""
    return span_text(query.span, query.zone)


def span_text(span: Span, zone: str) -> str:
    """Return the dates of a period."""
    if span.start < 0:
        return str(_(WHOLE))
    first = clock.local_date(span.start, zone)
    last = clock.local_date(max(span.end - 1, span.start), zone)
    if first == last:
        return formats.date_plain(first)
    return f"{formats.date_plain(first)} – {formats.date_plain(last)}"


def bucket_short(bucket: Bucket, number: int, zone: str) -> str:
    """Return the label of an hour, day, week or month below the bar of a chart."""
    if bucket is Bucket.HOUR:
        return formats.clock_short(number, zone)
    if bucket is Bucket.MONTH:
        return bucket_writer(bucket, zone)(number)
    return formats.day_short(date.fromisoformat(str(period.key(bucket, number, zone))))


def notes(scope: Scope, query: Query) -> Iterator[str]:
    """Yield what the viewer does not see of the rows."""
    source = query.source
    shown = [*(each.field for each in query.columns), *(each.field for each in query.groups)]
    if not source.unlimited and not scope.is_whole:
        yield _("Only rows within your scope are shown.")
    if source.opaque and scope.queues is not None:
        yield _("The content of work in other queues is hidden.")
    if not scope.can(Permission.PII_UNMASK) and any(each.type is Type.CONTACT for each in shown):
        yield _("Contact details are masked.")
