"""The table of operators, read by the editor, by validation and by the matcher. Pure.

A row gives the sentence of the operator, the kinds of field it applies to, its operands and its predicate.
Stored rules refer to an operator by its name, so names never change. Source: operators by field type.
"""

from __future__ import annotations

import operator as op
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from dashboard.i18n.message import N_, Message, message
from dashboard.rulelang import predicates, time_predicates, words
from dashboard.rulelang.fields import Field, Kind
from dashboard.rulelang.operand_types import Operand as O
from dashboard.rulelang.predicates import Build, members, negated, number, of_texts
from dashboard.rulelang.time_predicates import ago, calendar, on_local, same_local


class Takes(StrEnum):
    """The argument of a test: the value, the Change by the event, or (value, time of the event in ms)."""

    VALUE = "value"
    CHANGE = "change"
    MOMENT = "moment"


@dataclass(frozen=True, slots=True)
class Operator:
    """One row. `phrase` has placeholders %(field)s and, by the number of operands, %(value)s or
    %(first)s, %(second)s, %(third)s. `opposite` names the operator that is true where this is false."""

    name: str
    phrase: str
    kinds: frozenset[Kind]
    operands: tuple[O, ...]
    build: Build
    takes: Takes = Takes.VALUE
    opposite: str = ""
    ordered: bool = False  # fits only choices and texts that have an order

    @property
    def label(self) -> Message:
        """Return the phrase without its field and with gaps for operands: "is between … and …"."""
        gaps = dict.fromkeys(("value", "first", "second", "third"), "…")
        return message(self.phrase, field="", **gaps)

    def fits(self, field: Field) -> bool:
        """Say whether the operator can be used on `field`."""
        if self.kinds <= NUMERIC and not field.declared:
            return True
        named = self.kinds == {Kind.PERSON} and field.names_user
        return named or (field.kind in self.kinds and (field.ordered or not self.ordered))


K = Kind
_SHORT = frozenset({K.TEXT, K.ADDRESS})
_TEXT = frozenset({K.TEXT, K.LONG_TEXT, K.ADDRESS})
_PICKED = frozenset({K.CHOICE, K.PERSON, K.QUEUE})
NUMERIC = frozenset({K.NUMBER, K.DURATION})
_LOCAL = frozenset({K.INSTANT, K.CLOCK, K.WEEKDAY})
_ANY = frozenset(K) - {K.CLOCK, K.WEEKDAY}
_CHANGING = _ANY - {K.LONG_TEXT, K.LIST, K.YES_NO}


def _only(*kinds: Kind) -> frozenset[Kind]:
    return frozenset(kinds)


def _pair(
    name: str,
    phrase: str,
    no_name: str,
    no_phrase: str,
    kinds: frozenset[Kind],
    operands: tuple[O, ...],
    build: Build,
) -> tuple[Operator, Operator]:
    """Return an operator and its opposite."""
    return (
        Operator(name, phrase, kinds, operands, build, opposite=no_name),
        Operator(no_name, no_phrase, kinds, operands, negated(build), opposite=name),
    )


_is = of_texts(lambda text, wanted: text == wanted[0])
_any_of = of_texts(lambda text, wanted: text in wanted[0])
_contains = of_texts(lambda text, wanted: wanted[0] in text)
_contains_any = of_texts(lambda text, wanted: any(each in text for each in wanted[0]))
_contains_all = of_texts(lambda text, wanted: all(each in text for each in wanted[0]))

