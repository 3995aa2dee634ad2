"""What rules are about, by name: an interaction or a session of a source, a user, a queue, or a rule; and the
people whom an event names."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from dashboard.i18n.message import N_

DIGITS_MAX = 9  # of an id


class SubjectKind(StrEnum):
    INTERACTION = "interaction"
    SESSION = "session"
    USER = "user"
    QUEUE = "queue"
    RULE = "rule"  # where an event names none of the others


_OF_SOURCE = (SubjectKind.INTERACTION, SubjectKind.SESSION)
_KINDS = frozenset(SubjectKind)


class SubjectName(NamedTuple):
    """The subject of an event, a timer or a run, stored as "interaction:<source>:<id>" or "user:<id>".

    `source` is empty except for an interaction and a session. `rate_limits.limit_key` names events so.
    """

    kind: SubjectKind
    ident: str
    source: str = ""

    @classmethod
    def parse(cls, text: str) -> SubjectName | None:
        """Return the subject that a stored name stands for; None where the text is none."""
        kind, _colon, ident = text.partition(":")
        if kind not in _KINDS:
            return None
        source = ""
        if kind in _OF_SOURCE:
            source, _colon, ident = ident.partition(":")
        return cls(SubjectKind(kind), ident, source) if ident else None

    @property
    def number(self) -> int | None:
        """The id of a user, a queue or a rule; None for the others and for what is no id."""
        is_id = self.kind not in _OF_SOURCE and self.ident.isdecimal() and len(self.ident) <= DIGITS_MAX
        return int(self.ident) if is_id else None

    def __str__(self) -> str:
        source = f"{self.source}:" if self.kind in _OF_SOURCE else ""
        return f"{self.kind}:{source}{self.ident}"


def of_user(ident: int) -> str:
    """Return the name of a user."""
    return str(SubjectName(SubjectKind.USER, str(ident)))


def of_interaction(source: int | str, ident: str) -> str:
    """Return the name of an interaction; timers name its source by id, all else by name."""
    return str(SubjectName(SubjectKind.INTERACTION, ident, str(source)))


class Role(StrEnum):
    """People found when a rule runs. The customer is no user: only mail reaches them."""

    OWNER = "owner"  # of the rule
    USER = "user"  # of the event
    LEADS = "leads"  # of the teams of the event's user
    ADMINS = "admins"  # everyone with rules.operate
    CONTACT = "contact"  # the event's contact, else who made the request


ROLES = MappingProxyType(
    {
        Role.OWNER: N_("the rule's owner"),
        Role.USER: N_("the event's user"),
        Role.LEADS: N_("the user's team leads"),
        Role.ADMINS: N_("rule administrators"),
        Role.CONTACT: N_("the customer"),
    }
)
