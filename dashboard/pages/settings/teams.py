"""Teams: their people, and the leads who may see the members.

Whoever leads a team may see its members, so a change of a team is a change of rights: changes happen one at a
time, with the rights that the viewer has at that moment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from flask import Blueprint, abort, g, request
from flask_babel import ngettext
from peewee import JOIN, fn

from dashboard.access import granting, sign_in_settings
from dashboard.access.granting import Giver, RefusedError
from dashboard.access.permissions import Permission
from dashboard.i18n import formats
from dashboard.i18n.message import N_
from dashboard.models import Team, TeamLead, TeamMember, User
from dashboard.web import lists
from dashboard.web.columns import Column, Texts, number
from dashboard.web.fields import Form, Ids, TextLine
from dashboard.web.resource import Resource
from dashboard.web.versioned import Changes

UNSEEN_MEMBERS = N_("Some members are outside your scope, so you can't add leads.")


class TeamRow(NamedTuple):
    id: int
    name: str
    members: int
    leads: str  # names of the leads whom the viewer may see


class TeamForm(Form):
    name = TextLine(N_("Name"), 120)
    members = Ids(N_("Members"), name="member")
    leads = Ids(N_("Leads"), name="lead")

    @property
    def people(self) -> frozenset[int]:
        return frozenset(self.members.data | self.leads.data)


class Teams(Resource[TeamForm]):
    model = Team
    kind = "team"
    form_class = TeamForm
    view = Permission.TEAMS_VIEW
    edit_permission = Permission.TEAMS_EDIT
    leaves = "delete"
    form_template = "teams/form.html"
    texts = Texts(
        title=N_("Teams"),
        one=N_("Team"),
        new=N_("New team"),
        table=N_("Table of teams"),
        count=lambda number: ngettext("%(num)d team", "%(num)d teams", number),
        no_match=N_("No matching teams"),
        none=N_("No teams yet"),
        none_hint=N_("Team leads can see the tracing of their team members."),
        taken=N_("A team with this name already exists."),
        leave=(N_("Team leads lose access to them through this team. This can't be undone."),),
        picture="team",
    )
    columns = (
        Column("name", N_("Name")),
        Column("leads", N_("Leads"), lambda row: row.leads or None),
        number("members", N_("Members")),
    )

    def rows(self, gone: bool) -> Iterable[TeamRow]:
        sizes = TeamMember.select(TeamMember.team, fn.COUNT(TeamMember.user)).group_by(TeamMember.team)
        counts = dict(sizes.tuples())
        leads: dict[int, list[str]] = {}
        named = TeamLead.select(TeamLead.team, User.name).join(
            User, JOIN.INNER, on=(TeamLead.user == User.id)
        )
        for team, name in named.where(g.scope.allows(User.id)).tuples():
            leads.setdefault(team, []).append(name)
        return [
            TeamRow(
                ident, name, counts.get(ident, 0), formats.listed(lists.by_name(leads.get(ident, []), str))
            )
            for ident, name in Team.select(Team.id, Team.name).tuples()
        ]

    def searched(self, row: TeamRow) -> Sequence[str]:
        return (row.name, row.leads)

    def stored(self, row: Team) -> dict[str, Any]:
        return {"name": row.name, "members": _of(TeamMember, row.id), "leads": _of(TeamLead, row.id)}

    def audited(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return a team with its people by name and login."""
        ids = sorted(values["members"] | values["leads"])
        query = User.select(User.id, User.name, User.login).where(User.id.in_(ids)).order_by(User.name)
        called = {ident: f"{name} ({login})" for ident, name, login in query.tuples()}
        named = {
            part: [text for ident, text in called.items() if ident in values[part]]
            for part in ("members", "leads")
        }
        return {"name": values["name"], **named}

    def readable(self, values: dict[str, Any], form: TeamForm) -> dict[str, Any]:
        return self.audited({**values, **{part: _seen(values[part]) for part in ("members", "leads")}})

    def form(self, row: Team | None, sent: Any = None) -> TeamForm:
        """Return the form; 404 when it names somebody outside the viewer's scope.

        The search for people sends the unsaved form along by GET.
        """
        if sent is None and request.args.get("op") == "find":
            return TeamForm(request.args)
        form = super().form(row, sent)
        if sent is None:
            form.members.data, form.leads.data = _seen(form.members.data), _seen(form.leads.data)
        elif lists.unknown(g.scope, form.people):
            abort(404)
        return form

    def context(self, row: Team | None, form: TeamForm) -> dict[str, Any]:
        sought = lists.needle(request.values, "q")
        present = _of(TeamMember, row.id) | _of(TeamLead, row.id) if row else frozenset()
        return {
            "q": sought,
            "people": lists.offered(g.scope, form.people, sought, lists.CHOSEN),
            "hidden": len(present - _seen(present)),
        }

    def changing(self) -> AbstractContextManager[Giver]:
        return granting.changing(g.user.id)

    def insert(self, form: TeamForm, giver: Giver) -> Team:
        row = Team.create(name=form["name"].data)
        _place(giver, row.id, form.values())
        return row

    def write(self, row: Team, form: TeamForm, giver: Giver) -> bool:
        if not self.set(row, form.version.data, name=form["name"].data):
            return False
        _place(giver, row.id, form.values())
        return True

    def leave_texts(self, row: Team) -> Sequence[str]:
        members = ngettext(
            "The team has %(num)d member. The user is kept.",
            "The team has %(num)d members. The users are kept.",
            len(_of(TeamMember, row.id)),
        )
        return [members, *super().leave_texts(row)]

    def removing(self, row: Team, giver: Giver) -> Changes:
        if row.id in sign_in_settings.load().teams:
            raise RefusedError(sign_in_settings.GIVEN)
        _touch(_of(TeamMember, row.id))
        return {name: (value, None) for name, value in self.audited(self.stored(row)).items()}


def _place(giver: Giver, team_id: int, wanted: dict[str, Any]) -> None:
    """Put the people of the form into the team, besides those whom the giver does not see."""
    have = {"members": _of(TeamMember, team_id), "leads": _of(TeamLead, team_id)}
    want = {part: wanted[part] | {each for each in have[part] if not giver.scope.sees(each)} for part in have}
    if want["leads"] - have["leads"] and not all(giver.scope.sees(member) for member in want["members"]):
        raise RefusedError(UNSEEN_MEMBERS)
    for model, part in ((TeamMember, "members"), (TeamLead, "leads")):
        gone = sorted(have[part] - want[part])
        if gone:
            model.delete().where((model.team == team_id) & model.user.in_(gone)).execute()
        for user_id in sorted(want[part] - have[part]):
            model.create(team=team_id, user=user_id)
    _touch(want["members"] ^ have["members"])


def _touch(user_ids: Collection[int]) -> None:
    """Raise the version of users, so that whoever edits one of them now learns of the change."""
    User.update(version=User.version + 1).where(User.id.in_(sorted(user_ids))).execute()


def _seen(user_ids: Iterable[int]) -> frozenset[int]:
    return frozenset(each for each in user_ids if g.scope.sees(each))


def _of(model: type[TeamMember] | type[TeamLead], team_id: int) -> frozenset[int]:
    return frozenset(user for (user,) in model.select(model.user).where(model.team == team_id).tuples())


bp = Blueprint("teams", __name__, url_prefix="/teams")
Teams(bp)
