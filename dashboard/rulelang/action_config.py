"""One configured action of a rule with its parameters and rate limit: JSON form and validation. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dashboard import catalog
from dashboard.catalog import Origin
from dashboard.i18n.message import N_
from dashboard.rulelang import actions, text_templates
from dashboard.rulelang.actions import ACTIONS, Action, Param, ParamKind, Role
from dashboard.rulelang.rate_limits import PERIODS, By, Limit, Often
from dashboard.rulelang.validation import Checks

MAX_RECIPIENTS = 200  # ids of one kind
MAX_DELAY_S = 31 * 86400
MAX_ADDRESS = 254  # letters, RFC 5321
ON_ERROR = ("continue", "stop", "undo")
ALWAYS = Limit()

NO_RECIPIENT = N_("Choose at least one recipient.")
LOST_RECIPIENT = N_("A chosen recipient does not exist or is outside of what you may see.")
ONLY_BY_MAIL = N_("The customer can only be told by e-mail.")
NO_CUSTOMER = N_("“%(type)s” is about no customer: leave the customer out of the recipients.")
NO_CHANNEL = N_("Choose a channel.")
LOST_CHANNEL = N_("The channel does not exist any more: choose another.")
WRONG_CHANNEL = N_("This channel is of another kind: choose another.")
NOT_ALLOWED = N_("Your access does not let rules use this action.")
NOT_EMAIL = N_("Write the address as name@example.org.")
NOT_CUSTOM = N_("Name the event as custom.something, in lower-case letters, digits and underscores.")
NOT_BETWEEN = N_("Give 5 minutes to 24 hours.")
NOT_A_NAME = N_("Name a field in lower-case letters, digits and underscores.")
NO_PLACEHOLDER = N_("These event types have no %(names)s.")

_EMAIL = re.compile(r"[^@\s<>,;:()\[\]\\\"]{1,64}@[^@\s<>,;:()\[\]\\\"]+\.[^@\s<>,;:()\[\]\\\"]+")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_PARTS = ("do", "limit", "on_error", "delay_s")
# Groups of types that tell of the site's own people and machines.
_OWN_GROUPS = frozenset({"agents", "rooms", "mail", "sources", "rules", "dashboard", "system"})


@dataclass(frozen=True)
class AvailableReferences:
    """What exists that a rule may name, and what its author may do.

    `channels` maps an id to its kind. `users`, `teams` and `accesses` hold the ids that the author may
    choose, `calendars` names. `can_out` says whether actions that call out are allowed; `personal`
    whether the rule is a user's own; `switched` has administrators' choices whether rules may use a type.
    """

    channels: Mapping[int, str] = field(default_factory=dict)
    users: frozenset[int] = frozenset()
    teams: frozenset[int] = frozenset()
    accesses: frozenset[int] = frozenset()
    calendars: frozenset[str] = frozenset()
    can_out: bool = False
    personal: bool = False
    switched: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class ActionConfig:
    """An action to be done: `do` names a row of ACTIONS, `params` are checked JSON values.

    A recipient (`to`) has all of "users", "teams", "accesses" and "roles". Parameters that were left empty
    are not there, but `urgent` always is. `delay_s` is the time from the match to the act.
    `again` {"seconds", "times"} repeats a notice until it is read.
    """

    do: str
    params: Mapping[str, Any]
    limit: Limit = ALWAYS
    on_error: str = "continue"
    delay_s: int = 0

    @property
    def action(self) -> Action:
        return ACTIONS[self.do]


def parse(
    raw: Any, path: str, types: tuple[str, ...], site: AvailableReferences | None, checks: Checks
) -> ActionConfig | None:
    """Return the action of decoded JSON, its errors added to `checks` below `path`.

    Without a `site` nothing is asked about what exists: a stored rule whose channel is gone can be read.
    """
    name = raw.get("do") if isinstance(raw, dict) else None
    action = ACTIONS.get(name) if isinstance(name, str) else None
    if action is None:
        checks.part(raw, path, raw if isinstance(raw, dict) else ())
        checks.one_of(name, f"{path}.do", tuple(ACTIONS))
        return None
    if site is not None and action.permission is not None and not site.can_out:
        checks.add(f"{path}.do", NOT_ALLOWED)
    given = checks.part(raw, path, (*_PARTS, *(param.name for param in action.params)))
    params = {
        param.name: _param(param, given.get(param.name), f"{path}.{param.name}", action, types, site, checks)
        for param in action.params
    }
    if action.name == "email" and not params.get("to") and not params.get("addresses"):
        checks.add(f"{path}.to", NO_RECIPIENT)
    return ActionConfig(
        action.name,
        {key: value for key, value in params.items() if value not in ("", None, [], {})},
        _limit(given.get("limit"), f"{path}.limit", checks),
        checks.one_of(given.get("on_error", "continue"), f"{path}.on_error", ON_ERROR),
        checks.whole(given.get("delay_s", 0), f"{path}.delay_s", 0, MAX_DELAY_S),
    )


def to_customer(doing: ActionConfig) -> bool:
    """Say whether the customer is among the recipients."""
    return Role.CONTACT in doing.params.get("to", {}).get("roles", ())


def is_address(text: str) -> bool:
    """Say whether a text is one plain e-mail address."""
    return len(text) <= MAX_ADDRESS and text.isprintable() and _EMAIL.fullmatch(text) is not None


def dump(doing: ActionConfig) -> dict[str, Any]:
    """Return the JSON form; `parse` of it gives the same action."""
    return {
        "do": doing.do,
        **doing.params,
        "limit": {"often": doing.limit.often, "by": doing.limit.by, "seconds": doing.limit.seconds},
        "on_error": doing.on_error,
        "delay_s": doing.delay_s,
    }


def _param(
    param: Param,
    raw: Any,
    path: str,
    action: Action,
    types: tuple[str, ...],
    site: AvailableReferences | None,
    checks: Checks,
) -> Any:
    kind = param.kind
    if kind is ParamKind.TO:
        return _to(param, raw, path, types, site, checks)
    if kind in (ParamKind.LINE, ParamKind.TEXT):
        return _template(raw, path, kind is ParamKind.TEXT, param.required, types, checks)
    if kind is ParamKind.CHANNEL:
        return _channel(raw, path, action, site, checks)
    if kind is ParamKind.YES_NO:
        return checks.yes_no(False if raw is None else raw, path)
    if kind is ParamKind.TAGS:
        tags = [
            checks.text(each, f"{path}.{n}", actions.MAX_TAG, lines=False)
            for n, each in enumerate(checks.items(raw or [], path, 1, actions.MAX_TAGS))
        ]
        return list(dict.fromkeys(tag.strip() for tag in tags))
    if kind is ParamKind.ADDRESSES:
        return _addresses(raw, path, checks)
    if kind is ParamKind.AGAIN:
        return _again(raw, path, checks)
    return _custom_type(raw, path, checks) if kind is ParamKind.TYPE else _data(raw, path, types, checks)


def _to(
    param: Param,
    raw: Any,
    path: str,
    types: tuple[str, ...],
    site: AvailableReferences | None,
    checks: Checks,
) -> dict[str, Any]:
    given = checks.part({} if raw is None else raw, path, ("users", "teams", "accesses", "roles"))
    found: dict[str, Any] = {
        name: checks.ids(given.get(name) or [], f"{path}.{name}", MAX_RECIPIENTS)
        for name in ("users", "teams", "accesses")
    }
    if site is not None:
        known = {"users": site.users, "teams": site.teams, "accesses": site.accesses}
        for name, ids in known.items():
            if not ids.issuperset(found[name]):
                checks.add(f"{path}.{name}", LOST_RECIPIENT)
    roles = checks.items(given.get("roles") or [], f"{path}.roles", 0, len(Role))
    asked = [checks.one_of(each, f"{path}.roles", tuple(Role)) for each in roles]
    found["roles"] = [str(role) for role in Role if role in asked]
    if Role.CONTACT in asked:
        _customer(param, f"{path}.roles", types, checks)
    if any(found.values()):
        return found
    if param.required:
        checks.add(path, NO_RECIPIENT)
    return {}


def _customer(param: Param, path: str, types: tuple[str, ...], checks: Checks) -> None:
    """Check that the customer may be told by this action, and that every type can name one."""
    if Role.CONTACT not in param.roles:
        checks.add(path, ONLY_BY_MAIL)
    for type_ in filter(None, map(catalog.find, types)):
        if type_.group in _OWN_GROUPS or type_.origin is Origin.COUNTER:
            checks.add(path, NO_CUSTOMER, type=type_.name)


def _template(
    raw: Any, path: str, lines: bool, required: bool, types: tuple[str, ...], checks: Checks
) -> str:
    most = actions.MAX_TEXT if lines else actions.MAX_LINE
    text = checks.text(raw, path, most, lines, required)
    unknown = text_templates.check(text, types)
    if unknown:
        named = ", ".join(f"“{name[:80]}”" for name in unknown[:5])
        checks.add(path, NO_PLACEHOLDER, names=named)
    return text


def _channel(raw: Any, path: str, action: Action, site: AvailableReferences | None, checks: Checks) -> int:
    if raw is None or raw == "":
        checks.add(path, NO_CHANNEL)
        return 0
    found = checks.whole(raw, path, 1, 2**31 - 1)
    if site is not None and found not in site.channels:
        checks.add(path, LOST_CHANNEL)
    elif site is not None and site.channels[found] != action.channel:
        checks.add(path, WRONG_CHANNEL)
    return found


def _addresses(raw: Any, path: str, checks: Checks) -> list[str]:
    found = []
    for n, each in enumerate(checks.items([] if raw is None else raw, path, 0, actions.MAX_ADDRESSES)):
        text = checks.text(each, f"{path}.{n}", MAX_ADDRESS, lines=False)
        if not _EMAIL.fullmatch(text):
            checks.add(f"{path}.{n}", NOT_EMAIL)
        found.append(text)
    return list(dict.fromkeys(found))


def _again(raw: Any, path: str, checks: Checks) -> dict[str, int]:
    if raw is None:
        return {}
    given, length = checks.part(raw, path, ("seconds", "times")), Checks()
    seconds = length.whole(given.get("seconds"), "", *actions.AGAIN_S)
    if length.errors:
        checks.add(f"{path}.seconds", NOT_BETWEEN)
    return {
        "seconds": seconds,
        "times": checks.whole(given.get("times"), f"{path}.times", 1, actions.MAX_AGAIN),
    }


def _custom_type(raw: Any, path: str, checks: Checks) -> str:
    text = checks.text(raw, path, catalog.NAME_LIMIT, lines=False)
    known = catalog.find(text) if text.startswith(catalog.CUSTOM) else None
    if known is None:
        checks.add(path, NOT_CUSTOM)
    return text


def _data(raw: Any, path: str, types: tuple[str, ...], checks: Checks) -> dict[str, str]:
    given = {} if raw is None else raw
    if not isinstance(given, dict) or len(given) > actions.MAX_DATA:
        checks.items(list(given) if isinstance(given, dict) else given, path, 0, actions.MAX_DATA)
        return {}
    found = {}
    for name, text in given.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            checks.add(path, NOT_A_NAME)
        else:
            found[name] = _template(text, f"{path}.{name}", True, False, types, checks)
    return found


def _limit(raw: Any, path: str, checks: Checks) -> Limit:
    given = checks.part({} if raw is None else raw, path, ("often", "by", "seconds"))
    often = Often(checks.one_of(given.get("often", "always"), f"{path}.often", tuple(Often)))
    by = By(checks.one_of(given.get("by", "subject"), f"{path}.by", tuple(By)))
    if often is not Often.PERIOD:
        return Limit(often, by)
    seconds = checks.whole(given.get("seconds"), f"{path}.seconds", PERIODS[0], PERIODS[-1])
    if seconds not in PERIODS:
        checks.one_of("", f"{path}.seconds", [str(each) for each in PERIODS])
    return Limit(often, by, seconds)
