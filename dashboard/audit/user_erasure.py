"""Erases the personal data of a user: every stored text that holds it, in pieces, as a job. Figures stay.

The user keeps the row under a pseudonym, and so do times, teams and figures. Name, address and numbers are
replaced wherever they stand. The user name, which may be a word that others use, is replaced where it is a
whole value, or in brackets, a list or the name of a file, and not in names of the site and of figures.
"""

from __future__ import annotations

import json
import operator
import re
import secrets
from functools import reduce
from typing import Any

import peewee

from dashboard.audit import redaction
from dashboard.db import Model, database, dialect
from dashboard.events import erased_logins, erasure
from dashboard.events.erasure import LEAST, Person, holds
from dashboard.jobs import queue as jobs
from dashboard.models import (
    ALL,
    Access,
    Activity,
    AuditCheckpoint,
    AuditEntry,
    Calendar,
    CalendarDay,
    Channel,
    Contact,
    ErasedLogin,
    Event,
    ExportFile,
    ExportPart,
    Interaction,
    Interval,
    Job,
    LookGroup,
    PasswordLink,
    PauseType,
    PendingSignIn,
    Queue,
    RecoveryCode,
    RuleGroup,
    Session,
    Setting,
    SignInAttempt,
    Source,
    Team,
    TwoFactor,
    TypeSwitch,
    User,
    UserIdentity,
)

KIND = "erase_user"
FIELDS = ("login", "name", "title", "email", "phone", "extension")
# Tables in which a user name is not looked for: a text that equals it is not the user's.
OF_SITE: tuple[type[Model], ...] = (
    *(Access, Activity, Calendar, CalendarDay, Channel, Interaction, Interval, PauseType, Queue, RuleGroup),
    *(Setting, Source, Team, TypeSwitch),
)
# Tables without texts of users, or with a way of their own. A contact of the same name is somebody else.
OWN_WAY: tuple[type[Model], ...] = (
    *(AuditCheckpoint, AuditEntry, Contact, ErasedLogin, Event, ExportFile, ExportPart, LookGroup),
    *(PasswordLink, PendingSignIn, RecoveryCode, Session, SignInAttempt, TwoFactor, User, UserIdentity),
)


def pseudonym(ident: int) -> str:
    return f"erased-{ident}"


def order(ident: int) -> None:
    """Queue the erasure of a user in the caller's transaction."""
    jobs.enqueue(KIND, {"user": ident}, key=f"{KIND}:{ident}")


def run(waiting: list[Job]) -> None:
    """Erase the user of a job. A killed worker's half is done again: the user's row is changed last."""
    if dialect.is_sqlite():
        database.execute_sql("PRAGMA secure_delete = ON")  # what is overwritten leaves no bytes in the file
    erase(waiting[0].args["user"])


def erase(ident: int) -> None:
    """Erase one user; nothing happens when there is none, or when the user is erased already."""
    user = User.get_or_none(User.id == ident)
    if user is None or erased_logins.is_kept(ident):
        return
    person, words = _person(user)
    texts, patterns = person.texts | words, [_pattern(word) for word in sorted(words)]
    for model in walked():
        of_site = model in OF_SITE
        _table(model, person, person.texts if of_site else texts, () if of_site else patterns)
    replace = erasure.replacer(person, person.texts, patterns)
    e = Event
    fields: list[Any] = [e.data, e.envelope, e.interaction, e.session]
    erasure.in_pieces(
        e,
        reduce(operator.or_, [holds(each, texts) for each in fields]),
        lambda row: {field.name: replace(getattr(row, field.name)) for field in fields},
    )
    _audit(user.id, texts, replace)
    with database.atomic():
        ExportPart.delete().execute()  # files hold users and are kept for a day
        ExportFile.delete().execute()
        for model in (Session, PendingSignIn, PasswordLink, TwoFactor, RecoveryCode, UserIdentity):
            model.delete().where(model.user_id == ident).execute()
        SignInAttempt.delete().where(SignInAttempt.key == f"login:{user.login}").execute()
        erased_logins.keep(user.login, ident)
        taken = User.select().where(User.login == person.pseudonym).exists()  # a source may name anybody so
        login = f"{person.pseudonym}-{secrets.token_hex(4)}" if taken else person.pseudonym
        blank = dict.fromkeys(FIELDS, "") | {"login": login, "name": person.pseudonym}
        User.update(**blank, access=None, password_hash=None, locale="", timezone="").where(
            User.id == ident
        ).execute()
    _audit(user.id, texts, replace)  # what was recorded meanwhile