TEXTS = (
    *_pair(
        "is", N_("%(field)s is %(value)s"), "is_not", N_("%(field)s is not %(value)s"), _SHORT, (O.TEXT,), _is
    ),
    *_pair(
        "is_any_of",
        N_("%(field)s is one of %(value)s"),
        "is_none_of",
        N_("%(field)s is not one of %(value)s"),
        _SHORT,
        (O.TEXTS,),
        _any_of,
    ),
    *_pair(
        "contains",
        N_("%(field)s contains %(value)s"),
        "contains_not",
        N_("%(field)s does not contain %(value)s"),
        _TEXT,
        (O.TEXT,),
        _contains,
    ),
    Operator("contains_any", N_("%(field)s contains any of %(value)s"), _TEXT, (O.TEXTS,), _contains_any),
    Operator("contains_all", N_("%(field)s contains all of %(value)s"), _TEXT, (O.TEXTS,), _contains_all),
    Operator(
        "starts_with",
        N_("%(field)s starts with %(value)s"),
        _SHORT,
        (O.TEXT,),
        of_texts(lambda text, wanted: text.startswith(wanted[0])),
    ),
    Operator(
        "ends_with",
        N_("%(field)s ends with %(value)s"),
        _SHORT,
        (O.TEXT,),
        of_texts(lambda text, wanted: text.endswith(wanted[0])),
    ),
    Operator(
        "contains_word",
        N_("%(field)s contains the word %(value)s"),
        _only(K.LONG_TEXT),
        (O.TEXT,),
        of_texts(lambda text, wanted: words.has_word(text, wanted[0])),
    ),
    *_pair(
        "matches",
        N_("%(field)s matches the pattern %(value)s"),
        "matches_not",
        N_("%(field)s does not match the pattern %(value)s"),
        _TEXT,
        (O.PATTERN,),
        predicates.pattern,
    ),
    Operator(
        "longer_than",
        N_("%(field)s is longer than %(value)s characters"),
        _SHORT,
        (O.COUNT,),
        predicates.length(op.gt),
    ),
    Operator(
        "shorter_than",
        N_("%(field)s is shorter than %(value)s characters"),
        _SHORT,
        (O.COUNT,),
        predicates.length(op.lt),
    ),
    Operator(
        "domain_is",
        N_("the domain of %(field)s is %(value)s"),
        _only(K.ADDRESS),
        (O.TEXT,),
        of_texts(lambda text, wanted: words.domain(text) == wanted[0]),
    ),
    Operator(
        "domain_under",
        N_("the domain of %(field)s is %(value)s or below it"),
        _only(K.ADDRESS),
        (O.TEXT,),
        of_texts(lambda text, wanted: words.in_domain(text, wanted[0])),
    ),
    Operator(
        "is_own_address",
        N_("%(field)s is one of our addresses"),
        _only(K.ADDRESS),
        (),
        predicates.is_own_address,
    ),
    Operator(
        "ip_is", N_("%(field)s is the address %(value)s"), _only(K.IP), (O.ADDRESS,), predicates.same_ip
    ),
    *_pair(
        "in_network",
        N_("%(field)s is in network %(value)s"),
        "in_network_not",
        N_("%(field)s is not in network %(value)s"),
        _only(K.IP),
        (O.NETWORKS,),
        predicates.in_network,
    ),
)

CHOICES = (
    *_pair(
        "one_of",
        N_("%(field)s is one of %(value)s"),
        "not_one_of",
        N_("%(field)s is not one of %(value)s"),
        _PICKED,
        (O.CHOICES,),
        predicates.one_of,
    ),
    Operator("is_me", N_("%(field)s is me"), _only(K.PERSON), (), predicates.is_me),
    Operator("on_my_team", N_("%(field)s is on my team"), _only(K.PERSON), (), predicates.on_my_team),
    Operator(
        "at_least",
        N_("%(field)s is at least %(value)s"),
        _only(K.CHOICE, K.TEXT),
        (O.CHOICE,),
        predicates.ranked(op.ge),
        ordered=True,
    ),
    Operator(
        "at_most",
        N_("%(field)s is at most %(value)s"),
        _only(K.CHOICE, K.TEXT),
        (O.CHOICE,),
        predicates.ranked(op.le),
        ordered=True,
    ),
    Operator(
        "increased",
        N_("%(field)s increased"),
        _only(K.CHOICE, K.TEXT),
        (),
        predicates.ranks(lambda old, new: new > old),
        Takes.CHANGE,
        ordered=True,
    ),
    Operator(
        "decreased",
        N_("%(field)s decreased"),
        _only(K.CHOICE, K.TEXT),
        (),
        predicates.ranks(lambda old, new: new < old),
        Takes.CHANGE,
        ordered=True,
    ),
    *_pair(
        "has_any",
        N_("%(field)s includes any of %(value)s"),
        "has_none",
        N_("%(field)s includes none of %(value)s"),
        _only(K.LIST),
        (O.CHOICES,),
        members(lambda held, wanted: bool(held & wanted)),
    ),
    Operator(
        "has_all",
        N_("%(field)s includes all of %(value)s"),
        _only(K.LIST),
        (O.CHOICES,),
        members(lambda held, wanted: wanted <= held),
    ),
    Operator(
        "has_exactly",
        N_("%(field)s is exactly %(value)s"),
        _only(K.LIST),
        (O.CHOICES,),
        members(lambda held, wanted: wanted == held),
    ),
    Operator(
        "added",
        N_("%(field)s: any of %(value)s added"),
        _only(K.LIST),
        (O.CHOICES,),
        predicates.members_changed(gained=True),
        Takes.CHANGE,
    ),
    Operator(
        "removed",
        N_("%(field)s: any of %(value)s removed"),
        _only(K.LIST),
        (O.CHOICES,),
        predicates.members_changed(gained=False),
        Takes.CHANGE,
    ),
    Operator("is_true", N_("%(field)s is true"), _only(K.YES_NO), (), predicates.truth(wanted=True)),
    Operator("is_false", N_("%(field)s is false"), _only(K.YES_NO), (), predicates.truth(wanted=False)),
    Operator(
        "became_true",
        N_("%(field)s changed to true"),
        _only(K.YES_NO),
        (),
        predicates.became(wanted=True),
        Takes.CHANGE,
    ),
    Operator(
        "became_false",
        N_("%(field)s changed to false"),
        _only(K.YES_NO),
        (),
        predicates.became(wanted=False),
        Takes.CHANGE,
    ),
)

