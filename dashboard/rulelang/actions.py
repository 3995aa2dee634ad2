"""The actions of rules: the table that declares them, and one action of a rule with its values. Pure.

A row says how the action reads in a sentence, what its parameters are, and whether it runs in the
transaction of the rule run (inside) or becomes a delivery. An action never changes its name: rules are
stored by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

from dashboard import catalog
from dashboard.access.permissions import Permission
from dashboard.catalog import Origin
from dashboard.i18n.message import N_
from dashboard.rulelang import declared
from dashboard.rulelang.rate_limits import Frequency, Limit
from dashboard.rulelang.subjects import Role
from dashboard.rulelang.validation import Checks, ErrorPath
from dashboard.rulelang.values import (
    Addresses,
    ChannelId,
    Choice,
    CustomType,
    Group,
    Ids,
    Kind,
    Part,
    Seconds,
    TemplatesByName,
    Text,
    Texts,
    Whole,
    YesNo,
)

MAX_LINE = 200  # characters of a title or subject
MAX_TEXT = 2000  # the column of a mark
MAX_TAGS = 20
MAX_TAG = 60
MAX_ADDRESSES = 20
MAX_DATA = 20  # fields of an event that a rule records
MAX_AGAIN = 10
MAX_LANGUAGES = 20  # of an invitation
MAX_INVITATION = 500  # characters
MAX_RECIPIENTS = 200  # ids of one kind
MAX_DELAY_S = 31 * 86400
FILE_NAME = r"[a-z0-9][a-z0-9_-]{0,39}"  # of a log file

NO_RECIPIENT = N_("Choose at least one recipient.")
ONLY_BY_MAIL = N_("Customers can be notified only by email.")
NO_CUSTOMER = N_("“%(type)s” has no customer. Remove the customer from the recipients.")
NOT_ALLOWED = N_("You don't have permission to use this action in rules.")
DESK_HINT = N_("As the help desk calls it")
FILE_HINT = N_("Letters a to z, digits, - and _; no folder, no suffix")
NOT_A_FILE = N_("Name the file in lower-case letters, digits, - and _, without folder and suffix.")
BOX = N_("the box on the page")
LANGUAGE_HINT = N_("One on each line, such as cs: Mohu pomoci?")
NOT_SHOWN_SO = N_("Enter a duration from 1 to 30 minutes.")
NOT_BETWEEN = N_("Enter a duration from 5 minutes to 24 hours.")

# Groups of event types about the site's own people and systems.
_OWN_GROUPS = frozenset({"agents", "rooms", "mail", "sources", "rules", "dashboard", "system"})


@dataclass(frozen=True)
class RoleNames(Kind):
    """A list of roles; `allowed` are those that may be among the recipients of the action."""

    allowed: tuple[Role, ...]

    def parse(self, raw: Any, path: ErrorPath, checks: Checks, required: bool) -> list[str]:
        given = checks.items(raw or [], path, 0, len(Role))
        chosen = [checks.one_of(each, path, tuple(Role)) for each in given]
        if Role.CONTACT in chosen:
            self._check_customer(path, checks)
        return [str(role) for role in Role if role in chosen]

    def _check_customer(self, path: ErrorPath, checks: Checks) -> None:
        """Check that the action may write to the customer, and that every event type can name one."""
        if Role.CONTACT not in self.allowed:
            checks.add(path, ONLY_BY_MAIL)
        for type_ in filter(None, map(catalog.find, checks.types)):
            if type_.group in _OWN_GROUPS or type_.origin is Origin.COUNTER:
                checks.add(path, NO_CUSTOMER, type=type_.name)


@dataclass(frozen=True)
class Recipients(Group):
    """Recipients by part: ids of "users", "teams" and "accesses", and "roles"; {} for nobody."""

    filler: ClassVar[Any] = {"roles": [Role.OWNER]}

    def parse(self, raw: Any, path: ErrorPath, checks: Checks, required: bool) -> dict[str, Any]:
        found = Group.parse(self, {} if raw is None else raw, path, checks, required)
        if any(found.values()):
            return found
        if required:
            checks.add(path, NO_RECIPIENT)
        return {}


def recipients(roles: tuple[Role, ...]) -> Recipients:
    """Return the kind of recipients among whom these roles may be."""
    return Recipients(
        (
            Part("roles", RoleNames(roles), N_("Recipients")),
            Part("users", Ids(MAX_RECIPIENTS, "user"), N_("Users")),
            Part("teams", Ids(MAX_RECIPIENTS, "team"), N_("Teams")),
            Part("accesses", Ids(MAX_RECIPIENTS, "access"), N_("Everyone with the role")),
        )
    )


@dataclass(frozen=True, slots=True)
class Action:
    """One row. `phrase` reads after "then"; its placeholders are names of parameters.

    A user without `permission` may not use the action. At least one of the parameters `any_of` is needed.
    """

    name: str
    label: str
    phrase: str
    params: tuple[Part, ...]
    inside: bool = True
    permission: Permission | None = None
    any_of: tuple[str, ...] = ()

    @property
    def channel(self) -> str:
        """The kind of channel that the parameter `channel` must be of, "" without one."""
        return next((each.kind.channel for each in self.params if isinstance(each.kind, ChannelId)), "")


LINE, TEXT = Text(MAX_LINE), Text(MAX_TEXT, lines=True)
FILE = Text(40, template=False, pattern=FILE_NAME, error=NOT_A_FILE)
REPEAT = Group(
    (
        Part("seconds", Seconds(300, 86400, NOT_BETWEEN), N_("Repeat until read, every")),
        Part("times", Whole(1, MAX_AGAIN), N_("Maximum repeats")),
    )
)
_USERS = tuple(role for role in Role if role is not Role.CONTACT)
_ANY_TEXT = Part("text", TEXT, N_("Text"))
_TEXT = Part("text", TEXT, N_("Text"), required=True)
_TAGS = Part("tags", Texts(MAX_TAGS, MAX_TAG), N_("Tags"), required=True)


def _channel(kind: str) -> Part:
    return Part("channel", ChannelId(kind), N_("Channel"), required=True)


def _outward(name: str, label: str, phrase: str, *params: Part, any_of: tuple[str, ...] = ()) -> Action:
    return Action(
        name, label, phrase, params, inside=False, permission=Permission.RULES_OUTWARD, any_of=any_of
    )


_ROWS = (
    Action(
        "notify",
        N_("Notify users"),
        N_("notify %(to)s"),
        (
            Part("to", recipients(_USERS), N_("Recipients"), required=True),
            Part("title", LINE, N_("Title"), required=True),
            _ANY_TEXT,
            Part("urgent", YesNo(), N_("Urgent: also in quiet hours")),
            Part("again", REPEAT, N_("Repeat until read")),
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
            Part("type", CustomType(), N_("Event type"), required=True),
            Part("data", TemplatesByName(MAX_DATA, TEXT), N_("Data")),
        ),
    ),
    _outward(
        "email",
        N_("Send an email"),
        N_("send an email to %(to)s"),
        Part("to", recipients(tuple(Role)), N_("Recipients")),
        Part("addresses", Addresses(MAX_ADDRESSES), N_("Other addresses")),
        Part("subject", LINE, N_("Subject"), required=True),
        _TEXT,
        any_of=("to", "addresses"),
    ),
    _outward("webhook", N_("Call a webhook"), N_("call %(channel)s"), _channel("webhook"), _ANY_TEXT),
    _outward("chat", N_("Post to a chat"), N_("write to %(channel)s"), _channel("chat"), _TEXT),
    _outward(
        "invite",
        N_("Invite the visitor to a chat"),
        N_("invite the visitor to a chat via %(channel)s"),
        Part("channel", ChannelId("webhook", BOX), N_("Channel")),
        _TEXT,
        Part(
            "texts",
            TemplatesByName(MAX_LANGUAGES, Text(MAX_INVITATION)),
            N_("Text by language of the visitor"),
            hint=LANGUAGE_HINT,
        ),
        Part("seconds", Seconds(60, 1800, NOT_SHOWN_SO), N_("Show the box for"), default=120),
        Part("repeat", YesNo(), N_("Also visitors who have been invited in this visit")),
    ),
    _outward(
        "log_file",
        N_("Append to a log file"),
        N_("append to the log file %(file)s"),
        Part("file", FILE, N_("File"), required=True, hint=FILE_HINT),
        _ANY_TEXT,
    ),
    _outward(
        "source_status",
        N_("Help desk: set status"),
        N_("set the status in the help desk to %(value)s"),
        Part("value", LINE, N_("Status"), required=True, hint=DESK_HINT),
    ),
    _outward(
        "source_priority",
        N_("Help desk: set priority"),
        N_("set the priority in the help desk to %(value)s"),
        Part("value", LINE, N_("Priority"), required=True, hint=DESK_HINT),
    ),
    _outward(
        "source_assign",
        N_("Help desk: assign"),
        N_("assign in the help desk to %(value)s"),
        Part("value", LINE, N_("Agent"), required=True, hint=DESK_HINT),
    ),
    _outward(
        "source_transfer",
        N_("Help desk: transfer"),
        N_("transfer in the help desk to %(value)s"),
        Part("value", LINE, N_("Group or team"), required=True, hint=DESK_HINT),
    ),
    _outward("source_note", N_("Help desk: add note"), N_("add a note in the help desk"), _TEXT),
)

ACTIONS = MappingProxyType({row.name: row for row in _ROWS})

ON_ERROR = MappingProxyType(
    {
        "continue": N_("Continue with next action"),
        "stop": N_("Skip the remaining actions"),
        "undo": N_("Undo what the rule changed"),
    }
)
# The parts that every action has.
COMMON = (
    Part("limit", Frequency()),
    Part("delay_s", Seconds(0, MAX_DELAY_S), N_("Delay before"), default=0, form="delay"),
    Part("on_error", Choice(ON_ERROR), N_("If it fails"), default="continue"),
)


@dataclass(frozen=True)
class ActionConfig:
    """An action of a rule: `do` names a row of ACTIONS, `params` are checked JSON values.

    A recipient (`to`) has all of "users", "teams", "accesses" and "roles". Parameters that were left empty
    are not there, but `urgent` always is. `delay_s` is the time from the match to the act.
    """

    do: str
    params: Mapping[str, Any]
    limit: Limit = Limit()  # noqa: RUF009  immutable
    on_error: str = "continue"
    delay_s: int = 0

    @property
    def action(self) -> Action:
        return ACTIONS[self.do]

    @property
    def in_box(self) -> bool:
        """Whether this invites by the box on the page of the visitor, inside Stopa."""
        return self.do == "invite" and "channel" not in self.params


def parse(raw: Any, path: ErrorPath, checks: Checks) -> ActionConfig | None:
    """Return the action of decoded JSON, None for an unknown one; errors are added to `checks`."""
    name = raw.get("do") if isinstance(raw, dict) else None
    action = ACTIONS.get(name) if isinstance(name, str) else None
    if action is None:
        checks.part(raw, path, raw if isinstance(raw, dict) else ())
        checks.one_of(name, path / "do", tuple(ACTIONS))
        return None
    if checks.available is not None and action.permission is not None and not checks.available.can_out:
        checks.add(path / "do", NOT_ALLOWED)
    names = {each.name for each in (*action.params, *COMMON)}
    given = checks.part(raw, path, {"do", *names})
    made = {each.name: each.parse(given, path, checks) for each in action.params}
    common = {each.name: each.parse(given, path, checks) for each in COMMON}
    if action.any_of and not any(made[name] for name in action.any_of):
        checks.add(path / action.any_of[0], NO_RECIPIENT)
    params = {key: value for key, value in made.items() if value not in ("", None, [], {})}
    return ActionConfig(action.name, params, **common)


def dump(config: ActionConfig) -> dict[str, Any]:
    """Return the JSON form; `parse` of it gives the same action."""
    common = {each.name: declared.dump(getattr(config, each.name)) for each in COMMON}
    return {"do": config.do, **declared.dump(config.params), **common}


def texts(raw: Any) -> tuple[str, ...]:
    """Return the names of the parameters that are texts with placeholders, of an action in JSON."""
    row = ACTIONS.get(str(raw.get("do"))) if isinstance(raw, dict) else None
    params = row.params if row is not None else ()
    return tuple(each.name for each in params if isinstance(each.kind, Text) and each.kind.template)


def to_customer(config: ActionConfig) -> bool:
    """Say whether the customer is among the recipients."""
    return Role.CONTACT in config.params.get("to", {}).get("roles", ())
