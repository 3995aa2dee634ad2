"""The bar above a report: period, comparison, user, queue and search, as fields of one form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from flask_babel import gettext as _

from dashboard.access.scope import Scope
from dashboard.reports import result
from dashboard.reports.library import SavedReport
from dashboard.sources.query import DEFAULT_PERIOD
from dashboard.sources.types import Source
from dashboard.web.listing import PERIODS, Choice, options_of

QUEUES = ("queue", "interaction.queue")  # of which a source has one, or two names of one


class Bar(NamedTuple):
    """`search` is the text that is searched, None where the source has no search; `hidden` are all other
    parameters of the address."""

    period: str
    periods: list[tuple[str, str]]
    first: str
    last: str
    choices: list[Choice]
    search: str | None
    hidden: list[tuple[str, str]]


def bar(scope: Scope, report: SavedReport, given: Mapping[str, Sequence[str]]) -> Bar:
    """Return the fields for the parameters of an address, which stand before those of the report."""
    chosen = result.merged(report, given)
    custom = any(chosen.get(name) for name in ("from", "to", "unit", "date"))
    choices = [compare(chosen)] if chosen.get("measures") else []
    choices += [
        _choice(scope, report.source, name, chosen.get(name, []))
        for name in _filters(report.source)
        if len(chosen.get(name, [])) < 2
    ]
    search = _one(chosen, "q") if report.source.id_searched and not chosen.get("measures") else None
    shown = {"period", "from", "to", "q", "after", *(each.name for each in choices)}
    return Bar(
        "" if custom else _one(chosen, "period") or DEFAULT_PERIOD,
        periods(),
        _one(chosen, "from"),
        _one(chosen, "to"),
        choices,
        search,
        [(name, value) for name, values in given.items() if name not in shown for value in values],
    )


def _filters(source: Source) -> list[str]:
    queues = [name for name in QUEUES if name in source.fields]
    return [*(["user"] if "user" in source.fields else []), *queues[:1]]


def periods() -> list[tuple[str, str]]:
    return [*((name, _(text)) for name, text in PERIODS.items()), ("", _("Choose dates"))]


def compare(chosen: Mapping[str, Sequence[str]]) -> Choice:
    options = [("", _("Nothing")), ("previous", _("The period before"))]
    return Choice("compare", _("Compare with"), options, _one(chosen, "compare"))


def _choice(scope: Scope, source: Source, name: str, values: Sequence[str]) -> Choice:
    _entity, field = source.fields[name]
    options = [("", _("All")), *options_of(scope, field)]
    return Choice(name, _(field.label), options, next(iter(values), ""))


def _one(chosen: Mapping[str, Sequence[str]], name: str) -> str:
    return next(iter(chosen.get(name, ())), "")
