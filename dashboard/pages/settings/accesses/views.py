"""Accesses: what each allows, about whom, and who has it.

Changes happen one at a time, with the rights that the viewer has at that moment. Nobody grants what the own
access lacks, changes the own access, or takes the last administrator's rights.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from types import MappingProxyType
from typing import Any

from flask import Blueprint, Response, abort, g, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup

from dashboard.access import agent_exports as questions
from dashboard.access import granting, sign_in_settings
from dashboard.access.granting import TOO_MUCH, Giver, Grant, RefusedError, grants_of
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.audit import record as audit
from dashboard.i18n import zone
from dashboard.i18n.message import N_
from dashboard.models import Access, AccessGrant, User
from dashboard.pages.settings.accesses import forms, preview, queries
from dashboard.pages.settings.accesses.forms import GeneralForm, NewForm, RightsForm
from dashboard.pages.settings.accesses.queries import AccessRow
from dashboard.web import errors, lists
from dashboard.web.columns import Column, Texts, badge, number
from dashboard.web.fields import Form
from dashboard.web.forms import ID_MAX, whole
from dashboard.web.resource import Resource
from dashboard.web.versioned import Changes, InvalidError

OWN = N_("This is your own role. Someone else with the same permissions must edit it.")
HIGHER = N_("This role has permissions that yours lacks, so you can't edit it.")
LACKING = N_("You can't grant permissions you don't have: %(what)s.")
PRESET = N_("Built-in roles can be edited but not deleted.")
IN_USE = N_("Some users have this role. Assign them another role first.")


class Accesses(Resource[Form]):
    model = Access
    kind = "access"
    form_class = NewForm
    view = Permission.ACCESSES_VIEW
    edit_permission = Permission.ACCESSES_EDIT
    edit_path = "/edit"
    leaves = "delete"
    stays = True
    texts = Texts(
        title=N_("Roles"),
        one=N_("Role"),
        new=N_("New role"),
        table=N_("Table of roles"),
        count=lambda number: ngettext("%(num)d role", "%(num)d roles", number),
        no_match=N_("No matching roles"),
        none=N_("No matching roles"),
        none_hint="",
        taken=N_("A role with this name already exists."),
        leave=(N_("This can't be undone."),),
        add=N_("Add role"),
        picture="shield",
    )
    labels = MappingProxyType({"scope": N_("Scope"), "two_factor": N_("Two-factor required")})
    columns = (
        Column("name", N_("Name")),
        Column("description", N_("Description"), css="p2", sorts=False),
        Column("scope", N_("Users whose tracing is visible"), css="p2", sorts=False),
        number("users", N_("Users")),
    )

    def rows(self, gone: bool) -> Iterable[AccessRow]:
        return queries.access_rows()

    def searched(self, row: AccessRow) -> Sequence[str]:
        return (row.name, row.description)

    def called(self, row: Access | AccessRow) -> str:
        return row.name if isinstance(row, AccessRow) else lists.preset_name(row.name, row.is_system)

    def head_cell(self, row: AccessRow) -> Markup:
        link = Markup('<a class="name" href="{}">{}</a>').format(self.url("edit", row), row.name)
        own = Markup(" ") + badge(_("Your role"), "info") if row.id == g.user.access.id else Markup("")
        return link + own + Markup('<span class="p0 mut sm">{}</span>').format(row.scope)

    def stored(self, row: Access) -> dict[str, Any]:
        return {
            "name": row.name,
            "description": row.description,
            "two_factor": row.two_factor,
            "scope": frozenset(grants_of(row.id)),
            "permissions": row.permissions,
        }

    def audited(self, values: dict[str, Any]) -> dict[str, Any]:
        return {**values, **({"scope": queries.scope_texts(values["scope"])} if "scope" in values else {})}

    def readable(self, values: dict[str, Any], form: Form) -> dict[str, Any]:
        """Return what a tab shows of an access, its permissions by their labels."""
        shown = self.audited(values)
        if isinstance(form, RightsForm):
            ticked = [each for each in sorted(form.offered) if each.value in values["permissions"]]
            shown["permissions"] = [_(granting.LABELS[each.value]) for each in ticked]
        return shown

    def form(self, row: Access | None, sent: Any = None) -> Form:
        """Return the form of a new access, or of the tab that the address or the form names.

        404 when it names people or queues outside of what the viewer may see.
        """
        if row is None:
            form = NewForm(sent, data={"source": whole(request.args.get("from", ""), 1, ID_MAX)})
            form.source.offer(queries.clonable(granting.giver_of(g.user, g.scope)))
            return form
        tab, part = _place()
        data = {**self.stored(row), "version": row.version}
        if tab == "general":
            grants = data["scope"]
            data |= {kind: Grant(kind) in grants for kind in forms.WHOLE}
            data |= {kind: {each.ref_id for each in grants if each.kind == kind} for kind in forms.CHOSEN}
            general = GeneralForm(
                request.args if sent is None and request.args.get("op") == "find" else sent, data=data
            )
            if row.is_system:
                general.name.data = row.name  # commands name the presets
            if sent is not None:
                _check_known(grants, general)
            return general
        rights = RightsForm(sent, data=data)
        rights.offered = forms.offered(tab, part)
        if sent is not None and not rights.offered:
            abort(404)
        return rights

    def show(self, row: Access | None, form: Form, status: int = 200, **more: Any) -> Response:
        if row is None:
            return super().show(row, form, status, **more)
        tab, _part = _place()
        template = tab if tab in ("general", "users", "preview") else "rights"
        context = {"row": row, "form": form, "differing": None, **self.context(row, form), **more}
        return self.render(f"accesses/{template}.html", (), status, **context)

    def context(self, row: Access | None, form: Form) -> dict[str, Any]:
        if row is None:
            return {}
        tab, part = _place()
        giver = granting.giver_of(g.user, g.scope)
        reason = fixed(giver, row, g.user.access.id)
        may_edit = self.may_edit()
        context = {
            "tab": tab,
            "part": part,
            "tabs": forms.TABS,
            "parts": forms.PARTS,
            "sections": forms.matrix(forms.sections(tab, part)),
            "name": self.called(row),
            "giver": giver,
            "reason": _(reason) if reason and may_edit else None,
            "may_edit": may_edit and not reason,
            "deletable": may_edit and not reason and obstacle(row) is None,
            "clonable": may_edit and giver.covers(row),
            "count": queries.count(row.id),
            "holders": queries.holders(g.scope, row.id),
            "changes": queries.changes(row.id),
            "zone": zone(),
            "when": lists.moment,
            "may_list": g.scope.can(Permission.USERS_VIEW),
        }
        if tab == "preview":
            context["preview"] = preview.of_role(g.scope, row, context["holders"], request.args.get("as", ""))
        if isinstance(form, GeneralForm):
            sought = lists.needle(request.values)
            context |= {
                "q": sought,
                "people": lists.offered(g.scope, form.users.data, sought, lists.CHOSEN),
                "queues": queries.queues(giver, form.queues.data),
                "may_grant": lambda kind: giver.may_grant(Grant(kind)),
            }
        return context

    def changing(self) -> AbstractContextManager[Giver]:
        return granting.changing(g.user.id)

    def create_row(self, form: Form) -> Access:
        """Add an access, empty or as a copy."""
        ident = form["source"].data
        with self.changing() as giver:
            source = Access.get_or_none(Access.id == ident) if ident else None
            if ident and (source is None or not giver.covers(source)):
                raise InvalidError("source", _(TOO_MUCH))
            copied = {"permissions": source.permissions, "two_factor": source.two_factor} if source else {}
            columns = {name: form[name].data for name in ("name", "description")}
            row: Access = Access.create(**copied, **columns)
            for grant in grants_of(source.id) if source else []:
                AccessGrant.create(access=row, kind=grant.kind, ref_id=grant.ref_id)
            changes = audit.differences({}, self.audited(self.stored(row)))
            copy = {"copy_of": source.name} if source else None
            audit.record("access.created", "c", self.target(row), changes, copy)
        return row

    def write(self, row: Access, form: Form, giver: Giver) -> bool:
        """Save one tab; what the viewer could not grant stays as it is, as do permissions of other tabs."""
        _check_reach(giver, row)
        if isinstance(form, RightsForm):
            have = set(row.permissions)
            added = {each for each in form.ticked if each.value not in have}
            _refuse(giver.lacks(sorted(added), ()))
            gone = {each for each in form.offered - form.ticked if giver.may_permit(each)}
            return self.set(row, form.version.data, permissions=sorted((have | added) - gone))
        values, present = form.values(), set(grants_of(row.id))
        want = values["scope"] | {grant for grant in present if not giver.may_grant(grant)}
        _refuse(giver.lacks((), want - present))
        columns = {name: values[name] for name in forms.COLUMNS}
        if not self.set(row, form.version.data, **columns):
            return False
        for grant in present - want:
            AccessGrant.delete().where(_is(row.id, grant)).execute()
        for grant in sorted(want - present, key=str):
            AccessGrant.create(access=row.id, kind=grant.kind, ref_id=grant.ref_id)
        return True

    def saved_text(self, row: Access, form: Form) -> str:
        number = queries.count(row.id)
        if not number:
            return str(_("Saved. No users have this role yet."))
        return str(
            ngettext(
                "Saved. The new permissions apply to %(num)d user from the next page load.",
                "Saved. The new permissions apply to %(num)d users from the next page load.",
                number,
            )
        )

    def saved(self, row: Access, form: Form) -> Response:
        tab, part = _place()
        place = {"tab": tab, "part": part} if tab == "advanced" else {"tab": tab}
        return self.done(self.saved_text(row, form), self.url("edit", row, **place))

    def obstacles(self, row: Access) -> Sequence[str]:
        giver = granting.giver_of(g.user, g.scope)
        reason = fixed(giver, row, g.user.access.id) or obstacle(row)
        return [_(reason)] if reason else []

    def removing(self, row: Access, giver: Giver) -> Changes:
        _check_reach(giver, row)
        if reason := obstacle(row):
            raise RefusedError(reason)
        facts = self.audited(self.stored(row))
        return {name: (facts[name], None) for name in ("name", "permissions", "scope")}


def obstacle(row: Access) -> str | None:
    """Return why an access cannot be deleted (a message to translate), or None."""
    if row.is_system:
        return PRESET
    if row.id in sign_in_settings.load().accesses:
        return sign_in_settings.GIVEN
    return IN_USE if User.select().where(User.access == row.id).exists() else None


def fixed(giver: Giver, row: Access, own_id: int | None) -> str | None:
    """Return why the giver may not change this access at all (a message to translate), or None."""
    if row.id == own_id:
        return OWN
    return None if giver.may_restrict(row) else HIGHER


def _place() -> tuple[str, str]:
    """Return the tab and its part that the address or the form names; 404 for one that is not there."""
    tab = request.values.get("tab") or "general"
    part = request.values.get("part") or next(iter(forms.PARTS))
    if tab not in forms.TABS or part not in forms.PARTS:
        abort(404)
    return tab, part


def _check_known(present: frozenset[Grant], form: GeneralForm) -> None:
    """Answer 404 when the form adds people or queues outside of what the viewer may see."""
    fresh = form.grants - present
    users = {grant.ref_id for grant in fresh if grant.kind == "users" and grant.ref_id}
    queues = {grant.ref_id for grant in fresh if grant.kind == "queues" and grant.ref_id}
    giver = granting.giver_of(g.user, g.scope)
    if lists.unknown(g.scope, users) or queries.unknown_queues(giver, queues):
        abort(404)


def _check_reach(giver: Giver, row: Access) -> None:
    """Raise RefusedError when the viewer may not change the access."""
    own = User.get_by_id(g.user.id).access
    if reason := fixed(giver, Access.get_by_id(row.id), own.id if own else None):
        raise RefusedError(reason)


def _refuse(lacking: list[str]) -> None:
    if lacking:
        raise RefusedError(LACKING, lacking)


def _is(access_id: int, grant: Grant) -> Any:
    ref = AccessGrant.ref_id.is_null() if grant.ref_id is None else AccessGrant.ref_id == grant.ref_id
    return (AccessGrant.access == access_id) & (AccessGrant.kind == grant.kind) & ref


bp = Blueprint("accesses", __name__, url_prefix="/accesses")
roles = Accesses(bp)


@bp.post("/agent-exports")
@require(Permission.ACCESSES_EDIT)
def agent_exports() -> Response:
    """Take the answer whether agents can export their own day (`allow` is 1 or 0), and go Home."""
    allow = request.form.get("allow", "")
    if allow not in ("0", "1"):
        abort(422, errors.Detail(_("Choose 1 to allow it or 0 to leave the role as it is.")))
    with roles.changing() as giver:
        changed = questions.answer(giver, allow=allow == "1")
        if changed:
            role, before = changed
            roles.record("updated", "u", role, {"permissions": (before, role.permissions)})
    text = _("Agents can now export their own day.") if changed else _("The role Agent stays as it is.")
    return roles.done(text, url_for("home.index"))
