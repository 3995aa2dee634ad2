"""Headings of the columns of reports, and what their cells hold."""

from __future__ import annotations

from flask_babel import gettext as _

from dashboard.exports.table import Kind
from dashboard.sources import display
from dashboard.sources.period import Bucket
from dashboard.sources.query import Column, Group, Measure, Sum
from dashboard.sources.types import Source, Type


def field_label(source: Source, column: Column) -> str:
    """Return the heading of a field, also of one that lists do not show."""
    return display.label(column, column.entity is source.entities[0])


def group_label(source: Source, group: Group) -> str:
    if group.bucket is not None:
        return str(_(display.BUCKETS[group.bucket]))
    return field_label(source, Column(group.name, group.entity, group.field))


def group_kind(group: Group) -> Kind:
    if group.bucket is None:
        return display.KINDS.get(group.field.type, Kind.TEXT)
    return {Bucket.DAY: Kind.DATE, Bucket.HOUR: Kind.TIME}.get(group.bucket, Kind.TEXT)


def measure_kind(measure: Measure) -> Kind:
    """Return what the figures of a measure are: those of numbers that may have a part are decimals."""
    if measure.type is Type.NUMBER and measure.sum in (Sum.AVG, Sum.MEDIAN, Sum.RATIO):
        return Kind.DECIMAL
    return display.KINDS[measure.type]