def walked() -> list[type[Model]]:
    """Return the tables whose texts are searched: all but those of OWN_WAY."""
    return [model for model in ALL if model not in OWN_WAY and erasure.texts_of(model)]


def _person(user: User) -> tuple[Person, frozenset[str]]:
    """Return what is known about a user, also from before its details changed, and the user name.

    A name of one word is treated as a user name: it may be a part of other words.
    """
    given = {getattr(user, name) or "" for name in ("name", "email", "phone", "extension")}
    e = AuditEntry
    changes = e.select(e.changes).where((e.target_type == "user") & (e.target_id == str(user.id)))
    for (changed,) in changes.tuples():
        given |= {
            str(value or "") for name in FIELDS[1:] if name != "title" for value in changed.get(name, ())
        }
    known = {text for text in given if len(text) >= LEAST}
    others = {text for text in known if "@" in text or len(re.sub(r"\D", "", text)) >= erasure.NUMBER}
    names = {text for text in known - others if " " in text}
    words = frozenset(text for text in known - others - names if not text.isdigit()) | {user.login}
    person = Person(user.id, 0, user.login, pseudonym(user.id), frozenset(names), frozenset(others))
    return person, words


def _pattern(word: str) -> str:
    """Return the pattern of a word where it stands for a user; letters must be the same."""
    here = re.escape(word)
    places = (
        rf"^{here}$",
        rf"(?<=\(){here}(?=\))",
        rf"^{here}(?=, )|(?<=, ){here}(?=,|$)",
        rf"(?<=-){here}(?=-\d\d\d\d-\d\d)",
        rf"(?<=user=){here}(?=&|$)",
    )
    return f"(?-i:{'|'.join(places)})"


def _table(model: type[Model], person: Person, texts: frozenset[str], patterns: Any) -> None:
    """Rewrite the rows of a table that hold a text of the user; one whose key holds it goes."""
    fields = erasure.texts_of(model)
    replace = erasure.replacer(person, person.texts, patterns)
    if not texts:
        return
    found = reduce(operator.or_, [holds(each, texts) for each in fields])

    def rewritten(row: Any) -> dict[str, Any]:
        values = {field.name: getattr(row, field.name) for field in fields}
        return {
            name: erasure.in_query(replace, value)
            if name == "query" and isinstance(value, str)
            else replace(value)
            for name, value in values.items()
        }

    key = model._meta.primary_key
    if not isinstance(key, peewee.CompositeKey):
        erasure.in_pieces(model, found, rewritten)
        return
    for row in list(model.select().where(found)):
        values = rewritten(row)
        same = all(values[name] == getattr(row, name) for name in values if name in key.field_names)
        query = model.update(**values) if same else model.delete()
        query.where(row._pk_expr()).execute()


def _audit(ident: int, texts: frozenset[str], replace: Any) -> None:
    """Take the texts of the user out of audit entries, and from where the user's own acts came."""
    e = AuditEntry
    acted = (e.actor_type == "user") & (e.actor_id == ident)
    about = (e.target_type == "user") & (e.target_id == str(ident))
    fields = [getattr(e, name) for name in redaction.TEXTS]
    mentions = reduce(operator.or_, [holds(each, texts) for each in fields])

    def rewritten(values: dict[str, Any]) -> dict[str, Any]:
        new = {name: replace(values[name]) for name in redaction.TEXTS}
        if values["actor_type"] == "user" and values["actor_id"] == ident:
            new |= {"actor_label": pseudonym(ident), "ip": "", "user_agent": ""}
        if values["target_type"] == "user" and values["target_id"] == str(ident):
            changes = json.loads(new["changes"])
            changes |= {name: [pseudonym(ident)] * 2 for name in (*FIELDS, "identity") if name in changes}
            new |= {"target_label": pseudonym(ident), "changes": json.dumps(changes, ensure_ascii=False)}
        return new

    redaction.redact(acted | about | mentions, rewritten, ident)
