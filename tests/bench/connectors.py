"""Row E3: events from webhooks of Zammad and Chatwoot beside events of the gate, one a request."""

from __future__ import annotations

import hmac
import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from dashboard.db import connected, sealed
from dashboard.models import Connector, Source
from tests.bench import gate, serve, site
from tests.bench.serve import Server
from tests.bench.table import Line, medians, ratio

SECRET = "a-secret-of-twenty-letters"
REQUESTS = 40  # a turn
_numbers = itertools.count(1)


class Request(NamedTuple):
    """A webhook, and how many events it becomes."""

    body: bytes
    headers: dict[str, str]
    events: int


def zammad() -> Iterator[Request]:
    """Yield new tickets, each with a message: three events."""
    for n in _numbers:
        at = _iso(n)
        agent = {"login": f"agent{n % 5 + 1:04}", "roles": ["Agent"]}
        customer = {"firstname": "Jan", "lastname": "Novák", "email": f"jan{n}@example.org", "login": "jan"}
        ticket = {
            "id": n,
            "number": f"1{n}",
            "title": f"asked about order {n}",
            "state": "open",
            "created_at": at,
            "updated_at": at,
            "owner": agent,
            "updated_by": agent,
            "customer": customer,
            "group": {"name": f"queue{n % 30 + 1:02}"},
            "priority": {"name": "2 normal"},
        }
        article = {"id": n, "created_at": at, "sender": "Customer", "body": f"<p>{site.payload(n)}</p>"}
        body = json.dumps({"ticket": ticket, "article": article}).encode()
        signature = f"sha1={hmac.digest(SECRET.encode(), body, 'sha1').hex()}"
        yield Request(body, {"X-Hub-Signature": signature, "X-Zammad-Delivery": f"d{n}"}, 3)


def chatwoot() -> Iterator[Request]:
    """Yield messages: one event each."""
    for n in _numbers:
        customer = {"id": n, "name": "Jan Novák", "type": "contact"}
        said = {
            "event": "message_created",
            "id": n,
            "message_type": "incoming",
            "created_at": _iso(n),
            "content": site.payload(n),
            "sender": customer,
            "inbox": {"id": n % 30, "name": "Website"},
            "conversation": {"id": n, "channel": "Channel::WebWidget", "meta": {"sender": customer}},
        }
        yield Request(json.dumps(said).encode(), {"Authorization": f"Bearer {SECRET}"}, 1)


def _iso(n: int) -> str:
    moment = datetime.fromtimestamp(site.T0 + site.DAYS * site.DAY_S + n / 50, UTC)
    return moment.isoformat(timespec="milliseconds")


def rows(home: Path) -> list[Line]:
    """E3: processor time of an event by each connector and by the gate."""
    ours = site.empty(home / "connectors.db")
    sealed.use_key(site.SECRET)
    with connected():
        for kind in ("zammad", "chatwoot"):
            source = Source.create(name=kind, created_ts=site.T0)
            Connector.create(source=source, kind=kind, secret=SECRET, created_ts=site.T0)
    with serve.running("stopa", ours.path) as server:
        got = medians(
            {
                "gate": lambda: gate.sent(server, ours, 1, REQUESTS),
                "zammad": lambda: cost(server, "zammad", zammad()),
                "chatwoot": lambda: cost(server, "chatwoot", chatwoot()),
            }
        )
    return [
        ratio("E3", f"gate, one event a request / {kind}", got["gate"], got[kind], ">= 0.7", "us")
        for kind in ("zammad", "chatwoot")
    ]


def cost(server: Server, kind: str, requests: Iterator[Request]) -> float:
    """Send new webhooks and return the server's processor seconds an event."""
    sent = list(itertools.islice(requests, REQUESTS))
    before = server.cpu_s()
    for one in sent:
        head = {"Content-Type": "application/json", **one.headers}
        answer = server.ask(f"/connect/{kind}", one.body, head)
        if answer.status != 202:
            raise RuntimeError(f"{kind} answered {answer.status}: {answer.body[:300]!r}")
    return (server.cpu_s() - before) / sum(one.events for one in sent)
