"""The builder of reports: a form by GET whose address is the query; the form is kept in the address as well.

A filter is added in two steps, because its operators and values depend on the field.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from flask_babel import gettext as _

from dashboard.access.scope import Scope
from dashboard.i18n.message import N_
from dashboard.pages.reports import bar, choices
from dashboard.reports import result, words
from dashboard.reports.library import Origin, SavedReport, Sharing
from dashboard.sources import display
from dashboard.sources.catalogue import SOURCES
from dashboard.sources.period_parameters import OF_PERIOD
from dashboard.sources.query import Op, Query
from dashboard.sources.types import Source
from dashboard.web.listing import Choice

NEW = "new"
# Parameters of the form that are no part of the query.
NAME, ABOUT, SHARING = "report_name", "report_about", "report_shared"
OWN = ("source", "was", "show", "field", "with", "value", "op", "version", NAME, ABOUT, SHARING)
HIDDEN = ("q", "tz", "limit", "unit", "date", "version")  # of which the form has no fields
KEPT = OF_PERIOD  # when another source is chosen
MAX_GROUPS, MAX_MEASURES, MAX_COLUMNS = 3, 12, 20
SHARED = {
    Sharing.PRIVATE: N_("Only me"),
    Sharing.ACCESS: N_("Everybody with my role"),
    Sharing.ALL: N_("Everybody"),
}
Parameters = Mapping[str, Sequence[str]]


class Chosen(NamedTuple):
    """A filter in words, its parameters, and the address without it."""

    text: str
    pairs: list[tuple[str, str]]
    url: str


class Builder(NamedTuple):
    """What the form shows. Each of `groups` and `measures` is a chosen value, with "" as the last."""

    source: Source
    sources: list[tuple[str, str]]
    figures: bool
    columns: list[tuple[str, str, bool]]
    groups: list[str]
    group_options: list[tuple[str, str]]
    measures: list[str]
    measure_options: list[tuple[str, list[tuple[str, str]]]]
    filters: list[Chosen]
    fields: list[tuple[str, str]]
    pending: choices.Pending | None
    chart: Choice
    compare: Choice
    sort: Choice
    bar: bar.Bar
    hidden: list[tuple[str, str]]  # what the address holds besides


def unsaved(scope: Scope, source: str) -> SavedReport | None:
    """Return a report without a query on a data source; None where the viewer may not see it."""
    found = SOURCES.get(source)
    if found is None or not scope.can(found.permission):
        return None
    return SavedReport(NEW, Origin.MINE, str(_("New report")), "", found, "", "")


def address(report: SavedReport, chosen: Parameters) -> str:
    """Return the address of the builder with the query of a report."""
    parameters = {"source": [report.source.name], **chosen}
    if report.chart and "chart" not in parameters:
        parameters["chart"] = [report.chart]
    if report.reference != NEW:
        parameters[NAME] = [_("Copy of %(name)s", name=report.name)]
    return f"/reports/new?{urlencode(parameters, doseq=True)}"


def chosen_sources(scope: Scope) -> list[Source]:
    return [each for each in SOURCES.values() if scope.can(each.permission)]


def normal(given: Parameters) -> dict[str, list[str]]:
    """Return the parameters of a sent form as those of a query, so that one address stands for one state."""
    found = {name: [each for each in values if each] for name, values in given.items()}
    source = SOURCES[found["source"][0]]
    if found.pop("was", found["source"]) != found["source"]:
        found = {name: values for name, values in found.items() if name in ("source", NAME, ABOUT, *KEPT)}
    show = found.pop("show", [])
    if show == ["rows"]:
        for name in ("group", "measures", "compare", "chart", "sort"):
            found.pop(name, None)
        found["columns"] = found.get("columns") or [each.name for each in choices.columns(source)[:6]]
    if show == ["figures"] and found.pop("columns", []):
        found.pop("sort", None)
    if found.get("period"):
        found = {name: values for name, values in found.items() if name not in ("unit", "date")}
    if not found.get("columns") and not found.get("measures"):
        found["measures"] = ["count"]
    if found.get("measures") and source.single and source.single not in found:
        found[source.single] = [next(iter(source.fields[source.single][1].choices))]
    _add_filter(found)
    found.pop("op", None)
    if found.get(SHARING) == [Sharing.PRIVATE]:
        found.pop(SHARING)
    return {name: values for name, values in sorted(found.items()) if values}


def _add_filter(found: dict[str, list[str]]) -> None:
    """Make a filter of the field, the operator and the value that were typed."""
    field, how = found.get("field", []), found.pop("with", [""])
    value = found.pop("value", [])
    if not field:
        return
    op, _mark, blank = (how or [""])[0].partition(":")
    values = [blank] if blank else value
    if values:
        found.pop("field")
        name = f"{field[0]}__{op}" if op else field[0]
        found[name] = [*found.get(name, []), *(each for each in values if each not in found.get(name, []))]


def build(scope: Scope, report: SavedReport, given: Parameters, query: Query | None, path: str) -> Builder:
    """Return the form of the parameters `given`, which are those of `normal`; `query` is None with errors."""
    source = report.source
    listed = {name: _listed(given, name) for name in ("columns", "group", "measures")}
    field = next(iter(given.get("field", ())), "")
    return Builder(
        source,
        [(each.name, _(each.entities[0].plural)) for each in chosen_sources(scope)],
        bool(listed["measures"]),
        [
            (
                each.name,
                display.label(each, each.entity is source.entities[0]),
                each.name in listed["columns"],
            )
            for each in choices.columns(source)
        ],
        [*listed["group"], ""][:MAX_GROUPS],
        choices.with_chosen(choices.groups(source), listed["group"]),
        [*listed["measures"], ""][:MAX_MEASURES],
        choices.measures(source, listed["measures"]),
        _filters(scope, query, given, path),
        [(each.name, words.field_label(source, each)) for each in choices.filterable(source)],
        choices.pending(scope, source, field, _without("field", given, path))
        if field in source.fields
        else None,
        Choice(
            "chart",
            _("Chart"),
            [("", _("None")), *((name, _(text)) for name, text in result.CHARTS.items())],
            next(iter(given.get("chart", ())), ""),
        ),
        bar.compare(given),
        choices.order(query, given),
        bar.bar(scope, report, given),
        [(name, value) for name in HIDDEN for value in given.get(name, ())],
    )


def _listed(given: Parameters, name: str) -> list[str]:
    return [part for value in given.get(name, ()) for part in value.split(",") if part]


def _filters(scope: Scope, query: Query | None, given: Parameters, path: str) -> list[Chosen]:
    """Return the filters of the query; without one, those that the address names."""
    if query is None:
        names = [name for name in given if name.partition("__")[0] in _field_names(given)]
        return [_chosen(name, ", ".join(given[name]), given, path) for name in names]
    found = []
    for each in query.filters:
        suffix = f"__{each.op}" if each.op is not Op.ANY_OF else ""
        full = query.source.full_name(each.entity, each.field)
        either = (f"{full}{suffix}", f"{each.entity.name}.{each.field.name}{suffix}")
        name = next((name for name in either if name in given), either[0])
        found.append(_chosen(name, display.sentence(scope, query, each), given, path))
    return found


def _field_names(given: Parameters) -> set[str]:
    source = SOURCES.get(next(iter(given.get("source", ())), ""))
    return set(source.fields) if source else set()


def _chosen(name: str, text: str, given: Parameters, path: str) -> Chosen:
    return Chosen(text, [(name, value) for value in given.get(name, ())], _without(name, given, path))


def _without(name: str, given: Parameters, path: str) -> str:
    return f"{path}?{urlencode({each: given[each] for each in given if each != name}, doseq=True)}"


def parameters(report: SavedReport, given: Parameters) -> dict[str, list[str]]:
    """Return the parameters of a report in the builder when its address has none."""
    if given:
        return normal(given)
    stored = {**report.parameters, "chart": [report.chart], NAME: [report.name], ABOUT: [report.description]}
    return normal({**stored, "source": [report.source.name], SHARING: [report.shared]})


def query_of(given: Parameters) -> dict[str, list[str]]:
    """Return the parameters that belong to the query."""
    return {name: list(values) for name, values in given.items() if name not in OWN}