NUMBERS = (
    Operator("eq", N_("%(field)s = %(value)s"), NUMERIC, (O.NUMBER,), number(op.eq)),
    Operator("ne", N_("%(field)s ≠ %(value)s"), NUMERIC, (O.NUMBER,), number(op.ne)),
    Operator("lt", N_("%(field)s < %(value)s"), NUMERIC, (O.NUMBER,), number(op.gt)),
    Operator("le", N_("%(field)s ≤ %(value)s"), NUMERIC, (O.NUMBER,), number(op.ge)),
    Operator("gt", N_("%(field)s > %(value)s"), NUMERIC, (O.NUMBER,), number(op.lt)),
    Operator("ge", N_("%(field)s ≥ %(value)s"), NUMERIC, (O.NUMBER,), number(op.le)),
    Operator(
        "between",
        N_("%(field)s is between %(first)s and %(second)s"),
        NUMERIC,
        (O.NUMBER, O.NUMBER),
        predicates.between,
    ),
    Operator(
        "increased_by",
        N_("%(field)s increased by at least %(value)s"),
        NUMERIC,
        (O.NUMBER,),
        predicates.numbers(lambda old, new, least: new > old and new - old >= least),
        Takes.CHANGE,
    ),
    Operator(
        "decreased_by",
        N_("%(field)s decreased by at least %(value)s"),
        NUMERIC,
        (O.NUMBER,),
        predicates.numbers(lambda old, new, least: old > new and old - new >= least),
        Takes.CHANGE,
    ),
    Operator(
        "crossed_up",
        N_("%(field)s rose to %(value)s or more"),
        NUMERIC,
        (O.NUMBER,),
        predicates.numbers(lambda old, new, level: old < level <= new),
        Takes.CHANGE,
    ),
    Operator(
        "crossed_down",
        N_("%(field)s fell below %(value)s"),
        NUMERIC,
        (O.NUMBER,),
        predicates.numbers(lambda old, new, level: new < level <= old),
        Takes.CHANGE,
    ),
)

