"""The kinds of values that the parts of a rule have, and the declaration of a part. Pure.

A part of a rule is declared once, as a `Part`: its name in JSON, kind, label, whether it is required, its
default. Everything else walks these declarations: the check and the JSON form (here), references to users,
teams, accesses, channels and calendars (`references`), the fields of the editor and their form values.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from dashboard import catalog
from dashboard.i18n.message import N_
from dashboard.rulelang import text_templates
from dashboard.rulelang.operand_types import NOT_A_CLOCK
from dashboard.rulelang.time_predicates import minutes
from dashboard.rulelang.validation import Checks, ErrorPath

MAX_TYPES = 20
MAX_CLOCKS = 24
MAX_ADDRESS = 254  # characters, RFC 5321
MAX_CALENDAR = 120
MAX_ID = 2**31 - 1
EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)

NO_CHANNEL = N_("Choose a channel.")
LOST_CHANNEL = N_("The channel no longer exists. Choose another.")
WRONG_CHANNEL = N_("This channel has a different type. Choose another.")
NO_CALENDAR = N_("The calendar no longer exists. Choose another.")
UNKNOWN_TYPE = N_("Unknown event type “%(type)s”.")
NOT_EMAIL = N_("Enter an address such as name@example.org.")
NOT_CUSTOM = N_("Name the event custom.something, using lowercase letters, digits and underscores.")
NOT_A_NAME = N_("Use only lowercase letters, digits and underscores.")
NO_PLACEHOLDER = N_("These event types don't have %(names)s.")
LOST_REFERENCE = N_("A selected recipient doesn't exist or is outside your scope.")

_EMAIL = re.compile(r"[^@\s<>,;:()\[\]\\\"]{1,64}@[^@\s<>,;:()\[\]\\\"]+\.[^@\s<>,;:()\[\]\\\"]+")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_CLOCK = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")


class Kind(ABC):
    """A kind of values. `parse` returns a value of the kind whatever it is given, errors go to `checks`.

    `reference` names what an id, a list of ids or a name means: user, team, access, channel or calendar.
    `filler` stands for a required value that cannot be read yet, `parts` are those of a composite kind.
    """

    reference: str = ""
    filler: ClassVar[Any] = None

    @abstractmethod
    def parse(self, raw: Any, path: ErrorPath, checks: Checks, required: bool) -> Any:
        """Return a value of the kind for decoded JSON; errors are added to `checks` at `path`."""

    def parts(self) -> tuple[Part, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a rule: its name in JSON, what it holds, and how the editor calls it.

    `default` stands for a part that is not given. `form` is the name of its field where that differs.
    """

    name: str
    kind: Kind
    label: str = ""
    required: bool = False
    default: Any = None
    form: str = ""
    hint: str = ""

    @property
    def form_name(self) -> str:
        return self.form or self.name

    def parse(self, given: Mapping[str, Any], path: ErrorPath, checks: Checks) -> Any:
        """Return the checked value of this part of `given`, an object at `path`."""
        return self.kind.parse(given.get(self.name, self.default), path / self.name, checks, self.required)


@dataclass(frozen=True)
class Whole(Kind):
    """A whole number from `least` to `most`."""

    least: int
    most: int

    def parse(self, raw: Any, path: ErrorPath, checks: Checks, required: bool) -> int:
        return checks.whole(raw, path, self.least, self.most)


@dataclass(frozen=True)
class Seconds(Whole):
    """A duration in whole seconds; without `error` the bounds are less than 10 seconds and whole days."""

    error: str = ""

    def parse(self, raw: Any, path: ErrorPath, checks: Checks, required: bool) -> int:
        if not self.error:
            return checks.duration(raw, path, self.least, self.most)
        own = Checks()
        found = own.whole(raw, path, self.least, self.most)
        if own.errors:
            checks.add(path, self.error)
        return found


@dataclass(frozen=True)
class YesNo(Kind):
    """True or false."""

    def parse(self, raw: Any, path: ErrorPath, checks: Checks, required: bool) -> bool:
        return checks.yes_no(False if raw is None else raw, path)


@dataclass(frozen=True)
class Choice(Kind):
    """One of `choices` with their labels; members of an enum come back as such."""

    choices: Mapping[Any, str]

    def parse(self, raw: Any, path: ErrorPath, checks: Checks, required: bool) -> Any:
        found = checks.one_of(raw, path, tuple(self.choices))
        return next(each for each in self.choices if each == found)


@dataclass(frozen=True)
class Text(Kind):
    """A text of at most `most` characters, of one line or several, with placeholders where `template`.

    A `pattern` that it must match as a whole comes with the `error` of a text that does not.
    """

    most: int
    lines: bool = False
    template: bool = True
    pattern: str = ""
    error: str = ""
    filler = "…"

    def parse(self, raw: Any, path: ErrorPath, checks: Checks, required: bool) -> str:
        text = checks.text(raw, path, self.most, self.lines, required)
        unknown = text_templates.check(text, checks.types) if self.template else ()
        if unknown:
            checks.add(path, NO_PLACEHOLDER, names=", ".join(f"“{name[:80]}”" for name in unknown[:5]))
        if text and self.pattern and not re.fullmatch(self.pattern, text):
            checks.add(path, self.error)
        return text


@dataclass(frozen=True)
class Texts(Kind):
    """A list of at most `count` short texts, each once."""

    count: int
    most: int
    filler = ("…",)

    def parse(self, raw: Any, path: ErrorPath, checks: Checks, required: bool) -> list[str]:
        given = checks.items(raw or [], path, int(required), self.count)
        texts = [checks.text(each, path / n, self.most, lines=False) for n, each in enumerate(given)]
        return list(dict.fromkeys(text.strip() for text in texts))


