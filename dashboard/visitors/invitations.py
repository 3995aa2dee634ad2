"""Invitations to a chat in a box on the page: made, shown, and answered or ignored.

An invitation is made once per visit however many rules, users and workers try, and each of its states is
entered and recorded as an event once, however often it is reported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any
from urllib.parse import quote, urlsplit

from dashboard import clock
from dashboard.db import database, dialect
from dashboard.db.locks import Lock
from dashboard.db.prepared import Prepared, insert_row, slot, update_row
from dashboard.events import internal
from dashboard.i18n import site_locale, translator
from dashboard.i18n.message import N_
from dashboard.models import Contact, Event, EventCause, Invitation, Site, Visit
from dashboard.settings import LOCALES
from dashboard.visitors import identify, records

TITLE = N_("Invitation to a chat")
ACCEPT = N_("Start the chat")
DECLINE = N_("No, thank you")
NOTE = N_("If you start the chat, we keep its text to answer your question.")
PRIVACY = N_("How we handle your data")
ENDED = N_("The visit has ended.")
AWAY = N_("The visitor has no page open.")
STILL_OPEN = N_("The visitor hasn't answered an earlier invitation yet.")
BEFORE = N_("The visitor has been invited before in this visit.")
GRACE_MS = 5_000  # for the page to report what was chosen in the last second


CHATS = {
    "": N_("Nowhere: only the answer is recorded"),
    "url": N_("Chat address"),
    "chatwoot": N_("Chatwoot's widget of the page"),
}
PLACEHOLDERS = ("visit", "language", "page", "contact")  # of a chat address

_HELD = Prepared(lambda: dialect.held(Visit.select().where(Visit.id == slot("id"))))
_OF_EVENT = Prepared(
    lambda: (
        Visit.select(Visit).join(Site).where((Site.source == slot("source")) & (Visit.token == slot("token")))
    )
)
_SITE = Prepared(lambda: Site.select(Site.source, Site.queue_id).where(Site.id == slot("id")))


class State(StrEnum):
    """States of an invitation; see `models.Invitation`."""

    WAITING = "waiting"
    SHOWN = "shown"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    IGNORED = "ignored"
    LAPSED = "lapsed"


OPEN = (State.WAITING, State.SHOWN)
_EVENTS = {
    State.WAITING: "chat.invited",
    State.ACCEPTED: "chat.invite_accepted",
    State.REJECTED: "chat.invite_rejected",
    State.IGNORED: "chat.invite_ignored",
}
# The states that each state may follow. What lapsed may still have been shown: the report came late.
_EARLIER: dict[State, tuple[State, ...]] = {
    State.SHOWN: (State.WAITING, State.LAPSED),
    **dict.fromkeys((State.ACCEPTED, State.REJECTED, State.IGNORED), (*OPEN, State.LAPSED)),
    State.LAPSED: (State.WAITING,),
}


def invite(
    visit_id: int,
    texts: Mapping[str, str],
    *,
    rule_id: int | None = None,
    user_id: int | None = None,
    again: bool = False,
    seconds: int = 120,
    chain: Sequence[int] = (),
) -> Invitation | None:
    """Invite a visitor and return the invitation; None if invited before, away, or the visit has ended.

    `texts` holds a text by language, the default text under ""; the only text of a user is taken whatever the
    visitor reads. With `again` only an invitation that is not answered yet stands against another. The box
    is shown for `seconds`; it lapses if no page asks for it in that time. `chain` lists the ids of the rules
    that caused it, oldest first, `rule_id` among them.
    """
    now_ms = clock.now_ms()
    until_ms = now_ms + seconds * 1000
    with database.atomic():
        dialect.adding(Lock.APPENDING)
        visit = next(iter(_HELD.models(Visit, id=visit_id)), None)
        if visit is None or obstacle(visit, again):
            return None
        waiting = State.WAITING.value
        due_ms = until_ms if visit.due_ms is None else min(visit.due_ms, until_ms)
        update_row(Visit, visit.id, invited_ms=now_ms, invitation=waiting, due_ms=due_ms)
        text, language = chosen(texts, visit.language)
        if user_id is not None and len(texts) == 1:
            ((language, text),) = texts.items()
        if not language and user_id is not None:  # a text of a user is for this visitor
            language = visit.language
        values = {
            "visit_id": visit.id,
            "rule_id": rule_id,
            "user_id": user_id,
            "text": text,
            "language": language or site_locale(),
            "created_ms": now_ms,
            "until_ms": until_ms,
        }
        made = Invitation(id=insert_row(Invitation, **values), **values)
        _record(visit, made, State.WAITING, now_ms, chain)
    return made


def chosen(texts: Mapping[str, str], language: str) -> tuple[str, str]:
    """Return the text for a visitor's language and the language it is in, "" for the default text."""
    by_language = {name.lower(): (text, name) for name, text in texts.items() if name and text}
    exact = language.lower()
    found = by_language.get(exact) or by_language.get(exact.partition("-")[0])
    return found or (texts.get("", ""), "")


