"""Samples of code that sends events with a key, or reads them. Pure."""

from __future__ import annotations

import shlex
from string import Template

SEND_CURL = Template(
    """\
curl $address/api/v1/events \\
  -H "Authorization: Bearer $key" \\
  -H "Content-Type: application/json" \\
  -d '{"type": "agent.signed_in", "user": "jana", "time": "'$$(date -Iseconds)'"}'"""
)
SEND_PYTHON = Template(
    """\
import json
import urllib.request
from datetime import datetime

event = {
    "type": "agent.signed_in",
    "user": "jana",
    "time": datetime.now().astimezone().isoformat(),
}
request = urllib.request.Request(
    "$address/api/v1/events",
    json.dumps(event).encode(),
    {"Authorization": "Bearer $key", "Content-Type": "application/json"},
)
print(urllib.request.urlopen(request).read().decode())"""
)
READ_CURL = Template(
    """\
curl "$address/api/v1/events?limit=10" \\
  -H "Authorization: Bearer $key\""""
)


def sending(address: str, key: str, source: str) -> dict[str, str]:
    """Return by name what sends an event of now, or follows a queue log as `source`.

    `address` is that of this site, without a slash at its end; `key` is the value or a shell variable.
    """
    values = {"address": address, "key": key}
    follow = f"bin/stopa follow /var/log/asterisk/queue_log --source {shlex.quote(source)}"
    return {
        "curl": SEND_CURL.substitute(values),
        "python": SEND_PYTHON.substitute(values),
        "asterisk": follow,
    }


def reading(address: str, key: str) -> dict[str, str]:
    """Return by name what reads the latest events."""
    return {"curl": READ_CURL.substitute(address=address, key=key)}