@dataclass(frozen=True)
class Addresses(Kind):
    """A list of at most `count` e-mail addresses, each once."""

    count: int

    def parse(self, raw: Any, path: ErrorPath, checks: Checks, required: bool) -> list[str]:
        found = []
        for n, each in enumerate(checks.items([] if raw is None else raw, path, int(required), self.count)):
            text = checks.text(each, path / n, MAX_ADDRESS, lines=False)
            if not _EMAIL.fullmatch(text):
                checks.add(path / n, NOT_EMAIL)
            found.append(text)
        return list(dict.fromkeys(found))


@dataclass(frozen=True)
class CustomType(Kind):
    """The name of an event type of the site's own: custom.something."""

    filler = "custom.event"

    def parse(self, raw: Any, path: ErrorPath, checks: Checks, required: bool) -> str:
        text = checks.text(raw, path, catalog.NAME_LIMIT, lines=False)
        known = catalog.find(text) if text.startswith(catalog.CUSTOM) else None
        if known is None:
            checks.add(path, NOT_CUSTOM)
        return text


@dataclass(frozen=True)
class TemplatesByName(Kind):
    """At most `count` texts with placeholders, each under a name."""

    count: int
    text: Text

    def parse(self, raw: Any, path: ErrorPath, checks: Checks, required: bool) -> dict[str, str]:
        given = {} if raw is None else raw
        if not isinstance(given, dict) or len(given) > self.count:
            checks.items(list(given) if isinstance(given, dict) else given, path, 0, self.count)
            return {}
        found = {}
        for name, text in given.items():
            if not isinstance(name, str) or not _NAME.fullmatch(name):
                checks.add(path, NOT_A_NAME)
            else:
                found[name] = self.text.parse(text, path / name, checks, False)
        return found


@dataclass(frozen=True)
class ChannelId(Kind):
    """The id of a channel of one kind: webhook or chat. `without` names what is used where none is chosen."""

    channel: str
    without: str = ""
    reference = "channel"
    filler = MAX_ID

    def parse(self, raw: Any, path: ErrorPath, checks: Checks, required: bool) -> int | None:
        if raw is None or raw == "":
            if required:
                checks.add(path, NO_CHANNEL)
            return None
        found = checks.whole(raw, path, 1, MAX_ID)
        known = checks.available.channels if checks.available is not None else None
        if known is not None and found not in known:
            checks.add(path, LOST_CHANNEL)
        elif known is not None and known[found] != self.channel:
            checks.add(path, WRONG_CHANNEL)
        return found


@dataclass(frozen=True)
class Ids(Kind):
    """A list of at most `count` ids of users, teams or accesses, each once, rising."""

    count: int
    reference: str = ""

    def parse(self, raw: Any, path: ErrorPath, checks: Checks, required: bool) -> list[int]:
        found = checks.ids(raw or [], path, self.count)
        site = checks.available
        if site is not None:
            known = {"user": site.users, "team": site.teams, "access": site.accesses}[self.reference]
            if not known.issuperset(found):
                checks.add(path, LOST_REFERENCE)
        return found


@dataclass(frozen=True)
class CalendarName(Kind):
    """The name of a calendar; "" for any time."""

    reference = "calendar"

    def parse(self, raw: Any, path: ErrorPath, checks: Checks, required: bool) -> str:
        found = checks.text(raw, path, MAX_CALENDAR, lines=False, needed=False)
        if found and checks.available is not None and found not in checks.available.calendars:
            checks.add(path, NO_CALENDAR)
        return found


@dataclass(frozen=True)
class EventTypes(Kind):
    """Names of event types, each once; a name under an alias becomes the catalogue's own."""

    def parse(self, raw: Any, path: ErrorPath, checks: Checks, required: bool) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for name in checks.items(raw or [], path, int(required), MAX_TYPES):
            type_ = catalog.find(name) if isinstance(name, str) else None
            if type_ is None:
                checks.add(path, UNKNOWN_TYPE, type=name[:80] if isinstance(name, str) else "…")
            else:
                found[type_.name] = None
        return tuple(found)


@dataclass(frozen=True)
class Clocks(Kind):
    """Local times "HH:MM" from 00:00 to 23:59, each once, rising."""

    def parse(self, raw: Any, path: ErrorPath, checks: Checks, required: bool) -> tuple[str, ...]:
        given = checks.items(raw or [], path, 1, MAX_CLOCKS)
        good = {each for each in given if isinstance(each, str) and _CLOCK.fullmatch(each)}
        if not all(isinstance(each, str) and each in good for each in given):
            checks.add(path, NOT_A_CLOCK)
        return tuple(sorted(good, key=minutes))


@dataclass(frozen=True)
class Weekdays(Kind):
    """Days 1 (Monday) to 7, each once, rising."""

    def parse(self, raw: Any, path: ErrorPath, checks: Checks, required: bool) -> tuple[int, ...]:
        given = checks.items(raw, path, 1, 7)
        return tuple(sorted({checks.whole(day, path, 1, 7) for day in given}))


@dataclass(frozen=True)
class Group(Kind):
    """An object of several parts, {} where it is not given."""

    members: tuple[Part, ...]

    def parts(self) -> tuple[Part, ...]:
        return self.members

    def parse(self, raw: Any, path: ErrorPath, checks: Checks, required: bool) -> dict[str, Any]:
        if raw is None:
            return {}
        given = checks.part(raw, path, {each.name for each in self.members})
        return {each.name: each.parse(given, path, checks) for each in self.members}


def is_address(text: str) -> bool:
    """Say whether a text is one plain e-mail address."""
    return len(text) <= MAX_ADDRESS and text.isprintable() and _EMAIL.fullmatch(text) is not None
