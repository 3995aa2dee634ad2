"""What the page of one interaction says: its sentences, bars, events and facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup

from dashboard import catalog
from dashboard.catalog.channels import CHANNELS
from dashboard.catalog.fields import COMMENT, RELATED, TO, TO_QUEUE, TO_USER
from dashboard.i18n import formats
from dashboard.i18n.formats import duration
from dashboard.i18n.message import N_
from dashboard.pages.interactions.queries import Facts, Happened, Linked, Work
from dashboard.pages.interactions.story import Bar, Shape
from dashboard.sources.declared.entities import DIRECTIONS, OUTCOMES, REASONS
from dashboard.sources.declared.events import value_text
from dashboard.tracing.types import State

SHAPES = {
    Shape.LINE: N_("On the line"),
    Shape.WAIT: N_("Waiting"),
    Shape.RING: N_("Ringing"),
    Shape.NOT_TAKEN: N_("Not taken"),
    Shape.TALK: N_("Talk"),
    Shape.HOLD: N_("Hold"),
    Shape.WORK: N_("Handling"),
    Shape.AFTER: N_("After-call work"),
}
CALLS = ("call", "dialled")
COMMENT_MAX = 1000
HIDDEN = ("direction", "channel")  # the same in every event of an interaction
BADGES = {"answered": "ok", "abandoned": "bad", "missed": "bad"}


class Line(NamedTuple):
    """A row of the table of events; `chips` name the user by which the row is chosen."""

    time: str
    label: str
    who: str
    what: str
    user_id: int | None


def user(work: Work) -> str:
    return work.name or _("Another user")


def sentences(
    found: Facts, works: Sequence[Work], events: Sequence[Happened] = (), free: int | None = None
) -> list[str]:
    """Return what happened, a short sentence for each thing. `free` is how many were free when it rang or
    waited, None where the viewer may not know."""
    queue = found.queue or ""
    said = []
    if found.wait_s is not None and queue:
        said.append(_("Waited %(time)s in %(queue)s.", time=duration(found.wait_s), queue=queue))
    elif found.queued_ts is not None and found.outcome == "" and found.ended_ts is None:
        said.append(_("Waiting in %(queue)s.", queue=queue))
    names = {work.login: work.name for work in works if work.login and work.name}
    passed = [event for event in events if event.type.endswith(".transferred")]
    said += [text for work in works if (text := _of_work(work, _target(work, passed, names)))]
    said += _edits(events)
    if found.outcome == "abandoned":
        said.append(_("The customer gave up."))
    elif found.outcome == "missed":
        said.append(_("Nobody took it."))
    if found.outcome in ("abandoned", "missed") and free is not None:
        said.append(
            ngettext("%(num)d user was free.", "%(num)d users were free.", free)
            if free
            else _("Nobody was free.")
        )
    merged = next((event for event in events if event.type.endswith(".merged")), None)
    if merged is not None:
        into = merged.data.get(RELATED.name)
        said.append(_("Merged with %(other)s.", other=into) if into else _("Merged with another one."))
    return said


def _target(work: Work, passed: Sequence[Happened], names: Mapping[str, str]) -> str:
    """Return whom a user passed the interaction to, as far as the viewer may know; "" if not."""
    mine = [event for event in passed if event.user_id == work.user_id]
    for event in mine:
        for name in (TO_USER.name, TO_QUEUE.name, TO.name):
            if event.data.get(name):
                return names.get(str(event.data[name]), str(event.data[name]))
    return ""


def _edits(events: Sequence[Happened]) -> list[str]:
    """Return who edited, closed and reopened a ticket."""
    texts = {
        "ticket.updated": N_("Edited by %(users)s."),
        "ticket.reopened": N_("Reopened by %(users)s."),
        "ticket.closed": N_("Closed by %(users)s."),
    }
    said = []
    for type_, text in texts.items():
        number = Counter(event.name or _("Another user") for event in events if event.type == type_)
        who = formats.listed(f"{name} ({count}×)" if count > 1 else name for name, count in number.items())
        if who:
            said.append(str(_(text, users=who)))
    return said


def _of_work(work: Work, target: str = "") -> str:
    """Return the sentence about a user's work; "" where there is nothing to say."""
    name = user(work)
    match work.state:
        case State.REJECTED:
            return str(_("Rejected by %(user)s after %(time)s.", user=name, time=duration(work.ringing_s)))
        case State.MISSED:
            return str(
                _("Rang at %(user)s for %(time)s, not taken.", user=name, time=duration(work.ringing_s))
            )
        case State.ANSWERED_ELSEWHERE | State.EDITED:
            return ""
        case State.RINGING:
            return str(_("Ringing at %(user)s.", user=name))
    time = duration(work.talk_s or work.handling_s)
    if work.end is None and work.end_bound is None:
        return str(_("With %(user)s.", user=name))
    if work.state == State.TRANSFERRED and target:
        text = _(
            "Taken by %(user)s for %(time)s, then transferred to %(target)s.",
            user=name,
            time=time,
            target=target,
        )
        return str(text)
    if work.state == State.TRANSFERRED:
        return str(_("Taken by %(user)s for %(time)s, then transferred.", user=name, time=time))
    return str(_("Taken by %(user)s for %(time)s.", user=name, time=time))


