"""Plans the deliveries of an action: one step per recipient, with the texts that the recipient may see.

The payload of an outward step by action:

    email            {"to", "subject", "text", "user", "locale", "url"}: `user` is None for a plain address;
                     with "customer": true nothing is added around the text; for a user also "about", the
                     object of the event, and "facts", pairs of a marked label and a text
    chat             {"title", "text"}
    webhook, invite  the body of the call without its id; an invitation in the box: see internal_actions
    log_file         {"file"} and the line without its id
    source_...       {"do", "interaction", "value"}: the action, the id in its source, the value or the text
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from dashboard.access.scope import Scope
from dashboard.i18n.message import N_
from dashboard.models import Channel, Connector, Profile
from dashboard.rulelang import working_time
from dashboard.rulelang.actions import ActionConfig, to_customer
from dashboard.rulelang.fields import EventFacts
from dashboard.rules import mail_facts, webhook_body
from dashboard.rules.active_rules import LiveRule
from dashboard.rules.internal_actions import Impossible, Unneeded
from dashboard.rules.recipients import People, Reader, customer
from dashboard.visitors import invitations

NOBODY = N_("None of the recipients exist or are active.")
NO_CUSTOMER = N_("The event has no customer with a valid email address.")
NO_ADDRESS = N_("None of the recipients has an email address.")
NOT_ALLOWED = N_("The rule's owner isn't allowed to use this action.")
LOST_CHANNEL = N_("The channel no longer exists.")
OFF_CHANNEL = N_("The channel is off.")
NO_ITEM = N_("The event has no interaction of a source.")
NO_VISIT = N_("The event isn't about a visit to one of the web sites.")
NO_API = N_("The event's source can't be changed. Enter its API in Settings > Connectors.")


class DeliveryPlan(NamedTuple):
    """A planned step: recipient, channel and payload; not before `due_ms` where that is given.

    `recipient` is what a limit by recipient counts for. `beside` marks what only goes along with a
    notice, through the channels that its reader chose. A part with a `problem` (a marked text) cannot be
    done for its recipient.
    """

    action: str
    payload: dict[str, Any]
    recipient: str = ""
    channel_id: int | None = None
    due_ms: int | None = None
    beside: bool = False
    problem: str = ""


class PlannedAction(NamedTuple):
    """The steps of one action, and whether all of its readers have muted the rule."""

    parts: list[DeliveryPlan]
    muted: bool = False


@dataclass(frozen=True, slots=True)
class ActionPlanner:
    """What all actions of one run share; `run_id` is None in a try or a backtest."""

    rule: LiveRule
    facts: EventFacts
    people: People
    now_ms: int
    run_id: int | None = None

    def plan(self, action: ActionConfig) -> PlannedAction:
        """Return the steps of an action. Raises Impossible or Unneeded where it is not to be done at all."""
        permission = action.action.permission
        owner = self.rule.owner
        if permission is not None and owner is not None and not self.people.scope(owner).can(permission):
            raise Impossible(NOT_ALLOWED)
        return _PLANS[action.do](self, action)

    def readers(self, action: ActionConfig) -> list[Reader]:
        """Return the recipients; those of a personal rule are people whom its owner may see."""
        owner = self.rule.owner
        found = self.people.resolve(action.params.get("to", {}), owner or self.rule.updated_by, self.facts)
        if owner is None:
            return found
        scope = self.people.scope(owner)
        return [reader for reader in found if scope.sees(reader.id)]

    def say(self, action: ActionConfig, name: str, reader: Reader) -> str:
        return self.people.say(str(action.params.get(name, "")), self.facts, reader)

    def say_out(self, action: ActionConfig, name: str) -> str:
        return self.people.say_out(str(action.params.get(name, "")), self.facts, self.rule.updated_by)

    def body(self, type_: str, text: str, author: Scope) -> dict[str, Any]:
        """Return the body of a webhook with what `author` may see."""
        names = self.people.names("en", "UTC")
        return webhook_body.of(self.rule, self.facts, names, self.now_ms, type_, text, author)

    def url(self, reader: Reader) -> str:
        """Return the page of what the rule is about, "" for a reader who may not open it."""
        return mail_facts.page(self.facts, self.rule.id, reader) if self.run_id is not None else ""


def _notify(planner: ActionPlanner, action: ActionConfig) -> PlannedAction:
    readers = planner.readers(action)
    if not readers:
        raise Impossible(NOBODY)
    muted = planner.people.muted(planner.rule.id)
    listening = [reader for reader in readers if reader.id not in muted]
    parts = [part for reader in listening for part in _notice(planner, action, reader)]
    return PlannedAction(parts, muted=not listening)


def _notice(planner: ActionPlanner, action: ActionConfig, reader: Reader) -> list[DeliveryPlan]:
    """Return the notice for one reader, and the deliveries of the reader's profile."""
    title = planner.say(action, "title", reader) or planner.rule.name
    text, urgent = planner.say(action, "text", reader), bool(action.params.get("urgent"))
    url, name = planner.url(reader), str(reader.id)
    payload = {"user": reader.id, "title": title, "text": text, "urgent": urgent, "url": url}
    if "again" in action.params:
        payload["again"] = dict(action.params["again"])
    parts = [DeliveryPlan("notify", payload, name)]
    profile = planner.people.profile(reader.id)
    due = None if urgent else working_time.quiet_until(profile, planner.now_ms, reader.zone)
    if profile.email and reader.email:
        parts.append(
            DeliveryPlan("email", _mail_to(planner, reader, title, text, url), name, None, due, True)
        )
    channel = _usable(profile)
    if channel is not None:
        out: dict[str, Any] = {"title": title, "text": text}
        if channel.kind != "chat":
            out = planner.body("notice", f"{title}\n{text}".strip(), reader.scope)
        parts.append(DeliveryPlan(channel.kind, out, name, channel.id, due, True))
    return parts


