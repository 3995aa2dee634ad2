"""Sources: the list, the page of one, a log that is followed, and pausing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, abort, flash, g, make_response, redirect
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup

from dashboard import clock
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.events import internal, record
from dashboard.i18n import formats, zone
from dashboard.i18n.message import N_
from dashboard.ingest import followed
from dashboard.ingest.followed import Problem
from dashboard.ingest.imports import source_removal
from dashboard.ingest.manager import state as manager_states
from dashboard.models import Follow, Manager, Source
from dashboard.pages.settings.sources import forms, queries, words
from dashboard.pages.settings.sources.forms import LogForm
from dashboard.pages.settings.sources.queries import SourceRow, State
from dashboard.web.columns import Column, Texts, moment
from dashboard.web.page import render
from dashboard.web.resource import Resource
from dashboard.web.versioned import InvalidError

COLUMNS = (
    Column("name", N_("Source")),
    Column("state", N_("State"), lambda row: words.STATES[row.state][0], words.state_badge),
    moment("last", N_("Last event"), "last_ts", "n"),
    Column("silent", N_("Silent for"), words.silent_s, lambda row: _duration(words.silent_s(row)), "n"),
    Column("hours", N_("Events an hour"), show=words.spark, css="p2", sorts=False),
    Column("events", N_("24 h"), lambda row: row.day.events, lambda row: formats.number(row.day.events), "n"),
    Column("refused", N_("Refused"), lambda row: row.refused, words.refused, "n"),
    Column(
        "delay", N_("Event delay"), lambda row: row.delay_ms, lambda row: words.seconds(row.delay_ms), "n p2"
    ),
)


def _duration(seconds: int | None) -> str:
    return "" if seconds is None else formats.duration(seconds)


class Sources(Resource[LogForm]):
    """The list, and the form that makes a log a source; other sources come with a key, connector or file."""

    model = Source
    kind = "source"
    form_class = LogForm
    view = Permission.KEYS_VIEW
    edit_permission = Permission.KEYS_EDIT
    edits = False
    leaves = "pause"
    index_template = "sources/index.html"
    texts = Texts(
        title=N_("Sources"),
        one=N_("Source"),
        new=N_("Follow a log"),
        about=N_("Where events come from, and whether they still come."),
        table=N_("Table of sources"),
        count=lambda count: ngettext("%(num)d source", "%(num)d sources", count),
        no_match=N_("No matching sources"),
        none=N_("No sources yet"),
        none_hint=N_("Follow a log, add a connector or an API key, or import a file."),
        taken=N_("Another source follows this log already."),
        add=N_("Follow"),
    )
    columns = COLUMNS

    def rows(self, gone: bool) -> Iterable[SourceRow]:
        return queries.all_of(clock.now_s())

    def searched(self, row: SourceRow) -> Sequence[str]:
        return (row.name, words.means(row))

    def head_cell(self, row: SourceRow) -> Markup:
        link = Markup('<a class="name" href="{}">{}</a>').format(self.url("show", row), row.name)
        return link + Markup('<br><span class="mut sm">{}</span>').format(words.means(row))

    def list_context(self, found: Sequence[SourceRow]) -> dict[str, Any]:
        live = [row for row in found if not row.means.is_file]
        return {
            "silent": [row for row in live if row.state in (State.SILENT, State.UNREAD)],
            "events": sum(row.day.events for row in found),
            "live": len(live),
            "receiving": sum(row.state in (State.RECEIVING, State.REFUSED) for row in live),
            "refused": sum(row.refused for row in found),
            "slowest": max((row for row in live if row.day.events), key=_delay, default=None),
            "words": words,
        }

    def one(self, ident: int) -> Source:
        """Return the source, or answer 404; that of Stopa's own events has no page."""
        source: Source = super().one(ident)
        return source if source.name != internal.SOURCE else abort(404)

    def create_row(self, form: LogForm) -> Source:
        path = Path(form.path.data)
        with database.atomic():
            source = record.source(form.name.data)
            f, whole = Follow, str(path.resolve())
            known = f.get_or_none((f.source == source.id) & f.lease_ms.is_null(False))
            if known is not None:
                raise InvalidError("name", _("This source follows %(path)s already.", path=known.path))
            if f.select().where((f.path == whole) & f.lease_ms.is_null(False)).exists():
                raise InvalidError("path", _(self.texts.taken))
            try:
                followed.start(source, path, form.encoding.data, form.start.data == "now")
            except OSError:
                raise InvalidError("path", forms.problem_text(Problem.UNREADABLE)) from None
            _record(source, "log", None, whole)
        return source

    def added(self, row: Source, form: LogForm) -> Response:
        return self.done(_("%(name)s is followed.", name=row.name), self.url("show", row))

    def pause(self, ident: int) -> Response:
        source = self.one(ident)
        return self.confirm(
            source,
            lambda: _pause(source, True),
            title=_("Pause %(name)s?", name=source.name),
            verb=_("Pause source"),
            done=_("%(name)s is paused.", name=source.name),
            target=self.url("show", source),
            texts=[
                _("Its senders get the answer 503 until it is resumed, and are to send the same again."),
                _("A log that is followed waits: its lines are read when the source is resumed."),
                _("Zammad tries again for some minutes, Chatwoot never: what they don't send again is lost."),
            ],
        )