def shape(one: Shape, channel: str) -> str:
    """Return what a bar is called; only a caller is on a line."""
    return str(_("Open") if one is Shape.LINE and channel not in CALLS else _(SHAPES[one]))


def colour(channel: str) -> str:
    """Return the class of the colour of a channel's bars."""
    return channel if channel in ("email", "ticket") else "call" if channel in CALLS else "chat"


def bar(one: Bar, channel: str, zone: str) -> str:
    """Return the text of a bar: 14:36:24–14:36:36 · Ringing · 0:00:12."""
    label = shape(one.shape, channel)
    if one.shape is Shape.NOT_TAKEN:
        return f"{formats.clock(one.start, zone)} · {label}"
    times = f"{formats.clock(one.start, zone)}–{formats.clock(one.end, zone)}"
    return f"{times} · {label} · {duration(one.end - one.start)}"


def lines(found: Facts, events: Sequence[Happened], zone: str) -> list[Line]:
    """Return the rows of the table of events."""
    day = formats.local(found.first_ms // 1000, zone).date()
    return [
        Line(
            formats.clock(at, zone) if formats.local(at, zone).date() == day else formats.stamp(at, zone),
            _label(event.type),
            "" if event.name is None else event.name or _("Another user"),
            _details(event),
            event.user_id if event.name else None,
        )
        for event in events
        for at in [event.time_ms // 1000]
    ]


def counts(rows: Sequence[Line]) -> list[tuple[str, list[tuple[str, int]]]]:
    """Return by user, in the order of their first event, how often each of their events occurs; the events
    without a user come last, under ""."""
    by_user: dict[str, Counter[str]] = {}
    for row in rows:
        by_user.setdefault(row.who, Counter())[row.label] += 1
    others = by_user.pop("", None)
    found = [(who, number.most_common()) for who, number in by_user.items()]
    return found + ([("", others.most_common())] if others else [])


def comments(found: Facts, events: Sequence[Happened], zone: str) -> list[Line]:
    """Return the comments that events carry."""
    noted = [event for event in events if event.data.get(COMMENT.name)]
    said = lines(found, noted, zone)
    return [
        line._replace(what=str(event.data[COMMENT.name])[:COMMENT_MAX])
        for line, event in zip(said, noted, strict=True)
    ]


def result(found: Facts) -> str:
    """Return what became of the interaction."""
    if found.outcome:
        return str(_(OUTCOMES[found.outcome]))
    return str(_("Closed") if found.ended_ts is not None else _("Open"))


def title(found: Facts, contact: str) -> str:
    """Return the heading of the page: the channel and the contact, as far as they are known."""
    channel = _(CHANNELS[found.channel]) if found.channel in CHANNELS else found.channel or _("Interaction")
    return str(_("%(channel)s of %(contact)s", channel=channel, contact=contact) if contact else channel)


def _label(type_: str) -> str:
    known = catalog.find(type_)
    return str(_(known.label)) if known is not None and known.label else type_


def _details(event: Happened) -> str:
    """Return the event's own fields in words: those that its type declares, texts shortened."""
    type_ = catalog.find(event.type)
    if type_ is None:
        return ""
    said = []
    for name, field in type_.by_name.items():
        value = event.data.get(name)
        if name in HIDDEN or value in (None, "") or isinstance(value, bool | list | dict):
            continue
        said.append(_("%(label)s: %(value)s", label=_(field.label), value=value_text(field, value)[:80]))
    return " · ".join(said[:4])


def facts(found: Facts, contact: str, works: Sequence[Work], linked: Linked) -> list[tuple[str, Any]]:
    """Return label and text of each fact; one without text is not shown."""
    visit, session = (
        Markup('<a href="{}">{}</a>').format(url_for(page, ident=ident), _("Show")) if ident else ""
        for page, ident in (("visitors.show", linked.visit), ("sessions.show", linked.session))
    )
    channel = CHANNELS.get(found.channel, found.channel)
    direction = _(DIRECTIONS[found.direction]) if found.direction in DIRECTIONS else ""
    hold, handling = sum(work.hold_s for work in works), sum(work.handling_s for work in works)
    level = None
    if found.outcome == "answered" and found.wait_s is not None and found.level_s is not None:
        level = _("Yes") if found.wait_s <= found.level_s else _("No")
    reason = _(REASONS[found.reason]) if found.reason in REASONS else found.reason
    return [
        (_("Channel"), " · ".join(part for part in (_(channel) if channel else "", direction) if part)),
        (_("Contact"), contact),
        (_("Queue"), found.queue or ""),
        (_("Result"), result(found)),
        (_("Reason"), reason),
        (_("Waiting time"), duration(found.wait_s) if found.wait_s is not None else ""),
        (_("Within service level"), level),
        (_("Talk time"), duration(found.talk_s) if found.talk_s else ""),
        (_("Hold time"), duration(hold) if hold else ""),
        (_("Handling time"), duration(handling) if handling else ""),
        (_("Visit"), visit),
        (_("Co-browsing"), session),
        (_("Source"), found.source),
    ]
