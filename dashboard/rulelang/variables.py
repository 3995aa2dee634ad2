"""Texts brought along from SmarterTrack: its `#NAME#` variables as our placeholders. Pure.

Letters, digits and underscores between two number signs; case and underscores do not count. Source: the
import helper of the catalogue of actions.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from types import MappingProxyType

_VARIABLE = re.compile(r"#([A-Za-z][A-Za-z0-9_]{1,39})#")

# Variable → our placeholders, of which the first that the rule's types have is taken.
_OURS = MappingProxyType(
    {
        "AGENT": ("user.name",),
        "AGENTNAME": ("user.name",),
        "ASSIGNEDAGENT": ("user.name",),
        "ACTINGAGENT": ("user.name",),
        "ARTICLETITLE": ("article.title",),
        "COMMENT": ("survey.comment", "chat.comment", "call.comment"),
        "COUNT": ("ticket.count", "chat.count"),
        "CUSTOMER": ("contact.name",),
        "CUSTOMEREMAIL": ("contact.email",),
        "CUSTOMEREMAILADDRESS": ("contact.email",),
        "CUSTOMERNAME": ("contact.name",),
        "CUSTOMERPHONE": ("contact.phone",),
        "DATETIME": ("event.time",),
        "DEPARTMENT": ("ticket.department", "chat.department", "survey.department"),
        "DEPARTMENTNAME": ("ticket.department", "chat.department", "survey.department"),
        "DURATION": ("chat.duration_s", "call.duration_s", "ticket.open_s"),
        "EMAILADDRESS": ("contact.email",),
        "ERROR": ("mail_in.error", "mail_out.error"),
        "EVENTTIME": ("event.time",),
        "EVENTTYPE": ("event.type",),
        "GROUP": ("ticket.group", "chat.group"),
        "GROUPNAME": ("ticket.group", "chat.group"),
        "IDLETIME": ("ticket.idle_s", "chat.idle_s"),
        "MESSAGE": ("ticket.message", "chat.message"),
        "PRIORITY": ("ticket.priority", "task.priority"),
        "QUEUE": ("queue.name",),
        "RATING": ("survey.rating", "chat.rating", "ticket.rating"),
        "SERVER": ("mail_in.server", "mail_out.server"),
        "STATUS": ("ticket.status", "task.status"),
        "SUBJECT": ("ticket.title", "task.subject"),
        "TICKETNUMBER": ("ticket.number",),
        "TICKETSTATUS": ("ticket.status",),
        "TICKETSUBJECT": ("ticket.title",),
        "TITLE": ("article.title", "ticket.title"),
    }
)


def translate(text: str, known: Collection[str]) -> tuple[str, tuple[str, ...]]:
    """Return `text` with its variables as placeholders out of `known` (`placeholders.names` of the rule's
    types), and the variables left as they stand because none of ours is meant."""
    left: dict[str, None] = {}

    def put(found: re.Match[str]) -> str:
        name = found[1].replace("_", "").upper()
        ours = next((each for each in _OURS.get(name, ()) if each in known), None)
        if ours is None:
            left[found[0]] = None
            return found[0]
        return f"{{{{ {ours} }}}}"

    return _VARIABLE.sub(put, text), tuple(left)
