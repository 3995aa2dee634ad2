"""Resolves the recipients of an action, and what each of them may see, each time a rule runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from flask import current_app, has_app_context

from dashboard.access import scope as scopes
from dashboard.access.permissions import EVERYONE, Permission
from dashboard.access.scope import Scope
from dashboard.db.prepared import plain
from dashboard.i18n import formats, site_locale, site_zone, translator
from dashboard.models import (
    Access,
    Channel,
    Profile,
    Queue,
    Rule,
    RuleMute,
    Team,
    TeamLead,
    TeamMember,
    User,
)
from dashboard.rulelang.fields import EventFacts
from dashboard.rulelang.subjects import Role
from dashboard.rulelang.text_templates import Names, render
from dashboard.rulelang.values import is_address

# Where an event names its customer: the address, and what else of the same person stands beside it.
CUSTOMERS = (
    ("contact.email", frozenset({"contact.name", "contact.phone", "contact.email"})),
    ("data.requester_email", frozenset({"data.requester", "data.requester_email"})),
)
NOBODY = Scope(-1, EVERYONE, frozenset(), frozenset())  # -1: no user of any event, not even a missing one


@dataclass(frozen=True, slots=True)
class Reader:
    """A user who is notified, with what the user may see now."""

    id: int
    name: str
    email: str
    locale: str
    zone: str
    scope: Scope


def customer(facts: EventFacts) -> str:
    """Return the address of the customer whom an event is about, "" where it has no usable one."""
    found = (facts[path] for path, _own in CUSTOMERS)
    return next((text for text in found if isinstance(text, str) and is_address(text)), "")


def covers(scope: Scope, facts: EventFacts) -> bool:
    """Say whether an event is inside a scope: what a personal rule is evaluated for.

    Work of a user in a queue needs both, other events of a user the user alone, and those of a queue
    alone the queue. What is about neither is for those who see everybody and every queue.
    """
    user, queue = facts["user"], facts["queue"]
    if isinstance(user, int):
        working = isinstance(queue, int) or isinstance(facts["interaction"], str)
        number = queue if isinstance(queue, int) else None
        return scope.sees(user) and (not working or scope.content(user, number))
    if isinstance(queue, int):
        return scope.queues is None or queue in scope.queues
    return scope.is_whole


class People:
    """Users as one pass of the engine needs them, each loaded once."""

    def __init__(self) -> None:
        self._readers: dict[int, Reader | None] = {}
        self._muted: dict[int, frozenset[int]] = {}
        self._profiles: dict[int, Profile] = {}

    def reader(self, user_id: int | None) -> Reader | None:
        """Return an active user, None for anybody else."""
        if user_id is None:
            return None
        if user_id not in self._readers:
            self._readers[user_id] = _reader(user_id)
        return self._readers[user_id]

    def scope(self, user_id: int | None) -> Scope:
        """Return what a user may see now; nothing for one who is not there or not active."""
        found = self.reader(user_id)
        return NOBODY if found is None else found.scope

    def resolve(self, to: Mapping[str, Any], owner: int | None, facts: EventFacts) -> list[Reader]:
        """Return the active users meant by `to` (see rulelang.doing), each once, by id.

        `owner` is who answers for the rule. A personal rule's recipients are narrowed by the caller.
        """
        ids = set(to.get("users", ()))
        ids |= _column(TeamMember.user, TeamMember.team, to.get("teams", ()))
        ids |= _column(User.id, User.access, to.get("accesses", ()))
        roles = to.get("roles", ())
        user = facts["user"]
        if Role.OWNER in roles and owner is not None:
            ids.add(owner)
        if Role.USER in roles and isinstance(user, int):
            ids.add(user)
        if Role.LEADS in roles and isinstance(user, int):
            teams = _column(TeamMember.team, TeamMember.user, [user])
            ids |= _column(TeamLead.user, TeamLead.team, teams)
        if Role.ADMINS in roles:
            ids |= operators()
        return [reader for reader in map(self.reader, sorted(ids)) if reader is not None]

    def profile(self, user_id: int) -> Profile:
        """Return how a user is notified; see profile_of()."""
        if user_id not in self._profiles:
            self._profiles[user_id] = profile_of(user_id)
        return self._profiles[user_id]

    def muted(self, rule_id: int) -> frozenset[int]:
        """Return the users who muted the rule."""
        if rule_id not in self._muted:
            query = RuleMute.select(RuleMute.user_id).where(RuleMute.rule == rule_id)
            self._muted[rule_id] = frozenset(row[0] for row in query.tuples())
        return self._muted[rule_id]

    def say(self, template: str, facts: EventFacts, reader: Reader) -> str:
        """Return a text for this reader: placeholders filled as far as the reader may see."""
        return render(template, facts, self.names(reader.locale, reader.zone), reader.scope)

    def say_out(self, template: str, facts: EventFacts, author: int | None) -> str:
        """Return a text for people outside, as the rule's author may see it."""
        found = self.reader(author)
        if found is not None:
            return self.say(template, facts, found)
        return render(template, facts, self.names(site_locale(), site_zone()), NOBODY)

    def say_customer(self, template: str, facts: EventFacts, author: int | None) -> str:
        """Return a text for the customer, in the site's language: as the rule's author may see it, but
        with the customer's own details whole."""
        names = self.names(site_locale(), site_zone())
        return render(template, facts, names, self.scope(author), self.own(facts))

    def own(self, facts: EventFacts) -> frozenset[str]:
        """Return the paths of an event's fields that are the customer's own details."""
        address = customer(facts)
        mine = [own for path, own in CUSTOMERS if address and facts[path] == address]
        return frozenset().union(*mine)

    def names(self, locale: str, zone: str) -> Names:
        """Return what ids are called, in a language and a zone."""
        users, teams, queues, accesses, channels, rules = self._names
        moment = partial(formats.zoned, speech=locale)
        return Names(users, teams, queues, accesses, channels, rules, zone, translator(locale), moment)

    @cached_property
    def _names(self) -> tuple[dict[int, str], ...]:
        columns = (
            (User.id, User.name),
            (Team.id, Team.name),
            (Queue.id, Queue.label),
            (Access.id, Access.name),
            (Channel.id, Channel.name),
            (Rule.id, Rule.name),
        )
        return tuple(dict(plain(ident.model.select(ident, name))) for ident, name in columns)


def profile_of(user_id: int) -> Profile:
    """Return how the user is notified: by the default profile, else by email where mail can be sent.

    The profile of a user without one is not stored.
    """
    found: Profile | None = Profile.get_or_none((Profile.user_id == user_id) & Profile.is_default)
    mails = has_app_context() and bool(current_app.config["STOPA"].smtp_url)
    return found or Profile(user_id=user_id, email=mails)


def operators() -> set[int]:
    """Return the ids of the active users with rules.operate."""
    accesses = [row.id for row in Access.select() if Permission.RULES_OPERATE in scopes.permissions_of(row)]
    return _column(User.id, User.access, accesses)


def _reader(user_id: int) -> Reader | None:
    row = User.get_or_none((User.id == user_id) & User.deactivated_ts.is_null())
    if row is None:
        return None
    locale, zone = row.locale or site_locale(), row.timezone or site_zone()
    return Reader(row.id, row.name, row.email, locale, zone, scopes.of_user(row))


def _column(column: Any, by: Any, ids: Any) -> set[int]:
    wanted = sorted(ids)
    if not wanted:
        return set()
    return {row[0] for row in plain(column.model.select(column).where(by.in_(wanted)))}
