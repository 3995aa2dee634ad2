"""Reports of /visitor.js: their form, and the events that their records are."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta

from dashboard.clock import DAY_MS
from dashboard.models import Visit
from dashboard.visitors import privacy
from dashboard.visitors.sites import Portal

BODY_MAX = 64 * 1024
RECORDS_MAX = 200
NAME_MAX, TITLE_MAX, VALUE_MAX, LENGTH_MAX = 120, 200, 4096, 1_000_000
Ident = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{22,40}\Z")]
Millis = Annotated[float, Meta(ge=0)]
ACTIONS = {
    "click": "cobrowse.clicked",
    "scroll": "cobrowse.scrolled",
    "form": "cobrowse.form_sent",
    "input": "cobrowse.input_changed",
    "select": "cobrowse.selected",
    "custom": "cobrowse.custom",
}
PAGE = "visitor.page_viewed"
# What an agent may do in the visitor's page, by the name that the co-browsing tool gives it.
BY_AGENT = {**ACTIONS, "page": "cobrowse.page_changed", "join": "cobrowse.joined", "leave": "cobrowse.left"}
_PLACE = re.compile(r" - at `\$\.?(.*)`$")


class ReportError(Exception):
    """A report that cannot be read: the name of the `field`, and what is wrong with it."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why)
        self.field, self.why = field, why


class Record(msgspec.Struct, frozen=True, gc=False):
    """What happened in the page `m` milliseconds before the report was sent; `i` is made once for it."""

    i: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{11,64}\Z")]
    k: Literal["page", "click", "scroll", "form", "input", "select", "custom", "agent", "invite"]
    m: Millis = 0
    el: str = ""
    u: str = ""
    t: str = ""
    r: str = ""
    p: Millis = 0
    n: Millis = 0
    x: str = ""
    name: str = ""
    id: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 0
    s: Literal["", "shown", "accepted", "rejected", "ignored"] = ""


class Known(msgspec.Struct, frozen=True):
    """Who the visitor is, as the site says: its id for the person, and the signature of the id."""

    id: Annotated[str, Meta(min_length=1, max_length=200)]
    sig: Annotated[str, Meta(max_length=128)] = ""
    name: Annotated[str, Meta(max_length=200)] = ""


class Report(msgspec.Struct, frozen=True):
    """What an open page sends: visit `v` of browser `b`, `a` milliseconds after the visitor's last sign."""

    v: Ident
    b: Ident
    l: str = ""  # noqa: E741  the name on the wire
    u: str = ""
    t: str = ""
    r: str = ""
    a: Millis = 0
    bye: bool | int = False
    c: Known | None = None
    e: Annotated[tuple[Record, ...], Meta(max_length=RECORDS_MAX)] = ()


class VisitorEvent(NamedTuple):
    """An event of a visit, as `record.append` takes it."""

    id: str
    type: str
    time_ms: int
    session: str
    data: str
    queue: str | None
    contact: dict[str, str] | None = None
    user: None = None
    interaction: None = None
    seq: int = 0
    file_ts: None = None
    uid: None = None
    key: None = None
    envelope: None = None
    time_of_arrival: bool = False


_REPORT = msgspec.json.Decoder(Report)


def read(body: bytes) -> Report:
    """Return the report in a body. Raises ReportError, which names the field."""
    try:
        try:
            return _REPORT.decode(body)
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:  # perhaps for a text that was cut within a character, as pages do
            return msgspec.convert(json.loads(body, parse_constant=_no_number), Report)
    except msgspec.ValidationError as error:
        text = str(error)
        place = _PLACE.search(text)
        raise ReportError(place.group(1) if place else "body", _PLACE.sub("", text)) from None
    except (ValueError, RecursionError) as error:
        raise ReportError("body", f"Invalid JSON: {error}"[:200]) from None


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number")


def event(
    site: Portal,
    token: str,
    identity: str,
    type_: str,
    time_ms: int,
    data: Mapping[str, Any],
    contact: dict[str, str] | None = None,
) -> VisitorEvent:
    """Return an event of a visit; `identity` makes it unique in the visit. Empty values are left out."""
    given = {name: value for name, value in data.items() if value not in ("", None)}
    text = json.dumps(given, ensure_ascii=False)
    return VisitorEvent(f"{token}:{identity}", type_, time_ms, token, text, site.queue, contact)


def event_of(site: Portal, report: Report, record: Record, now_ms: int) -> VisitorEvent | None:
    """Return the event that a record is; None for what becomes of an invitation."""
    if record.k == "invite":
        return None
    type_, data = PAGE if record.k == "page" else ACTIONS.get(record.k, ""), _action(site, report, record)
    if record.k == "page":
        data = {"url": data["url"], "title": privacy.text(record.t or report.t, TITLE_MAX)}
        data["referrer"] = privacy.url(record.r or report.r)
    elif record.k == "agent":
        type_ = BY_AGENT.get(record.name, "cobrowse.custom")
        data["by"] = "agent"
    return event(site, report.v, record.i, type_, time_of(record, now_ms), data)


def time_of(record: Record, now_ms: int) -> int:
    """Return when a record happened, in ms UTC; at most a day before it arrived."""
    return now_ms - int(min(record.m, DAY_MS))


def _action(site: Portal, report: Report, record: Record) -> dict[str, Any]:
    element = privacy.text(record.el, NAME_MAX)
    data: dict[str, Any] = {"by": "customer", "url": privacy.url(record.u or report.u), "element": element}
    kind = record.name if record.k == "agent" else record.k
    if kind == "form":
        data["form"] = privacy.text(record.name, NAME_MAX) or element
    elif kind == "scroll":
        data["position"] = int(min(record.p, 100))
    elif kind in ("input", "select"):
        data["length"] = int(min(record.n, LENGTH_MAX)) or len(record.x) or None
    elif record.k == "custom" or (record.k == "agent" and kind not in BY_AGENT):
        data["name"] = privacy.text(record.name, NAME_MAX)
    allowed = record.el in site.elements and not privacy.is_secret(record.el)
    if record.x and (allowed or record.k == "custom"):
        data["value"] = privacy.text(record.x, VALUE_MAX, emails=True)
    return data


def visitor(visit: Visit, now_ms: int) -> dict[str, Any]:
    """Return the data of an event about a visit at a moment: the catalogue's fields of a visitor."""
    return {
        "ip": visit.ip,
        "hits": visit.pages,
        "duration_s": max(0, now_ms - visit.started_ms) // 1000,
        "idle_s": max(0, now_ms - visit.active_ms) // 1000,
        "country": visit.country,
        "language": visit.language,
        "browser": visit.browser_name,
        "os": visit.os,
        "url": visit.url,
        "referrer": visit.referrer,
        "known_contact": True if visit.contact_id else None,
    }
