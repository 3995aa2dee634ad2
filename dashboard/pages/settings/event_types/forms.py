"""The filter of the list, and the choices that were made in one group of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from werkzeug.datastructures import MultiDict

from dashboard import catalog
from dashboard.events.switches import Choice
from dashboard.i18n.message import N_
from dashboard.web import lists

STATES = {
    "": N_("Any"),
    "seen": N_("Occurred in the last 24 hours"),
    "off": N_("Not recorded"),
    "closed": N_("Not for rules"),
    "source": N_("Needs a source"),
}


@dataclass(frozen=True)
class Filter:
    text: str = ""
    group: str = ""
    state: str = ""


class Wanted(NamedTuple):
    """What was ticked for a type, and what its page showed before."""

    type: str
    was: Choice
    now: Choice


def parse_filter(args: Mapping[str, str]) -> Filter:
    """Return the filter of an address; what it cannot mean is no filter."""
    group, state = args.get("group", ""), args.get("state", "")
    return Filter(
        lists.needle(args), group if group in catalog.GROUPS else "", state if state in STATES else ""
    )


def parse(form: MultiDict[str, str], group: str) -> list[Wanted]:
    """Return the changes of a group's form: types that were shown one way and are ticked another.

    What the form did not show stays as it is, so nothing is switched off by a list that was filtered.
    """
    recorded, in_rules = set(form.getlist("recorded")), set(form.getlist("rules"))
    shown = dict(_shown(form.getlist("was")))
    made = [Wanted(name, was, Choice(name in recorded, name in in_rules)) for name, was in shown.items()]
    return [one for one in made if one.was != one.now and group_of(one.type) == group]


def group_of(type_: str) -> str | None:
    found = catalog.find(type_)
    return found.group if found is not None else None


def _shown(values: Iterable[str]) -> Iterable[tuple[str, Choice]]:
    """Yield the types that the page showed: "11 chat.queued" was recorded and open to rules."""
    for value in values:
        marks, _, name = value.partition(" ")
        known = catalog.find(name)
        if len(marks) == 2 and known is not None and known.name == name:
            yield name, Choice(marks[0] == "1", marks[1] == "1")