def _delay(row: SourceRow) -> int:
    return row.delay_ms or 0


def _record(source: Source, name: str, old: Any, new: Any) -> None:
    audit.record("settings.updated", "u", ("source", source.id, source.name), {name: (old, new)})


def _pause(source: Source, paused: bool) -> None:
    """Take no events of the source from now on, or take them again; idempotent.

    Answers 404 for a source that is being deleted.
    """
    if source.id in source_removal.removed():
        abort(404)
    s = Source
    with database.atomic():
        value = clock.now_ms() if paused else None
        other = s.paused_ms.is_null(paused)
        if s.update(paused_ms=value).where((s.id == source.id) & other).execute():
            _record(source, "paused", not paused, paused)


bp = Blueprint("sources", __name__, url_prefix="/settings/sources")
SOURCES = Sources(bp)


def _back(source: Source, text: str) -> Response:
    flash(text, "ok")
    return make_response(redirect(SOURCES.url("show", source)))


@bp.get("/<int:ident>")
@require(Permission.KEYS_VIEW)
def show(ident: int) -> Response:
    """Show how a source sends, what it sent in the past day, and what was refused of it in the past week."""
    source, now = SOURCES.one(ident), clock.now_s()
    row = queries.one_of(source, now)
    manager = Manager.get_or_none(Manager.source == source)
    return render(
        "sources/show.html",
        row=row,
        zone=zone(),
        words=words,
        last=queries.last_event(row.day),
        log=Follow.get_or_none(Follow.source == source.id),
        problem=forms.problem_text(Problem(row.means.problem)) if row.means.problem else "",
        chart=words.chart(row, now),
        reasons=queries.reasons(source.id, now),
        keys=queries.keys_of(source.id),
        connector=queries.connector_of(source.id),
        manager=manager,
        manager_state=_(manager_states.STATES[manager_states.shown(manager)][0]) if manager else "",
        may_edit=g.scope.can(Permission.KEYS_EDIT),
    )


@bp.post("/<int:ident>/resume")
@require(Permission.KEYS_EDIT)
def resume(ident: int) -> Response:
    source = SOURCES.one(ident)
    _pause(source, False)
    return _back(source, _("%(name)s is resumed.", name=source.name))


@bp.route("/<int:ident>/delete", methods=["GET", "POST"])
@require(Permission.KEYS_EDIT)
def delete(ident: int) -> Response:
    """Ask with the numbers of what goes, then queue the deletion of the source with all its data."""
    source = SOURCES.one(ident)

    def act() -> None:
        if source_removal.is_importing(source):
            raise InvalidError("", _("A file is being imported into this source. Stop that first."))
        with database.atomic():
            source_removal.start(source, ("user", g.user.id, g.user.login))

    return SOURCES.confirm(
        source,
        act,
        title=_("Delete %(name)s with all its data?", name=source.name),
        verb=_("Delete source"),
        done=_("%(name)s is being deleted.", name=source.name),
        texts=words.going(source.id),
    )


@bp.route("/<int:ident>/stop", methods=["GET", "POST"])
@require(Permission.KEYS_EDIT)
def stop(ident: int) -> Response:
    """Ask, then let no worker follow the log of the source."""
    source = SOURCES.one(ident)

    def act() -> None:
        with database.atomic():
            known = Follow.get_or_none((Follow.source == source.id) & Follow.lease_ms.is_null(False))
            if known is not None:
                followed.stop(source.id)
                _record(source, "log", known.path, None)

    return SOURCES.confirm(
        source,
        act,
        title=_("Stop following the log of %(name)s?", name=source.name),
        verb=_("Stop following"),
        done=_("The log of %(name)s is no longer followed.", name=source.name),
        target=SOURCES.url("show", source),
        texts=[_("New lines are not read. Events of the lines before stay.")],
    )