def _usable(profile: Profile) -> Channel | None:
    channel: Channel | None = profile.channel
    return channel if channel is not None and channel.active else None


def _email(planner: ActionPlanner, action: ActionConfig) -> PlannedAction:
    readers = planner.readers(action)
    muted = planner.people.muted(planner.rule.id)
    listening = [reader for reader in readers if reader.id not in muted]
    parts: dict[str, DeliveryPlan] = {}
    for reader in listening:
        if reader.email:
            subject, text = planner.say(action, "subject", reader), planner.say(action, "text", reader)
            mail = _mail_to(planner, reader, subject, text, planner.url(reader))
            parts.setdefault(reader.email.lower(), DeliveryPlan("email", mail, reader.email))
    if to_customer(action) and customer(planner.facts):
        part = _to_customer(planner, action)
        parts.setdefault(part.recipient, part)
    for address in action.params.get("addresses", ()):
        subject, text = planner.say_out(action, "subject"), planner.say_out(action, "text")
        parts.setdefault(address.lower(), DeliveryPlan("email", _mail(address, subject, text), address))
    if to_customer(action) and not customer(planner.facts):
        if not parts:
            raise Impossible(NO_CUSTOMER)
        parts[""] = DeliveryPlan("email", {}, problem=NO_CUSTOMER)
    if not parts and not (readers and not listening):
        raise Impossible(NO_ADDRESS if readers else NOBODY)
    return PlannedAction(list(parts.values()), muted=not parts)


def _to_customer(planner: ActionPlanner, action: ActionConfig) -> DeliveryPlan:
    address, author = customer(planner.facts), planner.rule.updated_by
    subject, text = (
        planner.people.say_customer(str(action.params.get(name, "")), planner.facts, author)
        for name in ("subject", "text")
    )
    return DeliveryPlan("email", _mail(address, subject, text) | {"customer": True}, address.lower())


def _mail(to: str, subject: str, text: str) -> dict[str, Any]:
    return {"to": to, "subject": subject, "text": text, "user": None, "locale": "", "url": ""}


def _mail_to(planner: ActionPlanner, reader: Reader, subject: str, text: str, url: str) -> dict[str, Any]:
    facts = planner.facts
    return _mail(reader.email, subject, text) | {
        "user": reader.id,
        "locale": reader.locale,
        "url": url,
        "about": facts["type"].partition(".")[0],
        "facts": mail_facts.facts(planner.people, facts, reader),
    }


def _webhook(planner: ActionPlanner, action: ActionConfig) -> PlannedAction:
    channel = _channel(action)
    author = planner.people.scope(planner.rule.updated_by)
    return PlannedAction(
        [
            DeliveryPlan(
                "webhook",
                planner.body("rule.matched", planner.say_out(action, "text"), author),
                channel.name,
                channel.id,
            )
        ]
    )


def _chat(planner: ActionPlanner, action: ActionConfig) -> PlannedAction:
    channel = _channel(action)
    payload = {"title": planner.rule.name, "text": planner.say_out(action, "text")}
    return PlannedAction([DeliveryPlan("chat", payload, channel.name, channel.id)])


