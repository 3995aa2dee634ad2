"""Erases the personal data of contacts: every stored text that holds it, in pieces, as a job.

Figures stay. A contact keeps its row under a pseudonym, its events name it by the pseudonym, and the
projection finds the same row by it, so a rebuild changes nothing. A name alone may be another's too: in
events it is replaced only where they belong to the contact; numbers and addresses are replaced everywhere.
Audit entries name contacts by their id and a masked label and are not touched.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlencode

import peewee

from dashboard.db import Model, database, dialect
from dashboard.jobs import queue as jobs
from dashboard.models import (
    ALL,
    Access,
    Activity,
    ApiKey,
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
    Job,
    PasswordLink,
    PauseType,
    PendingSignIn,
    Policy,
    Profile,
    Queue,
    RecoveryCode,
    Rule,
    RuleDraft,
    RuleGroup,
    RuleVersion,
    Session,
    Setting,
    SignInAttempt,
    Site,
    Source,
    Team,
    TwoFactor,
    TypeSwitch,
    User,
    UserIdentity,
    Visit,
)

KIND = "erase_contacts"
PIECE = 500  # rows that one transaction rewrites
LEAST = 3  # letters of a text that is replaced; a shorter one would replace parts of words
NUMBER = 7  # digits of a telephone number; a shorter one is an extension, which others have as well
# Tables about the site and its people; a text in them that equals a contact's is not the contact's.
KEPT: tuple[type[Model], ...] = (
    *(
        Access,
        ApiKey,
        AuditCheckpoint,
        AuditEntry,
        Calendar,
        CalendarDay,
        Channel,
        Job,
        PauseType,
        Policy,
        Profile,
        Queue,
    ),
    *(Rule, RuleDraft, RuleGroup, RuleVersion, Setting, Site, Source, Team),
    *(PasswordLink, PendingSignIn, RecoveryCode, Session, SignInAttempt, TwoFactor),
    *(ErasedLogin, TypeSwitch, User, UserIdentity),
)
OWN_WAY: tuple[type[Model], ...] = (Contact, Event, ExportFile, ExportPart)
TEXTS = (peewee.CharField, peewee.TextField, peewee.JSONField)
ERASED = re.compile(r"erased-(\d{1,18})")  # a pseudonym, with the id of the contact
_PARTS = ("phone", "email", "name")  # the first that is given identifies a contact


@dataclass(frozen=True)
class Person:
    """A contact that is erased: the texts to be replaced, and what replaces them."""

    ident: int
    source: int
    mark: str
    pseudonym: str
    names: frozenset[str]  # and extensions
    others: frozenset[str]  # numbers and addresses

    @property
    def texts(self) -> frozenset[str]:
        return self.names | self.others


def same_person(ident: int) -> list[int]:
    """Return the ids of the contacts with the number or the address of this one, from all sources."""
    c = Contact
    row = c.get_or_none(c.id == ident)
    if row is None:
        return []
    equal = [c.id == ident]
    equal += [c.phone == row.phone] if row.phone else []
    equal += [c.email == row.email] if row.email else []
    found = c.select(c.id).where(reduce(operator.or_, equal)).order_by(c.id).tuples()
    return [each for (each,) in found]


def order(idents: Sequence[int]) -> None:
    """Queue the erasure of contacts in the caller's transaction."""
    jobs.enqueue(KIND, {"contacts": list(idents)}, key=f"{KIND}:{','.join(map(str, idents))}")


def run(waiting: list[Job]) -> None:
    """Erase the contacts of a job. A killed worker's half is done again: what is erased is not found."""
    job = waiting[0]
    idents = job.args["contacts"]
    if dialect.is_sqlite():
        database.execute_sql("PRAGMA secure_delete = ON")  # what is overwritten leaves no bytes in the file
    for number, ident in enumerate(idents):
        jobs.progress(job.id, number, len(idents))
        erase(ident)
    jobs.progress(job.id, len(idents), len(idents))


