"""What a text finds, each kind within the viewer's scope and permissions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from flask import url_for
from flask_babel import gettext as _

from dashboard import clock
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.i18n import zone
from dashboard.models import Queue, Rule
from dashboard.rules import permissions
from dashboard.sources import answer, display, run
from dashboard.sources.catalogue import INTERACTIONS
from dashboard.sources.parameters import parse
from dashboard.sources.values import FIRST_DATE
from dashboard.tracing import people as traceable
from dashboard.web import lists
from dashboard.web.page import row_url

SHOWN = 10  # of each kind
COLUMNS = ("id", "created", "channel", "queue", "contact")
PERIOD = "last_90_days"  # of interactions: a search through all of them would take seconds

Row = TypeVar("Row")


class Hit(NamedTuple):
    title: str
    url: str
    note: str = ""


class Kind(NamedTuple):
    """Hits of one kind. `more` is how many are not shown, `all_url` where all are if a list can show them.

    With `failed` the kind could not be searched, and why.
    """

    label: str
    hits: list[Hit]
    more: int = 0
    all_url: str = ""
    failed: str = ""


def kinds(scope: Scope, text: str) -> list[Kind]:
    """Return what is found of each kind that has hits or could not be searched."""
    searched = (people(scope, text), queues(scope, text), interactions(scope, text), rules(scope, text))
    return [kind for kind in searched if kind.hits or kind.failed]


def people(scope: Scope, text: str) -> Kind:
    """Return those whom the viewer may trace, by name and username."""
    everybody = traceable.people(scope, deactivated=True)
    found = [each for each in everybody if lists.found(text, each.name, each.login)]
    return _kind(
        _("Users"),
        lists.by_name(found, lambda each: each.name),
        lambda each: Hit(each.name, _traced(each), each.login),
    )


def _traced(person: traceable.Person) -> str:
    return url_for("tracing.index", user=person.login, deactivated="1" if person.deactivated_ts else None)


def queues(scope: Scope, text: str) -> Kind:
    """Return the queues whose content the viewer may see, for those who may see interactions."""
    q = Queue
    columns = q.select(q.name, q.label).where(scope.allows_queue(q.id)).tuples()
    every = columns if scope.can(Permission.QUEUES_FIGURES) else ()
    found = [(name, label) for name, label in every if lists.found(text, name, label)]
    return _kind(
        _("Queues"),
        lists.by_name(found, lambda each: each[1]),
        lambda each: Hit(each[1], url_for("interactions.index", queue=each[0]), each[0]),
    )


def interactions(scope: Scope, text: str) -> Kind:
    """Return the newest interactions of PERIOD with this number or, unless contacts are masked, contact."""
    label = _("Interactions")
    if not scope.can(Permission.QUEUES_FIGURES):
        return Kind(label, [])
    asked = {"q": [text], "period": [PERIOD], "columns": COLUMNS, "limit": [str(SHOWN)]}
    query = parse(INTERACTIONS, asked, zone(), clock.now_s(), answer.names(scope))
    try:
        found = run.rows(scope, query)
    except run.TooLong:
        lately = url_for("interactions.index", q=text)
        return Kind(label, [], all_url=lately, failed=_("This takes too long. Choose a shorter period."))
    texts = display.cells(scope, query.columns, [values for _key, values in found.rows], query.zone)
    hits = [
        Hit(shown[0], row_url("interactions.show", key), " · ".join(each for each in shown[1:] if each))
        for (key, _values), shown in zip(found.rows, texts, strict=True)
    ]
    every = url_for("interactions.index", q=text, period=PERIOD)
    return Kind(label, hits, found.number - len(hits), every)


def ever_url(scope: Scope, text: str) -> str | None:
    """Return where interactions of any time are searched, None for who may see none."""
    if not scope.can(Permission.QUEUES_FIGURES):
        return None
    return f"{url_for('interactions.index', q=text)}&from={FIRST_DATE}"


def rules(scope: Scope, text: str) -> Kind:
    """Return the rules that the viewer may see, by name and description."""
    r = Rule
    rows = r.select(r.id, r.name, r.description).where(permissions.visible(scope)).tuples()
    found = [row for row in rows if lists.found(text, row[1], row[2])]
    return _kind(
        _("Rules"),
        lists.by_name(found, lambda row: row[1]),
        lambda row: Hit(row[1], url_for("rules.show", ident=row[0]), row[2]),
    )


def _kind(label: str, found: Sequence[Row], hit: Callable[[Row], Hit]) -> Kind:
    return Kind(label, [hit(each) for each in found[:SHOWN]], max(0, len(found) - SHOWN))
