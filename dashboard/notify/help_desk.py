"""Changes of items in Zammad and Chatwoot by their REST APIs: status, priority, assignee, group, a note.

Setting a value again changes nothing there, so a repeated delivery sets it again. A note would stand twice:
before it is written again, the item's notes since the first try are read. Every call goes under the guard of
`safe_http`. Source: Zammad's REST API, "Tickets" and "Articles"; Chatwoot's application API.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

import requests

from dashboard.i18n.message import N_
from dashboard.notify import addresses, result, safe_http, webhook
from dashboard.notify.addresses import AddressError
from dashboard.notify.result import DeliveryResult, ResultKind

KINDS = (ZAMMAD, CHATWOOT) = ("zammad", "chatwoot")
STATUS, PRIORITY, ASSIGN = "source_status", "source_priority", "source_assign"
TRANSFER, NOTE = "source_transfer", "source_note"
# Of Zammad's tickets.
FIELDS = MappingProxyType({STATUS: "state", PRIORITY: "priority", ASSIGN: "owner", TRANSFER: "group"})
BODY_MAX = 2**20  # bytes of a list of agents or notes
NUMBER = re.compile(r"[0-9]{1,18}")
SKEW_MS = 60_000  # between the clocks of both

ACCOUNT = re.compile(r"(.*?)/(?:api/v1|app)/accounts/([0-9]{1,9})(?:/.*)?")
NO_ACCOUNT = N_("The address must name the account, such as https://chatwoot.example.com/app/accounts/1.")
NO_NUMBER = N_("The item has no number by which the help desk could know it.")
NO_AGENT = N_("The help desk has no agent of this name or email address.")
NO_TEAM = N_("The help desk has no team of this name.")
BAD_TOKEN = N_("The help desk doesn't accept the token, or its user isn't allowed to do this.")
UNREADABLE = N_("The help desk's answer could not be read.")


class _StopError(Exception):
    """Nothing more is asked. `why` is a marked text, "" where the last answer says it."""

    def __init__(self, how: ResultKind = ResultKind.NEVER, why: str = "") -> None:
        super().__init__(why)
        self.how, self.why = how, why


def base(kind: str, address: str) -> str:
    """Return the address below which a help desk's API lies. Raises AddressError with what to mend."""
    whole = addresses.parse(address).url.partition("?")[0].rstrip("/")
    if kind == ZAMMAD:
        return f"{whole.removesuffix('/api/v1')}/api/v1"
    found = ACCOUNT.fullmatch(whole)
    if found is None:
        raise AddressError(NO_ACCOUNT)
    return f"{found[1]}/api/v1/accounts/{found[2]}"


def send(kind: str, address: str, token: str, payload: Mapping[str, Any], since_ms: int) -> DeliveryResult:
    """Do what a payload says, {"do", "interaction", "value"}, or see whether the token is accepted where it
    says nothing. Raises nothing, takes up to safe_http.TOTAL_S seconds.

    `since_ms` is when an earlier try may have begun, 0 for the first.
    """
    try:
        below = base(kind, address)
        target = addresses.parse(below)
    except AddressError as error:
        return DeliveryResult(ResultKind.NEVER, error.args[0])
    ident = str(payload.get("interaction", ""))
    if "do" in payload and not NUMBER.fullmatch(ident):
        return DeliveryResult(ResultKind.NEVER, NO_NUMBER)
    shown = safe_http.is_allowed(target.host, target.port)
    with safe_http.call(BODY_MAX) as call, requests.Session() as session:
        session.trust_env = False
        session.headers["User-Agent"] = webhook.AGENT
        name, value = (
            ("Authorization", f"Token token={token}") if kind == ZAMMAD else ("api_access_token", token)
        )
        session.headers[name] = value
        try:
            _DO[kind](_Api(session, below), payload.get("do"), ident, str(payload.get("value", "")), since_ms)
        except _StopError as stop:
            if stop.why:
                return DeliveryResult(stop.how, stop.why, call.status)
        except requests.exceptions.SSLError:
            if not call.late:
                return DeliveryResult(ResultKind.LATER, result.UNTRUSTED)
        except (OSError, ValueError, requests.RequestException):
            call.status = 0  # of an answer before this one
        found = webhook.of_call(call, (token, address), shown)
    return found._replace(why=BAD_TOKEN) if found.status in (401, 403) else found


