"""What an event without an interaction is about: a task, thread, post or article of its own. Pure."""

from __future__ import annotations

import json
from typing import Any

# Fields of the data that may hold the id, besides one named like the kind itself.
_IDS = ("id", "number")
_KINDS = frozenset({"task", "thread", "post", "article", "article_feedback"})
MAX_LENGTH = 150  # of an id; the name must fit the column of interactions


def own_subject(type_: str, data: str, event_id: str) -> str | None:
    """Return the name of the subject of an event without an interaction, such as "task:7".

    `data` is JSON text. The id is that in the data, else the event's own: an event that names no subject is
    one of its own, and never its user's. None for types whose subject is an interaction, session or user.
    """
    kind = type_.partition(".")[0]
    if kind not in _KINDS:
        return None
    found: dict[str, Any] = json.loads(data) if data != "{}" else {}
    for name in (kind, *_IDS):
        value = found.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
            ident = str(value).strip()
            return f"{kind}:{ident}" if 0 < len(ident) <= MAX_LENGTH else f"{kind}:{event_id}"[:200]
    return f"{kind}:{event_id}"[:200]
