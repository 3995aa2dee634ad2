"""API keys: the list, a new key, shown once, its first event, and revocation. Nobody keeps its value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from flask import Blueprint, Response, abort, g, make_response, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup
from peewee import JOIN
from wtforms.validators import ValidationError

from dashboard import clock
from dashboard.access import granting, keys
from dashboard.access.granting import RefusedError
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.audit import record as audit
from dashboard.db import database, rows
from dashboard.i18n.message import N_
from dashboard.models import ApiKey, Source, User
from dashboard.pages.settings.api_keys import use as key_use
from dashboard.web import lists
from dashboard.web.columns import Column, Texts, badge, moment
from dashboard.web.fields import Check, Choice, Field, Form, TextLine
from dashboard.web.page import wanted
from dashboard.web.resource import Resource
from dashboard.web.versioned import InvalidError

ALLOW = {"ingest": N_("Send events"), "read": N_("Read events, user tracing and queue statistics")}
READS_ALL = N_("A read key sees all users and queues, which your own role doesn't allow.")


class KeyRow(NamedTuple):
    id: int
    name: str
    source: str | None
    allow: str
    makes: bool
    prefix: str
    created_ts: int
    last_ts: int | None
    revoked_ts: int | None
    expires_ts: int | None
    maker_id: int | None
    maker: str | None
    scope: Scope | None = None  # of a read key: what it shows now; None: it is refused


def sources() -> list[str]:
    """Return the names of sources that a new key may send for: files send none."""
    query = Source.select(Source.name).where(~Source.is_file)
    return lists.by_name([name for (name,) in query.tuples()], str)


class KeyForm(Form):
    """A key that only reads needs no source and gets one named after it."""

    name = TextLine(N_("Name"), 120, hint=N_("For example, Brno PBX."))
    allow = Choice(
        N_("Permission"),
        ALLOW,
        default="ingest",
        problem=N_("Choose a permission."),
        hint=N_(
            "A read key shows what you may see at the time of each request: contact details are masked while "
            "your role lacks “Show full contact details”, and the key stops working when you are deactivated "
            "or may no longer view user tracing."
        ),
    )
    source = TextLine(
        N_("Source"),
        120,
        required=False,
        suggest=sources,
        hint=N_(
            "Events sent with this key are stored under this source name. Keys of the same "
            "source share the name. Read keys don't need one."
        ),
    )
    known_only = Check(
        N_("Known users and queues only"),
        hint=N_("Otherwise, events create users and queues they mention for the first time."),
    )
    days = Choice(
        N_("Expires"),
        {"": N_("Never"), "30": N_("After 30 days"), "90": N_("After 90 days"), "365": N_("After a year")},
        default="",
        problem=N_("Choose an item from the list."),
        hint=N_("From then on, requests with it are rejected."),
    )
    plain = ""  # the only copy of the key, once it has been made
    shared: Sequence[str] = ()  # names of the keys that send for this source already

    def post_process(self, formdata: Any = None) -> None:
        super().post_process(formdata)  # type: ignore[misc]  # the stubs do not know it
        if self.allow.data == "read" and not self.source.data:
            self.source.data = self.name.data

    def validate_source(self, field: Field) -> None:
        if keys.is_reserved(field.data):
            raise ValidationError(_(keys.RESERVED))


def _allows(row: KeyRow) -> Markup:
    text = Markup.escape(_(ALLOW[row.allow]) if row.allow in ALLOW else row.allow)
    if row.allow == "read" and row.scope is not None:
        full = row.scope.can(Permission.PII_UNMASK)
        more = _("Full contact details") if full else _("Contact details masked")
    elif row.allow == "ingest" and not row.makes:
        more = _("Known users and queues only")
    else:
        return text
    return text + Markup('<br><span class="mut sm">{}</span>').format(more)


def _maker(row: KeyRow) -> str:
    if row.maker_id is None:
        return str(_("Command line"))
    return row.maker if row.maker and g.scope.sees(row.maker_id) else str(_("another user"))


def _state(row: KeyRow) -> Markup:
    if row.revoked_ts:
        return badge(_("Revoked"))
    if row.expires_ts is not None and clock.now_s() >= row.expires_ts:
        return badge(_("Expired"), "warn")
    if row.allow == "read" and row.scope is None:
        return badge(_("Refused: its maker may no longer read"), "bad")
    return badge(_("Active"), "ok")


def _revocation(row: KeyRow) -> Markup | str:
    if row.revoked_ts or not g.scope.can(Permission.KEYS_EDIT):
        return Markup("")
    url = url_for("keys.revoke", ident=row.id)
    label = _("Revoke %(name)s", name=row.name)
    return Markup('<a href="{}" aria-label="{}">{}</a>').format(url, label, _("Revoke"))


class ApiKeys(Resource[KeyForm]):
    model = ApiKey
    kind = "key"
    form_class = KeyForm
    view = Permission.KEYS_VIEW
    edit_permission = Permission.KEYS_EDIT
    edits = False
    leaves = "revoke"
    include = "revoked"
    refused = "allow"
    texts = Texts(
        title=N_("API keys"),
        one=N_("API key"),
        new=N_("New key"),
        table=N_("Table of keys"),
        count=lambda number: ngettext("%(num)d key", "%(num)d keys", number),
        no_match=N_("No matching keys"),
        none=N_("No keys yet"),
        none_hint=N_("Use API keys to let other systems send or read events."),
        taken=N_("A key with this name already exists. Revoke it or choose another name."),
        leave=(
            N_("Requests with this key will be rejected. This can't be undone."),
            N_("Events it sent are kept."),
        ),
        include=N_("Include revoked keys"),
        add=N_("Add key"),
        picture="key",
    )
    columns = (
        Column("name", N_("Name")),
        Column("source", N_("Source"), css="p2", cell_css="mono"),
        Column("allow", N_("Permission"), show=_allows, css="p2", sorts=False),
        Column(
            "prefix",
            N_("Starts with"),
            show=lambda row: f"{row.prefix}…",
            css="p3",
            cell_css="mono",
            sorts=False,
        ),
        Column("maker", N_("Added by"), show=_maker, css="p3", sorts=False),
        moment("created", N_("Added"), "created_ts", "n p3"),
        moment("last", N_("Last used"), "last_ts", "n p2"),
        moment("expires", N_("Expires"), "expires_ts", "n p3"),
        Column("state", N_("State"), show=_state, sorts=False),
        Column("revoke", N_("Revoke"), show=_revocation, css="end", sorts=False, hidden=True),
    )

    def rows(self, gone: bool) -> Iterable[KeyRow]:
        query = ApiKey.select(
            ApiKey.id,
            ApiKey.name,
            Source.name,
            ApiKey.allow,
            ApiKey.makes,
            ApiKey.prefix,
            ApiKey.created_ts,
            ApiKey.last_used_ts,
            ApiKey.revoked_ts,
            ApiKey.expires_ts,
            ApiKey.maker_id,
            User.name,
        )
        query = query.join(Source, JOIN.LEFT_OUTER, on=(ApiKey.source_id == Source.id)).switch(ApiKey)
        query = query.join(User, JOIN.LEFT_OUTER, on=(ApiKey.maker_id == User.id))
        found: list[KeyRow] = rows(query if gone else query.where(ApiKey.revoked_ts.is_null()), KeyRow)
        makers = {row.maker_id for row in found if row.allow == "read" and not row.revoked_ts}
        scopes = {maker: keys.scope_of(maker) for maker in makers}
        return [row._replace(scope=scopes.get(row.maker_id)) for row in found]

    def searched(self, row: KeyRow) -> Sequence[str]:
        return (row.name, row.source or "", row.prefix)

    def below(self, row: KeyRow) -> str:
        return row.source or ""

    def form(self, row: ApiKey | None, sent: Any = None) -> KeyForm:
        if sent is not None or "like" not in request.args:
            return super().form(row, sent)
        return KeyForm(data=keys.successor(request.args.get("like", 0, int)) or abort(404))

    def create_row(self, form: KeyForm) -> ApiKey:
        name, source, allow = form.name.data, form.source.data, form.allow.data
        with granting.changing(g.user.id) as giver:
            whole = giver.scope.is_whole
            if allow == "read" and not (whole and giver.may_permit(Permission.TRACING_VIEW)):
                raise RefusedError(READS_ALL)
            if ApiKey.select().where((ApiKey.name == name) & ApiKey.revoked_ts.is_null()).exists():
                raise InvalidError("name", _(self.texts.taken))  # perhaps the form was sent twice
            form.shared = keys.sharing(source) if allow == "ingest" else ()
            days = form.days.data
            expires_ts = clock.now_s() + int(days) * 86_400 if days else None
            makes = not form.known_only.data
            form.plain = keys.make(name, source, allow, makes, g.user.id, expires_ts)
            row: ApiKey = ApiKey.get(ApiKey.key_hash == keys.digest(form.plain))
            details = {"source": source, "allow": allow, "known_only": form.known_only.data}
            details |= {"days": int(days)} if days else {}
            audit.record("key.created", "c", self.target(row), details=details)
        return row

    def added(self, row: ApiKey, form: KeyForm) -> Response:
        """Show the value of the key: it stands on this one answer and nowhere else."""
        masked = row.allow == "read" and not g.scope.can(Permission.PII_UNMASK)
        return self.render("keys/made.html", form=form, masked=masked, **key_use.use(row, form.plain))

    def detail(self, ident: int) -> Response:
        """Show how a key is used, without its value, and what has come with it.

        A page that waits asks again; while nothing but the `refused` records it shows has come, it gets 204.
        """
        row = self.one(ident)
        use = key_use.use(row, "$STOPA_KEY")
        news: key_use.News = use["arrived"]
        if wanted({"first"}) and news.waits and request.args.get("refused") == str(news.refused):
            return make_response("", 204)
        (shown,) = [each for each in self.rows(gone=True) if each.id == ident]
        use |= {"state": _state(shown), "last_used": lists.moment(row.last_used_ts)}
        use["expires"] = lists.moment(row.expires_ts) if row.expires_ts else _("Never")
        return self.render("keys/show.html", {"first"}, **use)

    def head_cell(self, row: KeyRow) -> Markup:
        url = url_for("keys.detail", ident=row.id)
        link = Markup('<a class="name" href="{}">{}</a>').format(url, row.name)
        return link + Markup('<span class="p0 mut sm">{}</span>').format(self.below(row))

    def revoke(self, ident: int) -> Response:
        row = self.one(ident)
        return self.confirm(
            row,
            lambda: self.end(row),
            title=_("Revoke %(name)s?", name=row.name),
            verb=_("Revoke"),
            done=_("%(name)s revoked.", name=row.name),
        )

    def end(self, row: ApiKey) -> None:
        """Refuse the key from now on; idempotent. What it sent stays."""
        live = (ApiKey.id == row.id) & ApiKey.revoked_ts.is_null()
        with database.atomic():
            if ApiKey.update(revoked_ts=clock.now_s()).where(live).execute():
                self.record("revoked", "u", row, {"revoked": (False, True)})


bp = Blueprint("keys", __name__, url_prefix="/settings/keys")
_pages = ApiKeys(bp)
bp.add_url_rule("/<int:ident>", "detail", require(Permission.KEYS_VIEW, Permission.KEYS_EDIT)(_pages.detail))