def visit_of(source_id: object, session: object) -> tuple[Visit | None, bool]:
    """Return the visit that an event is about, None where there is none, and whether its source is a site."""
    if not isinstance(source_id, int) or not isinstance(session, str):
        return None, False
    found = _OF_EVENT.models(Visit, source=source_id, token=session)
    if found:
        return found[0], True
    return None, Site.select().where(Site.source == source_id).exists()


def obstacle(visit: Visit, again: bool) -> str:
    """Return why a visitor cannot be invited now, as a marked text; "" for one who can. See invite()."""
    if visit.ended_ms is not None:
        return ENDED
    if visit.away_ms is not None:
        return AWAY
    if visit.invitation in OPEN:
        return STILL_OPEN
    return "" if again or visit.invited_ms is None else BEFORE


def waiting(visit: Visit, language: str, now_ms: int) -> dict[str, Any] | None:
    """Return what the page needs to show the open invitation of a visit, as JSON; None without one.

    It is returned until it is answered or its time is over, so that it is shown on the visitor's next page
    as well. The words of the box are in the language of the text, else in `language`, else in that of the
    instance. Reads nothing for a visit without an open invitation.
    """
    found = _open(visit) if visit.invitation in OPEN else None
    if found is None or found.until_ms <= now_ms:
        return None
    known = (each.partition("-")[0].lower() for each in (found.language, language))
    say = translator(next((each for each in known if each in LOCALES), site_locale()))
    left_ms = found.until_ms - (found.created_ms if found.state == State.WAITING else now_ms + GRACE_MS)
    site = visit.site
    answer = {
        "id": found.id,
        "text": found.text,
        "lang": found.language,
        "title": say(TITLE),
        "accept": say(ACCEPT),
        "decline": say(DECLINE),
        "note": say(NOTE),
        "seconds": max(1, left_ms // 1000),
        "chat": _chat(site, visit),
    }
    if is_web_address(site.privacy_url):
        answer["privacy"] = {"url": site.privacy_url, "text": say(PRIVACY)}
    return answer


def _open(visit: Visit) -> Invitation | None:
    query = Invitation.select().where((Invitation.visit == visit.id) & Invitation.state.in_(OPEN))
    found: Invitation | None = query.order_by(Invitation.id.desc()).first()
    return found


def is_web_address(url: str) -> bool:
    """Say whether a text is an absolute http or https address."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def _chat(site: Site, visit: Visit) -> dict[str, str]:
    """Return where the chat opens: {"kind": "url", "url"}, {"kind": "chatwoot"}, or {"kind": ""}."""
    if site.chat != "url":
        return {"kind": site.chat}
    contact = Contact.get_or_none(Contact.id == visit.contact_id) if visit.contact_id else None
    values = {
        "visit": visit.token,
        "language": visit.language,
        "page": visit.url,
        "contact": contact.name if contact is not None else "",
    }
    url = site.chat_url
    for name in PLACEHOLDERS:
        url = url.replace(f"{{{name}}}", quote(values[name], safe=""))
    return {"kind": "url", "url": url} if is_web_address(url) else {"kind": ""}


def answered(visit: Visit, invitation_id: int, state: str, now_ms: int) -> bool:
    """Enter what the page reports of an invitation: shown, accepted, rejected or ignored.

    Returns False, and changes nothing, for an invitation of another visit, a state that it has had, and one
    that cannot follow. From `shown` on the visitor has as long to answer as it was made for.
    """
    if state not in (State.SHOWN, State.ACCEPTED, State.REJECTED, State.IGNORED):
        return False
    with database.atomic():
        dialect.adding(Lock.APPENDING)
        own = (Invitation.id == invitation_id) & (Invitation.visit == visit.id)
        found: Invitation | None = Invitation.get_or_none(own)
        return found is not None and _enter(visit, found, State(state), now_ms)


def expired(visit: Visit, now_ms: int) -> int | None:
    """Close the open invitation of a visit that has ended or whose time is over.

    A shown one is ignored from then on, one that no page asked for has lapsed. Returns the time at which to
    call again, in UTC milliseconds; None where no invitation is open.
    """
    found = _open(visit) if visit.invitation in OPEN else None
    if found is None:
        return None
    if visit.ended_ms is None and found.until_ms > now_ms:
        return int(found.until_ms)
    with database.atomic():
        dialect.adding(Lock.APPENDING)
        _enter(visit, found, State.IGNORED if found.state == State.SHOWN else State.LAPSED, now_ms)
    return None


def _enter(visit: Visit, found: Invitation, state: State, now_ms: int) -> bool:
    values: dict[str, Any] = {"state": state.value}
    if state is State.SHOWN:
        values["shown_ms"] = now_ms
        values["until_ms"] = now_ms + found.until_ms - found.created_ms + GRACE_MS
    elif state is not State.LAPSED:
        values["answered_ms"] = now_ms
    query = Invitation.update(**values).where(
        Invitation.id == found.id, Invitation.state.in_(_EARLIER[state])
    )
    if not query.execute():
        return False
    newer = Invitation.select().where((Invitation.visit == visit.id) & (Invitation.id > found.id)).exists()
    if not newer:
        visit.invitation = state.value
        Visit.update(invitation=state.value).where(Visit.id == visit.id).execute()
    _record(visit, found, state, now_ms)
    return True


def _record(
    visit: Visit, invitation: Invitation, state: State, now_ms: int, chain: Sequence[int] | None = None
) -> None:
    """Record the event of a state; without `chain` it is caused by what the invitation was caused by."""
    type_ = _EVENTS.get(state)
    if type_ is None:
        return
    ((source_id, queue_id),) = _SITE.rows(id=visit.site_id)
    data = {name: value for name, value in records.visitor(visit, now_ms).items() if value not in ("", None)}
    data["message"] = invitation.text
    if invitation.rule_id is not None:
        data["rule"] = str(invitation.rule_id)
    internal.append(
        type_,
        data,
        invitation.user_id if state is State.WAITING else None,
        queue_id,
        source_id=source_id,
        chain=_chain(source_id, invitation) if chain is None else chain,
        time_ms=now_ms,
        identity=_identity(invitation, state),
        session=visit.token,
        contact=identify.of_contact(visit),
    )


def _identity(invitation: Invitation, state: State) -> str:
    return f"invitation:{invitation.id}:{state}"


def _chain(source_id: int, invitation: Invitation) -> Sequence[int]:
    """Return the chain of rules of the event with which the invitation was made."""
    made = (Event.source_id == source_id) & (Event.external_id == _identity(invitation, State.WAITING))
    query = EventCause.select(EventCause.chain).join(Event, on=(EventCause.event_id == Event.id)).where(made)
    found = query.scalar()
    return found or ([] if invitation.rule_id is None else [invitation.rule_id])