def erase(ident: int) -> None:
    """Erase one contact; nothing happens when there is none, or when it is erased already."""
    person = _person(ident)
    if person is None:
        return
    _events(person)
    for model in walked():
        _table(model, person)
    with database.atomic():
        ExportPart.delete().execute()  # files hold contacts
        ExportFile.delete().execute()
        hide_contact(person.ident, person.source)


def walked() -> list[type[Model]]:
    """Return the tables whose texts are searched: all that are neither KEPT nor have their OWN_WAY."""
    return [model for model in ALL if model not in (*KEPT, *OWN_WAY) and texts_of(model)]


def texts_of(model: type[Model]) -> list[peewee.Field]:
    """Return the columns of a table that hold texts."""
    return [field for field in model._meta.sorted_fields if isinstance(field, TEXTS)]


def _person(ident: int) -> Person | None:
    """Return what is known about a contact, also by the events from before its details changed."""
    row = Contact.get_or_none(Contact.id == ident)
    name = pseudonym(ident)
    source, _colon, mark = (row.key if row is not None else "").partition(":")
    if row is None or mark == name:
        return None
    given = [{name: getattr(row, name) for name in _PARTS}]
    e = Event
    written = json.dumps(mark, ensure_ascii=False)
    found = e.select(e.contact).where((e.source_id == int(source)) & holds(e.contact, [written])).distinct()
    given += [each for (text,) in found.tuples() if _mark(each := json.loads(text)) == mark]
    texts = {each[name] for each in given for name in _PARTS if len(each.get(name) or "") >= LEAST}
    others = frozenset(text for text in texts if "@" in text or len(_digits(text)) >= NUMBER)
    return Person(ident, int(source), mark, name, frozenset(texts) - others, others)


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _mark(details: dict[str, str]) -> str:
    return next((details[name] for name in _PARTS if details.get(name)), "")


def pseudonym(ident: int) -> str:
    """Return what stands for the key and name of a contact that is erased."""
    return f"erased-{ident}"


def hide_contact(ident: int, source: int | str) -> None:
    """Replace the details of a contact by its pseudonym, in the caller's transaction."""
    name = pseudonym(ident)
    Contact.update(key=f"{source}:{name}", name=name, phone="", email="", search="").where(
        Contact.id == ident
    ).execute()
    Visit.update(contact_key=f"{source}:{name}").where(Visit.contact_id == ident).execute()


def _events(person: Person) -> None:
    """Rewrite the events of the contact, and those that mention its number or address."""
    e, i, a = Event, Interaction, Activity
    worked = a.select(a.interaction_id).where(a.contact_id == person.ident)
    whose = i.select(i.external_id).where(
        (i.source == person.source) & ((i.contact_id == person.ident) | i.id.in_(worked))
    )
    own = {external_id for (external_id,) in whose.tuples()}
    visits = {
        token for (token,) in Visit.select(Visit.token).where(Visit.contact_id == person.ident).tuples()
    }
    texts: list[Any] = [e.contact, e.data, e.envelope, e.interaction, e.session]

    def rewritten(row: Event) -> dict[str, Any]:
        of_contact = row.contact is not None and _mark(json.loads(row.contact)) == person.mark
        named = of_contact or row.interaction in own or row.session in visits
        mine = row.source_id == person.source and named
        replace = replacer(person, person.texts if mine else person.others)
        values = {field.name: replace(getattr(row, field.name)) for field in texts}
        if of_contact and row.source_id == person.source:
            values["contact"] = json.dumps({"name": person.pseudonym})
        return values

    in_pieces(e, reduce(operator.or_, [holds(each, person.texts) for each in texts]), rewritten)


