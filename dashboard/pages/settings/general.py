"""How this installation is: its health, the settings in force, and a test of its mail."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import NamedTuple

from flask import Blueprint, Response, abort, current_app, flash, g, make_response, redirect, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from dashboard import clock, settings
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.db import dialect
from dashboard.events import backups, health, room
from dashboard.i18n import formats, zone
from dashboard.jobs import heartbeat
from dashboard.models import Source, SourceRhythm
from dashboard.notify import mail_test
from dashboard.web.errors import Detail
from dashboard.web.page import refreshing, render

bp = Blueprint("general", __name__, url_prefix="/settings/general")

MB, GB = 2**20, 2**30
GOOD, WARN, BAD = "ok", "warn", "bad"


class Check(NamedTuple):
    """A part of the installation and how it is; `kind` is GOOD, WARN, BAD or "" where it is not used."""

    label: str
    kind: str
    state: str
    text: str
    url: str | None = None


@bp.get("")
@require(Permission.RULES_OPERATE)
def index() -> Response:
    waits = mail_test.waits()
    response = render(
        "general/index.html",
        {"result"},
        checks=list(_checks()),
        as_of=clock.now_s(),
        zone=zone(),
        in_force=settings.in_force(),
        mail=bool(current_app.config["STOPA"].smtp_url),
        address=g.user.email,
        waits=waits,
        tested=mail_test.latest(),
        version=settings.version(),
    )
    return refreshing(response, url_for(".index")) if waits else response


@bp.post("/mail")
@require(Permission.RULES_OPERATE)
def test_mail() -> Response:
    """Send a test to the viewer's own address; 422 without a mail server or an address."""
    if not current_app.config["STOPA"].smtp_url or not g.user.email:
        abort(422, Detail(_("Set STOPA_SMTP_URL and your email address first.")))
    mail_test.request(g.user, _(mail_test.SUBJECT), _(mail_test.TEXT))
    flash(_("The test message is on its way."), "ok")
    return make_response(redirect(url_for(".index")))


def _checks() -> Iterator[Check]:
    size = formats.number(round(health.database_bytes() / MB))
    name = "SQLite" if dialect.is_sqlite() else "PostgreSQL"
    yield Check(_("Database"), GOOD, _("Good"), _("%(name)s, %(size)s MB", name=name, size=size))
    yield _worker()
    yield _sources()
    yield _backup()
    if (disk := health.folder()) is not None:
        yield _disk(disk)


def _worker() -> Check:
    alive = heartbeat.alive()
    url = url_for("operations.index")
    if not alive:
        text = _("Rules, messages and files wait. Start the process: flask worker")
        return Check(_("Background work"), BAD, _("Stopped"), text, url)
    text = ngettext("%(num)s process is running", "%(num)s processes are running", len(alive))
    return Check(_("Background work"), GOOD, _("Good"), text, url)


def _sources() -> Check:
    r = SourceRhythm
    silent = r.select(Source.name).join(Source).where(r.silent_ms.is_null(False) & ~Source.is_file)
    url = url_for("sources.index") if g.scope.can(Permission.KEYS_VIEW) else None
    names = [name for (name,) in silent.order_by(Source.name).tuples()]
    if names:
        return Check(_("Sources"), BAD, _("Silent"), ", ".join(names), url)
    return Check(_("Sources"), GOOD, _("Good"), _("No live source is silent."), url)


def _backup() -> Check:
    last = backups.latest()
    if last is None:
        text = _("No backup was made yet. Run flask backup every night.")
        return Check(_("Backup"), WARN, _("Missing"), text)
    moment, size = formats.stamp(last.made_ms // 1000, zone()), formats.number(round(last.size / MB))
    text = _("%(time)s, %(size)s MB, %(file)s", time=moment, size=size, file=last.file)
    return Check(_("Backup"), BAD if last.is_old else GOOD, _("Too old") if last.is_old else _("Good"), text)


def _disk(disk: health.Folder) -> Check:
    usage = shutil.disk_usage(disk.path)
    low = disk.free_mb < current_app.config["STOPA"].disk_low_mb
    free, total = (formats.number(round(size / GB, 1)) for size in (usage.free, usage.total))
    text = _("%(free)s GB of %(total)s GB are free.", free=free, total=total)
    if room.is_scarce():
        text += " " + _("No events are taken until there is more.")
    return Check(_("Disk"), BAD if low else GOOD, _("Low") if low else _("Good"), text)
