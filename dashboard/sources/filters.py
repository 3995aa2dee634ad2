"""Reads filters from the parameters of an address: FIELD=VALUE and FIELD__OP=VALUE. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from dashboard.db.search import is_long_enough
from dashboard.i18n.message import N_, NOT_CLEAN, NOT_WHOLE, Errors, Message, message
from dashboard.sources.measures import UNKNOWN_FIELD
from dashboard.sources.period import CYCLIC, Bucket
from dashboard.sources.period_parameters import NO_MOMENT, UNKNOWN_VALUE
from dashboard.sources.query import Filter, Names, Op, operators
from dashboard.sources.types import Field, Source, Type
from dashboard.sources.values import is_storable, moment, number, yes_no

MAX_VALUES = 50
MAX_SEARCH = 100

UNKNOWN_OPERATOR = N_("This field can't be compared this way. Use one of %(names)s.")
NO_USER = N_("There is no user “%(name)s” in your scope.")
NO_QUEUE = N_("There is no queue “%(name)s” in your scope.")
NO_SOURCE = N_("There is no source “%(name)s”.")
TOO_MANY_VALUES = N_("At most %(most)s values.")
TOO_SHORT = N_("Enter at least three characters, or two Japanese ones.")
MASKED = N_("Contacts are masked for you, so they can't be searched.")


class FilterReader:
    """Reads the filters of a source and adds to `errors` by parameter."""

    def __init__(self, source: Source, zone: str, names: Names, errors: Errors) -> None:
        self.source, self.zone, self.names, self.errors = source, zone, names, errors

    def read(self, given: Mapping[str, Sequence[str]]) -> list[Filter]:
        """Return the filters of these parameters; those that cannot be used become errors."""
        found = []
        for name, values in given.items():
            if not any(values):
                continue
            base, _, suffix = name.partition("__")
            if base in CYCLIC and base not in self.source.fields:
                found += self.cyclic(name, base, suffix, [value for value in values if value])
                continue
            read = self.one(base, suffix, [value for value in values if value])
            if isinstance(read, Message):
                self.errors[name] = read
            else:
                found.append(read)
        return found

    def one(self, name: str, op: str, given: Sequence[str]) -> Filter | Message:
        """Return the filter of a field by an operator, or why there is none."""
        known = self.source.usable.get(name)
        if known is None:
            return message(UNKNOWN_FIELD, names=", ".join(self.source.usable))
        entity, field = known
        allowed = operators(field.type)
        if op not in allowed:
            shown = ", ".join(f"{name}__{each}" if each else name for each in allowed)
            return message(UNKNOWN_OPERATOR, names=shown)
        values = self.values(field, Op(op), given)
        return values if isinstance(values, Message) else Filter(entity, field, Op(op), values)

    def cyclic(self, name: str, base: str, suffix: str, given: Sequence[str]) -> list[Filter]:
        """Return the filter of a day or hour of the week, or an hour of the day, such as weekday=1."""
        span = CYCLIC[base]
        numbers = [int(text) for text in given if re.fullmatch("[0-9]{1,3}", text, re.ASCII)]
        if suffix or len(numbers) < len(given) or any(each not in span for each in numbers):
            self.errors[name] = message(NOT_WHOLE, least=span[0], most=span[-1])
            return []
        return [Filter(*self.source.timed_field, Op.ANY_OF, tuple(numbers), Bucket(base))]

    def values(self, field: Field, op: Op, given: Sequence[str]) -> tuple[str | int, ...] | Message:
        if len(given) > MAX_VALUES:
            return message(TOO_MANY_VALUES, most=MAX_VALUES)
        found: list[str | int] = []
        for text in given:
            value = self.tested(field, op, text) if is_storable(text) else Message(NOT_CLEAN)
            if isinstance(value, Message):
                return value
            found.append(value)
        return tuple(found)

    def tested(self, field: Field, op: Op, text: str) -> str | int | Message:
        match op:
            case Op.CONTAINS:
                return self.contained(field, text.strip())
            case Op.BLANK:
                return yes_no(text)
            case _:
                return self.value(field, text)

    def contained(self, field: Field, text: str) -> str | Message:
        """Return a text to look for; masked contacts cannot be searched."""
        if field.type is Type.CONTACT and not self.names.sees_contacts:
            return Message(MASKED)
        return text[:MAX_SEARCH] if is_long_enough(text) else Message(TOO_SHORT)

    def value(self, field: Field, text: str) -> str | int | Message:
        match field.type:
            case Type.CHOICE:
                known = text in field.choices
                return text if known else message(UNKNOWN_VALUE, names=", ".join(field.choices))
            case Type.NUMBER | Type.PERCENT | Type.DURATION | Type.ID | Type.CONTACT:
                return number(text)
            case Type.YES_NO:
                return yes_no(text)
            case Type.MOMENT:
                found = moment(text, self.zone)
                return Message(NO_MOMENT) if found is None else found * field.scale
            case Type.USER:
                user = self.names.user(text)
                return message(NO_USER, name=text[:80]) if user is None else user
            case Type.QUEUE:
                queue = self.names.queue(text)
                return message(NO_QUEUE, name=text[:80]) if queue is None else queue
            case Type.SOURCE:
                source = self.names.source(text)
                return message(NO_SOURCE, name=text[:80]) if source is None else source
            case Type.TEXT | Type.NOTE:
                return text

    def is_single(self, filters: Iterable[Filter]) -> bool:
        """Return whether a source whose rows overlap is narrowed to those that do not."""
        name = self.source.single
        chosen = (each for each in filters if name and each.field is self.source.fields[name][1])
        return not name or any(each.op is Op.ANY_OF and len(set(each.values)) == 1 for each in chosen)