def _table(model: type[Model], person: Person) -> None:
    """Rewrite the rows of a table that hold a text of the contact; a limit or count kept for it goes."""
    fields = texts_of(model)
    replace = replacer(person, person.texts)
    found = reduce(operator.or_, [holds(each, person.texts) for each in fields])
    if isinstance(model._meta.primary_key, peewee.CompositeKey):
        model.delete().where(found).execute()
        return

    def rewritten(row: Any) -> dict[str, Any]:
        values = {field.name: getattr(row, field.name) for field in fields}
        return {
            name: in_query(replace, value) if name == "query" else replace(value)
            for name, value in values.items()
        }

    in_pieces(model, found, rewritten)


def in_query(replace: Callable[[Any], Any], query: str) -> str:
    """Return the parameters of a stored query with their values replaced."""
    given = parse_qsl(query)
    changed = [(name, replace(value)) for name, value in given]
    return query if changed == given else urlencode(changed)


def in_pieces(model: type[Model], condition: Any, rewritten: Callable[[Any], dict[str, Any]]) -> None:
    """Rewrite the rows that meet a condition, a transaction for each PIECE in the order of their keys."""
    key: Any = model._meta.primary_key
    keys = [row[0] for row in model.select(key).where(condition).order_by(key).tuples()]
    for start in range(0, len(keys), PIECE):
        with database.atomic():
            for row in model.select().where(key.in_(keys[start : start + PIECE])):
                values = rewritten(row)
                if values != {name: getattr(row, name) for name in values}:
                    model.update(**values).where(key == row._pk).execute()


def holds(field: peewee.Field, texts: Sequence[str] | frozenset[str]) -> Any:
    """Return the condition that a column contains one of the texts, as it is or as JSON writes it."""
    find = peewee.fn.INSTR if dialect.is_sqlite() else peewee.fn.STRPOS
    column = peewee.fn.LOWER(field.cast("TEXT"))
    forms = {form for text in texts for form in _forms(text)}
    return reduce(operator.or_, [find(column, form) > 0 for form in sorted(forms)])


def _forms(text: str) -> set[str]:
    """Return a text in the letters and the escapes in which a column may hold it, a to z in lower case."""
    cases = {text, text.upper(), text.lower(), text.title()}
    cases |= {quote_plus(each) for each in cases}
    escaped = {json.dumps(each, ensure_ascii=way)[1:-1] for each in cases for way in (True, False)}
    digits = {_digits(text)} if len(_digits(text)) >= NUMBER else set()
    return {re.sub("[A-Z]+", lambda part: part[0].lower(), each) for each in cases | escaped | digits}


def replacer(person: Person, texts: frozenset[str], patterns: Sequence[str] = ()) -> Callable[[Any], Any]:
    """Return a function that replaces the texts, and what the patterns match, in a value: a text, JSON as
    text, or what JSON holds."""
    if not texts and not patterns:
        return lambda value: value
    by_length = sorted(texts, key=len, reverse=True)
    pattern = re.compile("|".join([*map(_alone, by_length), *patterns]), re.IGNORECASE)
    numbers = {digits for each in texts if len(digits := _digits(each)) >= NUMBER}

    def replace(value: Any) -> Any:
        if isinstance(value, dict):
            return {replace(name): replace(each) for name, each in value.items()}
        if isinstance(value, list):
            return [replace(each) for each in value]
        if isinstance(value, int) and not isinstance(value, bool):
            return person.pseudonym if str(value) in numbers else value
        if not isinstance(value, str):
            return value
        if value[:1] in ("{", "[") and (inner := _json(value)) is not None:
            changed = replace(inner)
            return value if changed == inner else json.dumps(changed, ensure_ascii=False)
        if _digits(value) in numbers and re.fullmatch(r"[+\d\s()/.-]+", value):
            return person.pseudonym
        return pattern.sub(person.pseudonym, value)

    return replace


def _alone(text: str) -> str:
    """Return the pattern of a text that is no part of a longer number."""
    before, after = (r"(?<!\d)" if text[0].isdigit() else ""), (r"(?!\d)" if text[-1].isdigit() else "")
    return f"{before}{re.escape(text)}{after}"


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