def _invite(planner: ActionPlanner, action: ActionConfig) -> PlannedAction:
    if action.in_box:
        return PlannedAction([_in_box(planner, action)])
    channel = _channel(action)
    facts = planner.facts
    author = planner.people.scope(planner.rule.updated_by)
    body = planner.body("chat.invite", planner.say_out(action, "text"), author)
    known = {name: facts[name] for name in ("session", "interaction") if isinstance(facts[name], str)}
    return PlannedAction(
        [DeliveryPlan("invite", {"action": "chat.invite", **known, **body}, channel.name, channel.id)]
    )


def _in_box(planner: ActionPlanner, action: ActionConfig) -> DeliveryPlan:
    """Return the invitation of the event's visit; a try and a backtest need only the site."""
    facts, given = planner.facts, action.params
    visit, of_site = invitations.visit_of(facts["source_id"], facts["session"])
    if not of_site or (visit is None and planner.run_id is not None):
        raise Impossible(NO_VISIT)
    why = invitations.obstacle(visit, given["repeat"]) if visit and planner.run_id is not None else ""
    if why:
        raise Unneeded(why)
    say = partial(planner.people.say_customer, facts=facts, author=planner.rule.updated_by)
    by_language = {name.replace("_", "-"): say(text) for name, text in given.get("texts", {}).items()}
    texts = {**by_language, "": say(given["text"])}
    language = visit.language if visit else facts.get("data.language", "")
    return DeliveryPlan(
        "invite",
        {
            **({"visit": visit.id} if visit else {}),
            "text": invitations.chosen(texts, str(language))[0],
            "texts": texts,
            "seconds": given["seconds"],
            "repeat": given["repeat"],
        },
        str(facts["session"]),
    )


def _log_file(planner: ActionPlanner, action: ActionConfig) -> PlannedAction:
    author = planner.people.scope(planner.rule.updated_by)
    file = str(action.params["file"])
    line = planner.body("rule.matched", planner.say_out(action, "text"), author)
    return PlannedAction([DeliveryPlan("log_file", {"file": file, **line}, f"{file}.log")])


def _of_source(planner: ActionPlanner, action: ActionConfig) -> PlannedAction:
    ident, source = planner.facts["interaction"], planner.facts["source_id"]
    if not isinstance(ident, str) or not isinstance(source, int):
        raise Impossible(NO_ITEM)
    channel = Channel.select().join(Connector).where(Connector.source == source).first()
    if channel is None:
        raise Impossible(NO_API)
    if not channel.active:
        raise Impossible(OFF_CHANNEL)
    [part] = action.action.params
    payload = {"do": action.do, "interaction": ident, "value": planner.say_out(action, part.name)}
    return PlannedAction([DeliveryPlan(action.do, payload, ident, channel.id)])


def _channel(action: ActionConfig) -> Channel:
    found: Channel | None = Channel.get_or_none(Channel.id == action.params["channel"])
    if found is None or found.kind != action.action.channel:
        raise Impossible(LOST_CHANNEL)
    if not found.active:
        raise Impossible(OFF_CHANNEL)
    return found


def _text(planner: ActionPlanner, action: ActionConfig) -> PlannedAction:
    return PlannedAction([DeliveryPlan(action.do, {"text": planner.say_out(action, "text")})])


def _tags(_planner: ActionPlanner, action: ActionConfig) -> PlannedAction:
    return PlannedAction([DeliveryPlan(action.do, {"tags": list(action.params["tags"])})])


def _emit(planner: ActionPlanner, action: ActionConfig) -> PlannedAction:
    facts, people, author = planner.facts, planner.people, planner.rule.updated_by
    given = dict(action.params.get("data", {}))
    payload = {
        "type": action.params["type"],
        "data": {name: people.say_out(str(text), facts, author) for name, text in given.items()},
        "user": facts["user"] if isinstance(facts["user"], int) else None,
        "queue": facts["queue"] if isinstance(facts["queue"], int) else None,
        "interaction": facts["interaction"] if isinstance(facts["interaction"], str) else None,
        "source_id": facts["source_id"] if isinstance(facts["source_id"], int) else None,
    }
    return PlannedAction([DeliveryPlan("emit", payload)])


_PLANS: dict[str, Callable[[ActionPlanner, ActionConfig], PlannedAction]] = {
    "notify": _notify,
    "log": _text,
    "tag": _tags,
    "untag": _tags,
    "note": _text,
    "emit": _emit,
    "email": _email,
    "webhook": _webhook,
    "chat": _chat,
    "invite": _invite,
    "log_file": _log_file,
    "source_status": _of_source,
    "source_priority": _of_source,
    "source_assign": _of_source,
    "source_transfer": _of_source,
    "source_note": _of_source,
}
