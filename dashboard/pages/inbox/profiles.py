"""How the viewer wants to be notified: profiles, and the rules that are muted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from flask import Response, abort, g, url_for
from flask_babel import gettext as _
from markupsafe import Markup

from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.i18n import formats
from dashboard.i18n.message import N_
from dashboard.models import Channel, Profile, Rule, User
from dashboard.pages.inbox import commands, queries
from dashboard.pages.inbox.views import bp
from dashboard.ruletext.names import day_name
from dashboard.web import forms, lists
from dashboard.web.columns import Column, Texts, badge
from dashboard.web.fields import Check, ChoiceOfId, Form, Ids, TextLine
from dashboard.web.resource import Crumbs, Resource
from dashboard.web.versioned import Changes

_CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")


class ProfileRow(NamedTuple):
    id: int
    name: str
    is_default: bool
    screen: bool
    email: bool
    channel: str
    quiet: str  # "20:00–08:00, Saturday, Sunday"


def _clock(label: str) -> TextLine:
    problem = N_("Enter a time such as 20:00.")
    return TextLine(label, 5, needed=False, input_type="time", fits=_CLOCK.fullmatch, problem=problem)


class ProfileForm(Form):
    name = TextLine(N_("Name"), 120)
    screen = Check(N_("On screen"), default=True)
    email = Check(N_("Email"))
    channel = ChoiceOfId(
        N_("Channel"),
        none=N_("None"),
        problem=N_("Choose an item from the list."),
        hint=N_("Everyone with access to the channel can read your notifications."),
    )
    quiet_from = _clock(N_("Quiet hours from"))
    quiet_to = _clock(N_("Quiet hours to"))
    quiet_days = Ids(N_("Quiet days"))
    fallback_id = ChoiceOfId(
        N_("If I can't be reached"),
        none=N_("Don't notify anyone else"),
        problem=N_("Choose an item from the list."),
        hint=N_("Notified by their default profile if both email and channel delivery fail."),
    )
    address = ""  # where mail would go

    def values(self) -> dict[str, Any]:
        days = sorted(day for day in self.quiet_days.data if day <= 7)
        return {**super().values(), "quiet_days": days}

    def validate(self, extra_validators: Any = None) -> bool:
        super().validate(extra_validators)
        if self.email.data and not self.address:
            self.reject("email", _("Your account has no email address."))
        start, end = self.quiet_from, self.quiet_to
        if bool(start.data) != bool(end.data):
            missing = "quiet_to" if start.data else "quiet_from"
            self.reject(missing, _("Enter both times, or leave both empty."))
        elif start.data and start.data == end.data:
            self.reject("quiet_to", _("Start and end can't be the same. For whole days, select the days."))
        if len(self.values()["quiet_days"]) == 7:
            self.reject("quiet_days", _("Keep at least one day."))
        return not self.problems


class Profiles(Resource[ProfileForm]):
    """The viewer's own profiles; one of them is the default."""

    model = Profile
    kind = "profile"
    form_class = ProfileForm
    view = edit_permission = Permission.SELF
    leaves = "delete"
    searches = False
    index_template = "inbox/profiles.html"
    form_template = "inbox/profile.html"
    texts = Texts(
        title=N_("Notification profiles"),
        one=N_("Profiles"),
        new=N_("New profile"),
        table=N_("Table of profiles"),
        none=N_("No profile yet"),
        none_hint=N_("You are notified in the app and by email, at any time."),
        leave=(
            N_("Your notifications are kept. Without a profile, you are notified in the app and by email."),
        ),
        about=N_("Your default profile sets how you're notified and when your quiet hours are."),
        picture="bell",
    )
    columns = (
        Column("name", N_("Name"), sorts=False),
        Column(
            "screen",
            N_("On screen"),
            show=lambda row: _("Yes") if row.screen else _("No"),
            css="p2",
            sorts=False,
        ),
        Column(
            "email",
            N_("Email"),
            show=lambda row: _("Yes") if row.email else _("No"),
            css="p2",
            sorts=False,
        ),
        Column("channel", N_("Channel"), css="p2", sorts=False),
        Column("quiet", N_("Quiet hours"), css="p2", sorts=False),
    )

    def rows(self, gone: bool) -> Iterable[ProfileRow]:
        """Return the viewer's profiles, the default first, then by name."""
        found = lists.by_name(Profile.select().where(Profile.user_id == g.user.id), lambda row: row.name)
        names = dict(Channel.select(Channel.id, Channel.name).tuples())
        return [
            ProfileRow(
                row.id,
                row.name,
                row.is_default,
                row.screen,
                row.email,
                names.get(row.channel_id, ""),
                _quiet(row),
            )
            for row in sorted(found, key=lambda row: not row.is_default)
        ]

    def head_cell(self, row: ProfileRow) -> Markup:
        cell = super().head_cell(row)
        return cell + Markup(" ") + badge(_("Default"), "ok") if row.is_default else cell

    def below(self, row: ProfileRow) -> str:
        return row.quiet

    def crumbs(self, below: bool = False) -> Crumbs:
        way: Crumbs = [(_("Notifications"), url_for(".index"))]
        return [*way, (_("Profiles"), self.url("index"))] if below else way

    def list_context(self, found: Sequence[Any]) -> dict[str, Any]:
        return {"muted": queries.muted(g.user.id)}

    def one(self, ident: int) -> Profile:
        known = 0 < ident <= forms.ID_MAX
        mine = (Profile.id == ident) & (Profile.user_id == g.user.id)
        return (Profile.get_or_none(mine) if known else None) or abort(404)

    def stored(self, row: Profile) -> dict[str, Any]:
        same = ("name", "screen", "email", "quiet_from", "quiet_to", "quiet_days", "fallback_id")
        return {"channel": row.channel_id, **{name: getattr(row, name) for name in same}}

    def readable(self, values: dict[str, Any], form: ProfileForm) -> dict[str, Any]:
        """Return names for ids and days."""
        return {
            **values,
            "channel": dict(channels(g.scope, values["channel"])).get(values["channel"], ""),
            "fallback_id": dict(people(g.scope, values["fallback_id"])).get(values["fallback_id"], ""),
            "quiet_days": [day_name(day) for day in values["quiet_days"]],
        }

    def form(self, row: Profile | None, sent: Any = None) -> ProfileForm:
        form = super().form(row, sent)
        form.address = g.user.email
        if row is None and sent is None:
            form.email.data = bool(form.address)
        form.channel.offer(channels(g.scope, row.channel_id if row else None))
        form.fallback_id.offer(people(g.scope, row.fallback_id if row else None))
        return form

    def context(self, row: Profile | None, form: ProfileForm) -> dict[str, Any]:
        return {"address": g.user.email, "days": [(day, day_name(day)) for day in range(1, 8)]}

    def insert(self, form: ProfileForm, context: Any) -> Profile:
        first = not Profile.select().where(Profile.user_id == g.user.id).exists()
        row: Profile = Profile.create(user_id=g.user.id, is_default=first, **form.values())
        return row

    def removing(self, row: Profile, context: Any) -> Changes:
        return audit.differences({}, self.stored(row))

    def changed(self, row: Profile) -> None:
        """Make the oldest profile the default where the default one has been deleted."""
        rest = Profile.select().where(Profile.user_id == row.user_id).order_by(Profile.id)
        if rest and not any(each.is_default for each in rest):
            Profile.update(is_default=True).where(Profile.id == rest[0].id).execute()

    def make_default(self, row: Profile) -> None:
        """Notify by this profile from now on."""
        with database.atomic():
            others = (Profile.user_id == row.user_id) & (Profile.id != row.id)
            Profile.update(is_default=False).where(others).execute()
            fresh = (Profile.id == row.id) & ~Profile.is_default
            if Profile.update(is_default=True).where(fresh).execute():
                self.record("updated", "u", row, {"is_default": (False, True)})