class _Api:
    """The calls of one delivery."""

    def __init__(self, session: requests.Session, below: str) -> None:
        self._session, self._below = session, below

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Return the JSON of an answer, None for none. Raises _StopError unless its status is 2xx."""
        answer = self._session.request(method, self._below + path, json=body)
        if not 200 <= answer.status_code < 300:
            raise _StopError
        try:
            return answer.json()
        except (ValueError, RecursionError):
            return None

    def listed(self, path: str, *names: str) -> list[dict[str, Any]]:
        """Return the objects of a list, which may stand under `names`. Raises _StopError for no list."""
        found = self.ask("GET", path)
        for name in names:
            found = found.get(name) if isinstance(found, dict) else found
        if not isinstance(found, list):
            raise _StopError(ResultKind.LATER, UNREADABLE)
        return [each for each in found if isinstance(each, dict)]


def _zammad(api: _Api, do: Any, ident: str, value: str, since_ms: int) -> None:
    if do is None:
        api.ask("GET", "/users/me")
    elif do != NOTE:
        api.ask("PUT", f"/tickets/{ident}", {FIELDS[do]: value})
    elif not since_ms or not any(
        each.get("internal") is True and _is_note(each, "body", value, since_ms)
        for each in api.listed(f"/ticket_articles/by_ticket/{ident}")
    ):
        note = {"ticket_id": int(ident), "body": value, "type": "note", "content_type": "text/plain"}
        api.ask("POST", "/ticket_articles", {**note, "internal": True})


def _chatwoot(api: _Api, do: Any, ident: str, value: str, since_ms: int) -> None:
    item = f"/conversations/{ident}"
    if do is None:
        api.ask("GET", "/agents")
    elif do == STATUS:
        api.ask("POST", f"{item}/toggle_status", {"status": value})
    elif do == PRIORITY:
        api.ask("POST", f"{item}/toggle_priority", {"priority": value})
    elif do == ASSIGN:
        api.ask("POST", f"{item}/assignments", {"assignee_id": _named(api, "/agents", value, NO_AGENT)})
    elif do == TRANSFER:
        api.ask("POST", f"{item}/assignments", {"team_id": _named(api, "/teams", value, NO_TEAM)})
    elif not since_ms or not any(
        each.get("private") is True and _is_note(each, "content", value, since_ms)
        for each in api.listed(f"{item}/messages", "payload")
    ):
        api.ask("POST", f"{item}/messages", {"content": value, "private": True, "message_type": "outgoing"})


_DO = MappingProxyType({ZAMMAD: _zammad, CHATWOOT: _chatwoot})


def _named(api: _Api, path: str, name: str, why: str) -> int:
    """Return the id of Chatwoot's agent or team of an email address or a name. Raises _StopError for none."""
    for each in api.listed(path):
        known = {str(each.get(part) or "").casefold() for part in ("email", "name", "available_name")}
        if name.strip().casefold() in known - {""} and isinstance(each.get("id"), int):
            return int(each["id"])
    raise _StopError(ResultKind.NEVER, why)


def _is_note(note: Mapping[str, Any], name: str, text: str, since_ms: int) -> bool:
    """Say whether a note has this text and was written since a time, by either form of the time."""
    made = note.get("created_at")
    try:
        ms = made * 1000 if isinstance(made, int | float) else _of_text(str(made))
    except (ValueError, OverflowError):
        return False
    return ms >= since_ms - SKEW_MS and str(note.get(name)).split() == text.split()


def _of_text(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp() * 1000