_INSTANT = _only(K.INSTANT)
TIMES = (
    Operator("before", N_("%(field)s is before %(value)s"), _INSTANT, (O.INSTANT,), number(op.gt)),
    Operator("after", N_("%(field)s is after %(value)s"), _INSTANT, (O.INSTANT,), number(op.lt)),
    Operator(
        "within",
        N_("%(field)s is between %(first)s and %(second)s"),
        _INSTANT,
        (O.INSTANT, O.INSTANT),
        predicates.between,
    ),
    Operator(
        "on_date", N_("%(field)s is on %(value)s"), _INSTANT, (O.DATE,), on_local(time_predicates.on_date)
    ),
    Operator(
        "more_than_ago",
        N_("%(field)s is more than %(value)s ago"),
        _INSTANT,
        (O.SECONDS,),
        ago(lambda age, limit: age > limit),
        Takes.MOMENT,
    ),
    Operator(
        "less_than_ago",
        N_("%(field)s is less than %(value)s ago"),
        _INSTANT,
        (O.SECONDS,),
        ago(lambda age, limit: 0 <= age < limit),
        Takes.MOMENT,
    ),
    Operator(
        "in_next",
        N_("%(field)s is within the next %(value)s"),
        _INSTANT,
        (O.SECONDS,),
        ago(lambda age, limit: 0 < -age <= limit),
        Takes.MOMENT,
    ),
    Operator(
        "open_ago",
        N_("%(field)s is more than %(second)s working time ago (%(first)s)"),
        _INSTANT,
        (O.CALENDAR, O.SECONDS),
        time_predicates.open_ago,
        Takes.MOMENT,
    ),
    Operator(
        "is_today", N_("%(field)s is today"), _INSTANT, (), same_local(lambda at: at.date()), Takes.MOMENT
    ),
    Operator(
        "is_this_week",
        N_("%(field)s is this week"),
        _INSTANT,
        (),
        same_local(lambda at: at.isocalendar()[:2]),
        Takes.MOMENT,
    ),
    Operator(
        "is_this_month",
        N_("%(field)s is this month"),
        _INSTANT,
        (),
        same_local(lambda at: (at.year, at.month)),
        Takes.MOMENT,
    ),
    Operator(
        "moved_earlier",
        N_("%(field)s was moved earlier"),
        _INSTANT,
        (),
        predicates.numbers(lambda old, new, _none: new < old),
        Takes.CHANGE,
    ),
    Operator(
        "moved_later",
        N_("%(field)s was moved later"),
        _INSTANT,
        (),
        predicates.numbers(lambda old, new, _none: new > old),
        Takes.CHANGE,
    ),
    Operator(
        "clock_between",
        N_("%(field)s is from %(first)s to %(second)s"),
        _only(K.CLOCK),
        (O.CLOCK, O.CLOCK),
        on_local(time_predicates.in_clock),
    ),
    Operator(
        "shift_between",
        N_("%(field)s is in a shift starting on %(first)s, %(second)s to %(third)s"),
        _only(K.CLOCK),
        (O.WEEKDAYS, O.CLOCK, O.CLOCK),
        on_local(time_predicates.in_shift),
    ),
    Operator(
        "weekday_of",
        N_("%(field)s is one of %(value)s"),
        _only(K.WEEKDAY),
        (O.WEEKDAYS,),
        on_local(time_predicates.weekday),
    ),
    *_pair(
        "in_calendar",
        N_("%(field)s is within the working hours of %(value)s"),
        "in_calendar_not",
        N_("%(field)s is outside the working hours of %(value)s"),
        _LOCAL,
        (O.CALENDAR,),
        calendar(lambda found, ts: found.is_open(ts)),
    ),
    Operator(
        "is_holiday",
        N_("%(field)s is a holiday in %(value)s"),
        _LOCAL,
        (O.CALENDAR,),
        calendar(lambda found, ts: found.is_holiday(ts)),
    ),
)

GENERAL = (
    *_pair(
        "is_empty",
        N_("%(field)s is empty"),
        "is_not_empty",
        N_("%(field)s is not empty"),
        _ANY,
        (),
        predicates.empty,
    ),
    Operator("changed", N_("%(field)s changed"), _CHANGING, (), predicates.changed, Takes.CHANGE),
    Operator(
        "changed_from_to",
        N_("%(field)s changed from %(first)s to %(second)s"),
        _SHORT | _PICKED,
        (O.MAYBE, O.MAYBE),
        predicates.from_to,
        Takes.CHANGE,
    ),
)

OPERATORS = MappingProxyType(
    {row.name: row for rows in (TEXTS, CHOICES, NUMBERS, TIMES, GENERAL) for row in rows}
)


def operators(field: Field) -> list[Operator]:
    """Return the operators that fit `field`, in the order in which a person is offered them."""
    return [row for row in OPERATORS.values() if row.fits(field)]
