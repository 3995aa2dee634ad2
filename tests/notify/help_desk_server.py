"""Help desks of our own on the loopback that act as Zammad and Chatwoot do at the requests Stopa makes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any

from dashboard import clock
from dashboard.notify import safe_http
from tests.notify.receivers import Got, Receiver, answers, receiving

TOKEN = "desk-token"
Act = Callable[[BaseHTTPRequestHandler], None]
Json = dict[str, Any]


class Desk:
    """One item of a help desk and its notes. `faults` are answers that come first, before or (`done`) after
    the request is done; `changes` are the changes in order."""

    def __init__(self, kind: str) -> None:
        self.kind, self.item = kind, {"state": "open", "status": "open"}
        self.notes: list[Json] = []
        self.faults: list[tuple[Act, bool]] = []
        self.changes: list[tuple[str, Any]] = []
        self.requests: list[Got] = []
        self.address = ""

    @contextmanager
    def serving(self, allowed: bool = True) -> Iterator[Receiver]:
        """Serve it, as one that Stopa may call."""
        with receiving(lambda handler: self._act(handler, receiver.got[-1])) as receiver:
            below = "" if self.kind == "zammad" else "/app/accounts/1/dashboard"
            self.address, self.requests = f"http://127.0.0.1:{receiver.port}{below}", receiver.got
            safe_http.install([receiver.place] if allowed else [])
            yield receiver
        safe_http.install([])

    def _act(self, handler: BaseHTTPRequestHandler, got: Got) -> None:
        fault, is_done = self.faults.pop(0) if self.faults else (None, True)
        status, answer = self._do(got) if is_done else (500, None)
        if fault is None:
            answers(status, json.dumps(answer).encode(), {"Content-Type": "application/json"})(handler)
        else:
            fault(handler)

    def _do(self, got: Got) -> tuple[int, Any]:
        given = got.headers.get("authorization", got.headers.get("api_access_token", ""))
        if given != (f"Token token={TOKEN}" if self.kind == "zammad" else TOKEN):
            return 401, {"error": "Invalid"}
        body = json.loads(got.body) if got.body else {}
        return (self._zammad if self.kind == "zammad" else self._chatwoot)(got.method, got.path, body)

    def _zammad(self, method: str, path: str, body: Json) -> tuple[int, Any]:
        if (method, path) == ("GET", "/api/v1/users/me"):
            return 200, {"login": "stopa"}
        if (method, path) == ("GET", "/api/v1/ticket_articles/by_ticket/81"):
            return 200, self.notes
        if (method, path) == ("POST", "/api/v1/ticket_articles") and body["ticket_id"] == 81:
            return self._note(body, datetime.now(UTC).isoformat().replace("+00:00", "Z"))
        if (method, path) == ("PUT", "/api/v1/tickets/81"):
            [(name, value)] = body.items()
            if name == "state" and value not in ("open", "closed", "new"):
                return 422, {"error": f"No lookup value found for 'state': \"{value}\""}
            return self._set(name, value)
        return 404, {"error": "Not found"}

    def _chatwoot(self, method: str, path: str, body: Json) -> tuple[int, Any]:
        below = re.fullmatch(r"/api/v1/accounts/1/(.*)", path)
        where = (method, below[1] if below else "")
        if where == ("GET", "agents"):
            return 200, [{"id": 7, "name": "Agent 7", "email": "agent7@example.com"}]
        if where == ("GET", "teams"):
            return 200, [{"id": 3, "name": "billing"}]
        if where == ("GET", "conversations/207/messages"):
            return 200, {"meta": {}, "payload": self.notes}
        if where == ("POST", "conversations/207/messages"):
            return self._note(body, clock.now_s())
        if where == ("POST", "conversations/207/assignments"):
            [(name, ident)] = body.items()
            return self._set(name, ident)
        for verb in ("status", "priority"):
            if where == ("POST", f"conversations/207/toggle_{verb}"):
                return self._set(verb, body[verb])
        return 404, {"error": "Resource could not be found"}

    def _set(self, name: str, value: Any) -> tuple[int, Any]:
        if self.item.get(name) != value:
            self.item[name] = value
            self.changes.append((name, value))
        return 200, self.item

    def _note(self, body: Json, created_at: str | int) -> tuple[int, Any]:
        self.notes.append({**body, "id": len(self.notes) + 1, "created_at": created_at})
        self.changes.append(("note", body.get("body", body.get("content"))))
        return 201, self.notes[-1]