PROFILES = Profiles(bp, "/profiles", "profiles_")


@bp.post("/profiles/<int:ident>/default")
@require(Permission.SELF)
def default_profile(ident: int) -> Response:
    row = PROFILES.one(ident)
    PROFILES.make_default(row)
    return PROFILES.done(_("%(name)s is now your default profile.", name=row.name))


@bp.post("/mutes/<int:ident>/delete")
@require(Permission.SELF)
def unmute(ident: int) -> Response:
    rule = forms.one(Rule, ident)
    if all(ident != each.rule_id for each in queries.muted(g.user.id)):
        abort(404)  # whoever has not muted it need not learn that it exists
    commands.unmute(g.user.id, rule)
    return PROFILES.done(_("%(name)s unmuted.", name=rule.name))


def channels(scope: Scope, kept: int | None) -> list[tuple[int, str]]:
    """Return the channels to choose from: those in use for who may call out, and the one that is chosen."""
    mine = Channel.id == kept
    if scope.can(Permission.RULES_OUTWARD):
        mine |= Channel.active & Channel.kind.in_(("webhook", "chat"))
    return _named(Channel.select(Channel.id, Channel.name).where(mine))


def people(scope: Scope, kept: int | None) -> list[tuple[int, str]]:
    """Return who may be notified instead: active users in scope but oneself, and the one that is chosen."""
    query = User.select(User.id, User.name).where(
        scope.allows(User.id)
        & (User.id != scope.viewer_id)
        & ((User.deactivated_ts.is_null() & User.access.is_null(False)) | (User.id == kept))
    )
    return _named(query)


def _named(query: Any) -> list[tuple[int, str]]:
    return lists.by_name(list(query.tuples()), lambda pair: str(pair[1]))


def _quiet(row: Profile) -> str:
    hours = f"{row.quiet_from}–{row.quiet_to}" if row.quiet_from else ""
    return formats.listed(filter(None, [hours, *map(day_name, row.quiet_days)]))
