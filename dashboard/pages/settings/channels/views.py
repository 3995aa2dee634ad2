"""Channels: the list, the form, a test, on and off. Addresses and secrets are never read out of a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from flask import Blueprint, Response, g, make_response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup

from dashboard import clock
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.i18n.message import N_
from dashboard.models import Channel, ChannelCheck, Rule
from dashboard.notify import channel_check, result
from dashboard.pages.settings.channels.forms import KINDS, SERVICES, ChannelForm
from dashboard.rulelang import references
from dashboard.rules import permissions
from dashboard.web import lists
from dashboard.web.columns import Column, Texts, badge, moment, number
from dashboard.web.resource import Resource
from dashboard.web.versioned import Changes, InvalidError

BY_HAND = N_("Turned off manually.")
HIDDEN = ("address", "secret")
SHOWN_MS = 15 * 60_000  # how long the result of a check is shown
SET = "•••"  # stands for what is stored and not shown


class ChannelRow(NamedTuple):
    id: int
    name: str
    kind: str
    place: str  # the host of a webhook, the service of a chat
    active: bool
    reason: str  # why it is off, a marked text
    failures: int
    last_ts: int | None
    rules: int


def _state(row: ChannelRow) -> Markup:
    if row.active:
        return badge(_("Failing"), "warn") if row.failures else badge(_("On"), "ok")
    why = Markup('<br><span class="mut sm">{}</span>').format(_(row.reason)) if row.reason else ""
    return badge(_("Off"), "bad") + why


class Channels(Resource[ChannelForm]):
    model = Channel
    kind = "channel"
    form_class = ChannelForm
    view = Permission.CHANNELS_VIEW
    edit_permission = Permission.CHANNELS_EDIT
    leaves = "delete"
    stays = True
    form_template = "channels/form.html"
    form_fragments = ("check",)
    texts = Texts(
        title=N_("Channels"),
        one=N_("Channel"),
        new=N_("New channel"),
        table=N_("Table of channels"),
        count=lambda number: ngettext("%(num)d channel", "%(num)d channels", number),
        no_match=N_("No matching channels"),
        none=N_("No channels yet"),
        none_hint=N_("Channels let rules call other systems or post to a chat."),
        taken=N_("A channel with this name already exists."),
        leave=(N_("The address and secret will be deleted. Past deliveries are kept in rule runs."),),
        about=N_("Webhooks and chats used by rules. Email doesn't need a channel."),
        add=N_("Add channel"),
        picture="chat",
    )
    columns = (
        Column("name", N_("Name")),
        Column("kind", N_("Type"), show=lambda row: _(KINDS[row.kind]), css="p2"),
        Column("place", N_("Destination"), css="p3", cell_css="mono", sorts=False),
        number("rules", N_("Used by rules"), "n p2"),
        moment("last", N_("Last success"), "last_ts", "n p2"),
        number("failures", N_("Consecutive failures"), "n p3"),
        Column("state", N_("State"), show=_state, sorts=False),
    )

    def rows(self, gone: bool) -> Iterable[ChannelRow]:
        used = uses()
        return [
            ChannelRow(
                row.id,
                row.name,
                row.kind,
                place(row),
                row.active,
                row.disabled_reason,
                row.failures,
                None if row.last_ok_ms is None else row.last_ok_ms // 1000,
                len(used.get(row.id, ())),
            )
            for row in Channel.select()
        ]

    def searched(self, row: ChannelRow) -> Sequence[str]:
        return (row.name, row.place)

    def below(self, row: ChannelRow) -> str:
        return str(_(KINDS[row.kind]))

    def stored(self, row: Channel) -> dict[str, Any]:
        return {
            name: getattr(row, name) for name in ("name", "kind", "address", "secret", "headers", "ordered")
        }

    def audited(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return that something is set, and the names of headers."""
        shown = {name: SET if name in HIDDEN and value else value for name, value in values.items()}
        return shown | ({"headers": sorted(values["headers"])} if "headers" in values else {})

    def form(self, row: Channel | None, sent: Any = None) -> ChannelForm:
        form = super().form(row, sent)
        if row is None and sent is None:
            form.kind.data = request.args["kind"]
        form.fit(row)
        return form

    def new(self) -> Response:
        """Let the kind be chosen, then show the form of that kind."""
        return super().new() if request.args.get("kind") in SERVICES else self._kinds()

    def create(self) -> Response:
        return super().create() if request.form.get("kind") in SERVICES else self._kinds(422)

    def _kinds(self, status: int = 200) -> Response:
        problems = {"kind": _("Choose a type.")} if status == 422 else {}
        return self.render("channels/kinds.html", status=status, services=SERVICES, problems=problems)

    def insert(self, form: ChannelForm, context: Any) -> Channel:
        row: Channel = Channel.create(created_ts=clock.now_s(), **form.values())
        channel_check.order(row, g.user.id)
        return row

    def write(self, row: Channel, form: ChannelForm, context: Any) -> bool:
        saved = super().write(row, form, context)
        if saved and form.address.data:
            channel_check.order(row, g.user.id)
        return saved

    def added(self, row: Channel, form: ChannelForm) -> Response:
        return self._secret(row, form) or super().added(row, form)

    def saved(self, row: Channel, form: ChannelForm) -> Response:
        return self._secret(row, form) or super().saved(row, form)

    def _secret(self, row: Channel, form: ChannelForm) -> Response | None:
        """Show a secret that was made: it stands on this one answer and nowhere else."""
        if not form.makes_secret:
            return None
        return self.render("channels/made.html", row=row, name=form.name.data, secret=form.made_secret)

    def links(self) -> list[tuple[str, str]]:
        if not g.scope.can(Permission.RULES_TRACES):
            return []
        return [(_("Deliveries"), url_for("deliveries.index"))]

    def obstacles(self, row: Channel) -> Sequence[str]:
        used, others = users_of(row.id, g.scope)
        found = [
            _("Rule “%(rule)s” uses this channel. Change the rule first.", rule=name) for _id, name in used
        ]
        if others:
            found.append(
                ngettext(
                    "Used by %(num)d rule you don't have access to.",
                    "Used by %(num)d rules you don't have access to.",
                    others,
                )
            )
        return found

    def removing(self, row: Channel, context: Any) -> Changes | None:
        if problems := self.obstacles(row):
            raise InvalidError("", problems[0])
        return None

    def context(self, row: Channel | None, form: ChannelForm) -> dict[str, Any]:
        used, others = users_of(row.id, g.scope) if row is not None else ([], 0)
        return {
            "used": used,
            "others": others,
            "place": place(row) if row is not None else "",
            "type_name": _(KINDS[row.kind]) if row is not None else "",
            "key_lost": result.KEY_LOST,
            "latest": _latest(row) if row is not None and self.may_edit() else None,
            "when": lists.moment,
        }


