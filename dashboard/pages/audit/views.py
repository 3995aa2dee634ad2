"""The audit log as lists, and the detail of one entry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, abort, flash, g, make_response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from dashboard import clock
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.audit import nightly, verify
from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.i18n import zone
from dashboard.i18n.message import N_
from dashboard.models import AuditEntry
from dashboard.pages.audit import queries, words
from dashboard.sources.declared.audit import ACCESS_LOG, ACTIVITY, AUDIT, BATCHES
from dashboard.web import listing_files
from dashboard.web.detail import Detail, Fact, Part
from dashboard.web.listing import PAGING, Listing
from dashboard.web.lists import here
from dashboard.web.page import row_url

bp = Blueprint("audit", __name__)


def detail(ident: int) -> Detail | None:
    """Return what an entry changed, its proof, and others of its request and about its target."""
    entry = queries.entry(ident)
    if entry is None:
        return None
    audit.viewed("audit.viewed", ("audit", entry.id, ""), {})
    in_zone, actor = zone(), queries.actor(entry)
    fault = verify.walk(from_=entry.seq, to=entry.seq).fault if entry.seq else None
    proved = words.proved(entry, fault, nightly.proof(), in_zone)
    proof = (
        Fact(_("State"), proved.text),
        Fact(_("Hash (SHA-256)"), entry.hash or "", is_code=True),
        Fact(_("Hash of the entry before"), entry.prev_hash or "", is_code=True),
    )
    parts = [
        Part("facts", _("Facts"), words.facts(entry, actor, in_zone), beside=True),
        Part(
            "changes",
            _("What changed"),
            changes=words.changes(entry.changes),
            none=_("This entry changed no values."),
        ),
        Part("details", _("Details"), words.details(entry.details)),
        *_near(entry, in_zone),
        Part("proof", _("Proof"), proof, beside=True),
    ]
    page = url_for("audit.show", ident=entry.id)
    sentence = words.sentence(entry, actor)
    return Detail(words.action(entry), entry.seq or entry.id, sentence, page, parts, proved)


def _near(entry: AuditEntry, in_zone: str) -> list[Part]:
    """Return the entries of the same request and about the same target, if there are others."""
    day = clock.local_date(entry.occurred_ms // 1000, in_zone).isoformat()
    of_target: dict[str, Any] = {
        "target_type": entry.target_type,
        "target_id": entry.target_id,
        "period": "last_90_days",
    }
    of_request: dict[str, Any] = {"request": entry.request_id, "from": day, "to": day}
    found = (
        ("request", _("Same request"), of_request, queries.same_request(entry)),
        ("target", _("Same target"), of_target, queries.same_target(entry)),
    )
    return [
        Part(name, title, lines=words.lines(rows, entry, in_zone), url=url_for("audit.index", **given))
        for name, title, given, rows in found
        if len(rows) > 1
    ]


_RIGHTS = dict.fromkeys(("pdf", "xlsx", "csv"), Permission.AUDIT_EXPORT)
ENTRIES = Listing(
    AUDIT,
    N_("Audit log"),
    N_("Who did what in Stopa. Entries are chained: a change below Stopa shows."),
    columns=("time", "seq", "actor", "action", "target_type", "target", "outcome", "interface"),
    bar=("user", "area", "action", "outcome"),
    rare=("kind", "target_type", "interface"),
    count=lambda number: ngettext("%(num)d entry", "%(num)d entries", number),
    none=N_("No entries in this period"),
    none_hint=N_("Choose another period, or remove filters."),
    links={
        "actor": lambda _key, value: here(PAGING, actor=value) if value else None,
    },
    badges={"outcome": {"success": "", "failure": "bad", "denied": "warn"}},
    rights=_RIGHTS,
    above="audit/_above.html",
    exported="audit.exported",
    detail=detail,
    live=True,
)
ACTIVITIES = replace(
    ENTRIES,
    source=ACTIVITY,
    title=N_("Audit log: activity"),
    sub=N_("What agents and administrators did in the connected systems, by the kinds of an audit."),
    columns=("time", "kind", "user", "user_id", "interaction", "contact", "session", "source"),
    bar=("kind", "user", "source"),
    rare=(),
    count=lambda number: ngettext("%(num)d event", "%(num)d events", number),
    none=N_("No events in this period"),
    links={
        "time": lambda key, _value: (
            row_url("events.show", key) if g.scope.can(Permission.EVENTS_VIEW) else None
        ),
        "interaction": lambda _key, value: here(PAGING, interaction=value) if value else None,
        "session": lambda _key, value: here(PAGING, session=value) if value else None,
    },
    badges={},
    detail=None,
)
BATCH_LIST = replace(
    ENTRIES,
    source=BATCHES,
    title=N_("Audit log: batches"),
    sub=N_("Acts on several rows at once."),
    columns=("time", "seq", "actor", "act", "rows", "interface"),
    bar=("user", "act", "interface"),
    rare=(),
)
ACCESSES = replace(
    ENTRIES,
    source=ACCESS_LOG,
    title=N_("Audit log: access log"),
    sub=N_("Who looked at whose data, and who took it along as a file."),
    columns=("time", "seq", "actor", "action", "target_type", "target", "interface"),
    bar=("user", "area", "action"),
    rare=("target_type", "interface"),
)
TABS = {
    "index": (N_("Entries"), ENTRIES),
    "activity": (N_("Activity"), ACTIVITIES),
    "batches": (N_("Batches"), BATCH_LIST),
    "access": (N_("Access log"), ACCESSES),
}
LISTINGS = [listing for _label, listing in TABS.values()]


def _looked(tab: str) -> Callable[[], Listing]:
    """Return what gives the list of a tab and records the look at it; `?tab=` leads to the tab's address."""

    def of() -> Listing:
        named = request.args.get("tab", "")
        if tab == "index" and named in TABS and named != tab:
            abort(redirect(url_for(f"audit.{named}")))
        audit.viewed("audit.viewed", ("audit", "", ""), {"tab": tab})
        return TABS[tab][1]

    return of


for _tab, (_label, _listing) in TABS.items():
    _path = "/audit" if _tab == "index" else f"/audit/{_tab}"
    listing_files.routes(bp, _path, _listing, _tab, _looked(_tab))


@bp.post("/audit/verify")
@require(Permission.AUDIT_VERIFY)
def verify_now() -> Response:
    """Start a verification of the whole log; the worker runs it."""
    with database.atomic():
        nightly.start()
    flash(_("The audit log is being verified. Reload the page to see the result."), "ok")
    return make_response(redirect(url_for(".index")))


@bp.context_processor
def head() -> dict[str, Any]:
    """Return the tabs and the proof above the lists."""
    current = (request.endpoint or "").removeprefix("audit.").removesuffix("_file")
    links = [(_(label), url_for(f"audit.{tab}"), tab == current, None) for tab, (label, _x) in TABS.items()]
    found, scope = nightly.proof(), g.get("scope")
    return {
        "audit_tabs": links,
        "proof": words.proof(found, zone()),
        "unproved": words.unproved(found),
        "may_verify": bool(scope and scope.can(Permission.AUDIT_VERIFY)),
    }
