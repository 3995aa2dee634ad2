"""Recipes: sentences with holes, and the rules that filled ones make. Pure.

The rule of a recipe is the one of the starter set with its key, with the values of the holes and one notice.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from dashboard.i18n.message import N_
from dashboard.rulelang import fields
from dashboard.rulelang.rate_limits import By, Often
from dashboard.rules.starter_rules import HOUR_S, QUARTER_S, STARTERS


class HoleKind(StrEnum):
    """What is filled into a hole: the value in a definition, and what stands for it there."""

    SECONDS = "seconds"
    NUMBER = "number"
    QUEUE = "queue"  # an id as a condition, "" for any queue
    TEAM = "team"  # an id as a condition, "" for any team
    TYPE = "type"  # one of the recipe's `types`
    CUSTOMER = "customer"  # a tag, telephone number or email address as conditions
    RECIPIENTS = "recipients"  # the "to" of a notice
    FREQUENCY = "frequency"  # seconds between two notices, or Often.ALWAYS


Place = tuple[str | int, ...]  # keys and indexes from the root of a definition


class Hole(NamedTuple):
    """A field at the placeholder `name` of the sentence; its value stands at `place`, none for conditions."""

    name: str
    kind: HoleKind
    label: str
    place: Place = ()


class Recipe(NamedTuple):
    """A sentence with placeholders; `types` are offered for a hole of the kind TYPE.

    `title` and `text` replace those of the starter rule's notice, `often` is proposed for the frequency.
    """

    name: str
    sentence: str
    holes: tuple[Hole, ...]
    often: int | Often = Often.ALWAYS
    types: tuple[str, ...] = ()
    title: str = ""
    text: str = ""


CONDITIONS = MappingProxyType({HoleKind.QUEUE: ("queue", "one_of"), HoleKind.TEAM: ("user.team", "has_any")})
CUSTOMER_TAGS = ("subject.tags", "data.requester_tags", "data.tags")
CUSTOMER_ADDRESSES = ("contact.phone", "contact.email")

COMMON = (
    Hole("to", HoleKind.RECIPIENTS, N_("Recipients"), ("then", 0, "to")),
    Hole("often", HoleKind.FREQUENCY, N_("Maximum frequency"), ("then", 0, "limit")),
)
_TIME = Hole("time", HoleKind.SECONDS, N_("Duration"), ("after", "seconds"))
_WAIT = Hole("wait", HoleKind.SECONDS, N_("Waiting time"), ("if", "all", 0, "value"))
_QUEUE = Hole("queue", HoleKind.QUEUE, N_("Queue"))
_TEAM = Hole("team", HoleKind.TEAM, N_("Team"))

RECIPES: Mapping[str, Recipe] = {
    "chat": Recipe(
        N_("Chat waits too long"),
        N_("When a chat in %(queue)s waits longer than %(time)s, notify %(to)s, %(often)s."),
        (_QUEUE, _TIME),
        QUARTER_S,
        title=N_("A chat is waiting too long"),
    ),
    "call": Recipe(
        N_("Call waits too long"),
        N_("When a call in %(queue)s waits longer than %(time)s, notify %(to)s, %(often)s."),
        (_QUEUE, _TIME),
        QUARTER_S,
    ),
    "abandoned": Recipe(
        N_("Caller hangs up while waiting"),
        N_("When a caller in %(queue)s hangs up after more than %(wait)s, notify %(to)s, %(often)s."),
        (_QUEUE, _WAIT),
        QUARTER_S,
    ),
    "queue": Recipe(
        N_("Queue below its service level"),
        N_(
            "When %(number)s calls in %(queue)s wait longer than %(wait)s within %(time)s, notify %(to)s, "
            "%(often)s."
        ),
        (
            Hole("number", HoleKind.NUMBER, N_("Number of calls"), ("times", "number")),
            _QUEUE,
            _WAIT,
            Hole("time", HoleKind.SECONDS, N_("Duration"), ("times", "seconds")),
        ),
        HOUR_S,
    ),
    "pause": Recipe(
        N_("Pause too long"),
        N_("When the pause of an agent of %(team)s is longer than %(time)s, notify %(to)s, %(often)s."),
        (_TEAM, _TIME),
        title=N_("An agent's pause is too long"),
    ),
    "agent": Recipe(
        N_("Agent idle too long"),
        N_("When an agent of %(team)s has no work for %(time)s, notify %(to)s, %(often)s."),
        (_TEAM, _TIME),
    ),
    "ticket": Recipe(
        N_("Ticket idle too long"),
        N_("When nobody works on a ticket of %(queue)s for %(time)s, notify %(to)s, %(often)s."),
        (_QUEUE, _TIME),
        title=N_("A ticket is idle"),
    ),
    "followup": Recipe(
        N_("Follow-up due"),
        N_("When the follow-up of a ticket of %(queue)s is overdue by %(time)s, notify %(to)s, %(often)s."),
        (_QUEUE, _TIME),
    ),
    "rating": Recipe(
        N_("Low rating"),
        N_("When a customer rates %(queue)s with %(number)s or less, notify %(to)s, %(often)s."),
        (_QUEUE, Hole("number", HoleKind.NUMBER, N_("Rating"), ("if", "all", 0, "value"))),
    ),
    "vip": Recipe(
        N_("VIP gets in touch"),
        N_("When “%(type)s” occurs and the customer is %(who)s, notify %(to)s, %(often)s."),
        (
            Hole("type", HoleKind.TYPE, N_("Event type"), ("types",)),
            Hole("who", HoleKind.CUSTOMER, N_("Tag, phone number or email address"), ("if",)),
        ),
        types=("call.queued", "call.abandoned", "chat.queued", "chat.abandoned", "ticket.created"),
        title=N_("VIP: {{ event.type }}"),
        text=N_("{{ contact.name }} {{ contact.phone }}, {{ queue.name }}."),
    ),
    "silent": Recipe(
        N_("Source silent"),
        N_("When a source sends no events at a time at which it usually does, notify %(to)s, %(often)s."),
        (),
        QUARTER_S,
    ),
    "disk": Recipe(
        N_("Disk space low"),
        N_("When little space is left on the disk with the data of Stopa, notify %(to)s, %(often)s."),
        (),
        HOUR_S,
    ),
}
STARTER = {each.key: each for each in STARTERS if each.key}


def default(key: str, hole: Hole) -> Any:
    """Return what a hole of a recipe holds until it is filled: the value of the starter rule."""
    if hole.kind is HoleKind.TYPE:
        return RECIPES[key].types[0]
    if hole.kind is HoleKind.CUSTOMER:
        return "VIP"
    if hole.kind is HoleKind.FREQUENCY:
        return RECIPES[key].often
    found: Any = STARTER[key].definition if hole.place else ""
    for step in hole.place:
        found = found[step]
    return found


def made(key: str, values: Mapping[str, Any], translate: Callable[[str], str]) -> dict[str, Any]:
    """Return the definition that a recipe makes of the values of its holes, by name; it is not checked."""
    recipe, starter = RECIPES[key], STARTER[key].definition
    notice = next(each for each in starter["then"] if each["do"] == "notify")
    made = copy.deepcopy({name: part for name, part in starter.items() if name != "then"})
    title, text = recipe.title or notice["title"], recipe.text or notice["text"]
    said = {"title": translate(title), "text": translate(text), "urgent": notice.get("urgent", False)}
    made["then"] = [{"do": "notify", **said}]
    conditions = []
    for hole in (*recipe.holes, *COMMON):
        value = values[hole.name]
        if hole.kind in CONDITIONS:
            conditions += _condition(hole.kind, value)
        else:
            _put(made, hole.place, _value(hole.kind, value, made["types"]))
    if conditions:
        tree = made.get("if", {"all": []})
        made["if"] = {"all": [*tree.get("all", [tree]), *conditions]}
    return made


def invitation(source: str, page: str, calendar: str, texts: Mapping[str, str]) -> dict[str, Any]:
    """Return the definition of a rule that invites the idle visitors of the site `source` to a chat.

    `page` is a part of the page's address and `calendar` the name of the working hours, both "" for any.
    `texts` holds the text by language, the default one under "".
    """
    conditions: list[dict[str, Any]] = [{"field": "source", "op": "one_of", "value": [source]}]
    if page:
        conditions.append({"field": "data.url", "op": "contains", "value": page})
    if calendar:
        conditions.append({"field": "time", "op": "in_calendar", "value": calendar})
    by_language = {name: text for name, text in texts.items() if name and text}
    action = {"do": "invite", "text": texts[""], "texts": by_language}
    return {"types": ["visitor.idle"], "if": {"all": conditions}, "then": [action]}


def _condition(kind: HoleKind, value: Any) -> list[dict[str, Any]]:
    field, op = CONDITIONS[kind]
    return [{"field": field, "op": op, "value": [value]}] if value != "" else []


def _value(kind: HoleKind, value: Any, types: Collection[str]) -> Any:
    """Return what stands in the definition for the value of a hole."""
    if kind is HoleKind.TYPE:
        return [value]
    if kind is HoleKind.CUSTOMER:
        known = fields.fields(types)
        tags = [{"field": path, "op": "has_any", "value": [value]} for path in CUSTOMER_TAGS if path in known]
        return {"any": [*tags, *({"field": path, "op": "is", "value": value} for path in CUSTOMER_ADDRESSES)]}
    if kind is HoleKind.FREQUENCY and value != Often.ALWAYS:
        return {"often": Often.PERIOD, "by": By.RULE, "seconds": value}
    return {"often": value} if kind is HoleKind.FREQUENCY else value


def _put(definition: dict[str, Any], place: Place, value: Any) -> None:
    *path, last = place
    inner: Any = definition
    for step in path:
        inner = inner[step]
    inner[last] = value