bp = Blueprint("channels", __name__, url_prefix="/settings/channels")
CHANNELS = Channels(bp)


class CheckShown(NamedTuple):
    """The latest check of a channel as its page shows it; `kind` is the look of the note."""

    waits: bool
    text: str
    kind: str
    ts: int


def _latest(row: Channel) -> CheckShown | None:
    """Return the latest check of a channel, None without one of late."""
    check = ChannelCheck.get_or_none(ChannelCheck.channel == row.id)
    if check is None or (check.done_ms or clock.now_ms()) < clock.now_ms() - SHOWN_MS:
        return None
    if check.done_ms is None:
        text = _("Sending the test message…") if check.sends else _("Looking up the address…")
        return CheckShown(True, text, "", check.made_ms // 1000)
    status = [_("HTTP status %(status)d.", status=check.status)] if check.status else []
    if check.ok:
        text = _("Test message sent through %(name)s.", name=row.name) if check.sends else _("Address found.")
        return CheckShown(False, " ".join([text, *status]), "ok", check.done_ms // 1000)
    first = [_("The test message was not sent.")] if check.sends else []
    said = " ".join([*first, _(check.why), *status, check.note]).strip()
    return CheckShown(False, said, "bad", check.done_ms // 1000)


@bp.post("/<int:ident>/test")
@require(Permission.CHANNELS_EDIT)
def test(ident: int) -> Response:
    """Have the worker send a test message; the channel's page shows what the receiver answers."""
    row = CHANNELS.one(ident)
    with database.atomic():
        channel_check.order(row, g.user.id, _("This is a test message from Stopa."))
    return make_response(redirect(CHANNELS.url("edit", row)))


@bp.post("/<int:ident>/enable")
@require(Permission.CHANNELS_EDIT)
def enable(ident: int) -> Response:
    row = CHANNELS.one(ident)
    switch(row, True)
    return CHANNELS.done(_("%(name)s turned on.", name=row.name), CHANNELS.url("edit", row))


@bp.post("/<int:ident>/disable")
@require(Permission.CHANNELS_EDIT)
def disable(ident: int) -> Response:
    row = CHANNELS.one(ident)
    switch(row, False)
    return CHANNELS.done(_("%(name)s turned off.", name=row.name), CHANNELS.url("edit", row))


def switch(row: Channel, on: bool) -> None:
    """Switch a channel on and forget its failures, or off: then what is sent by it fails. Idempotent."""
    values = {"active": True, "disabled_reason": "", "failures": 0}
    if not on:
        values = {"active": False, "disabled_reason": BY_HAND}
    with database.atomic():
        change = Channel.update(version=Channel.version + 1, **values)
        if change.where((Channel.id == row.id) & (Channel.active != on)).execute():
            audit.record(
                "channel.enabled" if on else "channel.disabled",
                "u",
                CHANNELS.target(row),
                {"active": (not on, on)},
                None if on else {"error": BY_HAND},
            )


def place(row: Channel) -> str:
    """Return what of an address is no secret: a webhook's host, a chat's service."""
    parts = urlsplit(row.address)
    return str(parts.hostname or "") if parts.scheme in ("http", "https") else parts.scheme


def uses() -> dict[int, list[int]]:
    """Return the ids of the rules that use each channel."""
    found: dict[int, list[int]] = {}
    for ident, definition in Rule.select(Rule.id, Rule.definition).order_by(Rule.id).tuples():
        for channel in references.collected(definition)["channel"]:
            found.setdefault(channel, []).append(ident)
    return found


def users_of(channel_id: int, scope: Scope) -> tuple[list[tuple[int, str]], int]:
    """Return id and name of the rules that use the channel and that the viewer may see, by name, and how
    many others use it."""
    ids = uses().get(channel_id, [])
    query = Rule.select(Rule.id, Rule.name).where(Rule.id.in_(ids) & permissions.visible(scope))
    seen = lists.by_name(list(query.tuples()), lambda row: str(row[1]))
    return seen, len(ids) - len(seen)
