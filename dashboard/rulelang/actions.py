"""The table of actions, read by the editor, by validation and by the engine. Pure.

A row gives the sentence of the action, its parameters, and whether it runs in the transaction that
evaluates the rule (internal) or becomes a delivery (outward). Stored rules refer to an action by its name,
so names never change. Source: catalogue of actions.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from dashboard.access.permissions import Permission
from dashboard.i18n.message import N_

MAX_LINE = 200  # characters of a title or subject
MAX_TEXT = 2000  # the column of a mark
MAX_TAGS = 20
MAX_TAG = 60
MAX_ADDRESSES = 20
MAX_DATA = 20  # fields of an event that a rule records
AGAIN_S = (300, 86400)  # between a notice and the next, at least and at most
MAX_AGAIN = 10


class ParamKind(StrEnum):
    """What a parameter is in JSON; controls of the editor and the check on save follow it."""

    TO = "to"  # {"users": [id], "teams": [id], "accesses": [id], "roles": [role]}
    LINE = "line"  # a text of one line, with placeholders
    TEXT = "text"  # a text of several lines, with placeholders
    YES_NO = "yes_no"
    TAGS = "tags"  # a list of short texts
    TYPE = "type"  # an event type custom.…
    DATA = "data"  # name → text with placeholders
    CHANNEL = "channel"  # a channel's id
    ADDRESSES = "addresses"  # a list of e-mail addresses
    AGAIN = "again"  # {"seconds": 300, "times": 3}: repeated that often until it is read


class Role(StrEnum):
    """People found when a rule runs. The customer is no user: only mail reaches them."""

    OWNER = "owner"  # of the rule
    USER = "user"  # of the event
    LEADS = "leads"  # of the teams of the event's user
    ADMINS = "admins"  # everyone with rules.operate
    CONTACT = "contact"  # the event's contact, else who made the request


ROLES = MappingProxyType(
    {
        Role.OWNER: N_("the owner of the rule"),
        Role.USER: N_("the user of the event"),
        Role.LEADS: N_("the leads of the user's teams"),
        Role.ADMINS: N_("the administrators of rules"),
        Role.CONTACT: N_("the customer"),
    }
)


@dataclass(frozen=True, slots=True)
class Param:
    """What an action asks for; `roles` are those that may be among its recipients."""

    name: str
    kind: ParamKind
    label: str
    required: bool = False
    roles: tuple[Role, ...] = ()


@dataclass(frozen=True, slots=True)
class Action:
    """One row. `phrase` reads after "then"; its placeholders are names of parameters.

    `channel` is the kind of channel that the parameter `channel` must be of. A user without `permission`
    may not use the action.
    """

    name: str
    label: str
    phrase: str
    params: tuple[Param, ...]
    inside: bool = True
    permission: Permission | None = None
    channel: str = ""

    def param(self, name: str) -> Param | None:
        """Return the parameter called `name`, None without one."""
        return next((each for each in self.params if each.name == name), None)


K = ParamKind
_USERS = tuple(role for role in Role if role is not Role.CONTACT)
_TO = Param("to", K.TO, N_("Recipients"), required=True, roles=_USERS)
_TEXT = Param("text", K.TEXT, N_("Text"), required=True)
_TAGS = Param("tags", K.TAGS, N_("Tags"), required=True)
_CHANNEL = Param("channel", K.CHANNEL, N_("Channel"), required=True)
_OUT = Permission.RULES_OUTWARD

_ROWS = (
    Action(
        "notify",
        N_("Notify users"),
        N_("notify %(to)s"),
        (
            _TO,
            Param("title", K.LINE, N_("Title"), required=True),
            Param("text", K.TEXT, N_("Text")),
            Param("urgent", K.YES_NO, N_("Urgent: also in quiet hours")),
            Param("again", K.AGAIN, N_("Again until it is read")),
        ),
    ),
    Action("tag", N_("Add tags"), N_("add the tags %(tags)s"), (_TAGS,)),
    Action("untag", N_("Remove tags"), N_("remove the tags %(tags)s"), (_TAGS,)),
    Action("note", N_("Add a note"), N_("add a note"), (_TEXT,)),
    Action("log", N_("Write to the audit log"), N_("write to the audit log"), (_TEXT,)),
    Action(
        "emit",
        N_("Record an event"),
        N_("record the event %(type)s"),
        (
            Param("type", K.TYPE, N_("Event type"), required=True),
            Param("data", K.DATA, N_("Data")),
        ),
    ),
    Action(
        "email",
        N_("Send an e-mail"),
        N_("send an e-mail to %(to)s"),
        (
            Param("to", K.TO, N_("Recipients"), roles=tuple(Role)),
            Param("addresses", K.ADDRESSES, N_("Other addresses")),
            Param("subject", K.LINE, N_("Subject"), required=True),
            _TEXT,
        ),
        inside=False,
        permission=_OUT,
    ),
    Action(
        "webhook",
        N_("Call a webhook"),
        N_("call %(channel)s"),
        (
            _CHANNEL,
            Param("text", K.TEXT, N_("Text")),
        ),
        inside=False,
        permission=_OUT,
        channel="webhook",
    ),
    Action(
        "chat",
        N_("Write to a chat"),
        N_("write to %(channel)s"),
        (_CHANNEL, _TEXT),
        inside=False,
        permission=_OUT,
        channel="chat",
    ),
    Action(
        "invite",
        N_("Invite the visitor to a chat"),
        N_("invite the visitor to a chat by %(channel)s"),
        (_CHANNEL, _TEXT),
        inside=False,
        permission=_OUT,
        channel="webhook",
    ),
)

ACTIONS = MappingProxyType({row.name: row for row in _ROWS})
