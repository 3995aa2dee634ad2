"""A rule as plain sentences in the reader's language: for lists, above the editor, and in traces."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Any, Literal, NamedTuple

from babel.lists import format_list
from flask_babel import gettext as _
from flask_babel import ngettext

from dashboard.i18n import formats
from dashboard.i18n.message import N_
from dashboard.rulelang import fields
from dashboard.rulelang.actions import ACTIONS, Recipients
from dashboard.rulelang.describe import OPEN, sentence
from dashboard.rulelang.lint import Findings
from dashboard.rulelang.operators import OPERATORS
from dashboard.rulelang.rate_limits import DAY_S, HOUR_S, MINUTE_S, By, Limit, Often
from dashboard.rulelang.schema import ActionConfig, Definition, Schedule, Wait
from dashboard.rulelang.subjects import ROLES, Role
from dashboard.rulelang.text_templates import Names
from dashboard.rulelang.values import EVERY_DAY, ChannelId, Part
from dashboard.ruletext import names as rule_names

PER = {
    By.SUBJECT: N_("per item"),
    By.CONTACT: N_("per contact"),
    By.RECIPIENT: N_("per recipient"),
    By.AGENT: N_("per agent"),
    By.RULE: N_("in total"),
}
OFTEN = {
    Often.ONCE: N_("once %(per)s"),
    Often.EPISODE: N_("once per state, %(per)s"),
    Often.PERIOD: N_("at most once every %(time)s %(per)s"),
}

NO_ACTION, NO_CHANNEL = N_("… (choose an action)"), N_("… (choose a channel)")
NOBODY = N_("nobody yet")

Style = Literal["standard", "or"]


class Words(NamedTuple):
    """What a rule says. `types` are the labels of its types; `conditions` and `limits` may be empty.

    `whole` is the sentence of all parts: "When …, if …, then …, at most once in 15 minutes for one subject."
    """

    types: str
    when: str
    conditions: str
    actions: str
    limits: str
    whole: str


def words(definition: Definition, names: Names) -> Words:
    """Return what a rule says in the reader's language; ids read as in `names` (see rulenames.names)."""
    known = fields.fields(definition.types)
    conditions = ""
    if definition.tree.children or definition.tree.how == "any":
        conditions = sentence(definition.tree, known, rule_names.show(names)).render(_)
    when, actions = _when(definition), _actions(definition, names)
    limits = _join(dict.fromkeys(filter(None, (limit_text(each.limit) for each in definition.then))))
    types = _types(definition.types)
    return Words(types, when, conditions, actions, limits, _whole(definition, when, conditions, actions))


def _whole(definition: Definition, when: str, conditions: str, actions: str) -> str:
    limits = {each.limit for each in definition.then}
    limit = limit_text(next(iter(limits))) if len(limits) == 1 else ""
    given = {"when": when, "actions": actions}
    if conditions and limit:
        return str(
            _(
                "When %(when)s, if %(conditions)s, then %(actions)s, %(limits)s.",
                conditions=conditions,
                limits=limit,
                **given,
            )
        )
    if conditions:
        return str(_("When %(when)s, if %(conditions)s, then %(actions)s.", conditions=conditions, **given))
    if limit:
        return str(_("When %(when)s, then %(actions)s, %(limits)s.", limits=limit, **given))
    return str(_("When %(when)s, then %(actions)s.", **given))


def _types(types: Iterable[str], style: Style = "or") -> str:
    return _quoted(map(rule_names.type_label, types), style)


def _quoted(texts: Iterable[str], style: Style = "standard") -> str:
    return _join((str(_("“%(name)s”", name=each)) for each in texts), style)


def _join(parts: Iterable[str], style: Style = "standard") -> str:
    return str(format_list(list(parts), style=style, locale=formats.language()))


def _when(definition: Definition) -> str:
    types = _types(definition.types)
    times, after, count = definition.times, definition.after, definition.count
    if definition.schedule is not None:
        return _schedule(definition.schedule)
    if definition.wait is not None:
        return _wait(definition.wait, types)
    if times is not None:
        return str(
            _(
                "%(types)s occurs %(number)s times within %(time)s %(per)s",
                types=types,
                number=formats.number(times.number),
                time=span(times.seconds),
                per=_(PER[times.by]),
            )
        )
    if count is not None:
        text = N_("%(types)s occurs with %(number)s per agent")
        if count.by == "queue":
            text = N_("%(types)s occurs with %(number)s per queue")
        return str(_(text, types=types, number=formats.number(count.number)))
    if after is not None and after.seconds:
        text = N_("%(types)s occurs after %(time)s")
        if after.calendar:
            text = N_("%(types)s occurs after %(time)s of working hours (%(calendar)s)")
        return str(_(text, types=types, time=span(after.seconds), calendar=after.calendar))
    return str(_("%(types)s occurs", types=types))


def _wait(wait: Wait, types: str) -> str:
    time = span(wait.seconds)
    if wait.calendar:
        time = _("%(time)s of working hours (%(calendar)s)", time=time, calendar=wait.calendar)
    if wait.unless:
        return str(
            _(
                "it has been %(time)s since %(types)s without %(unless)s",
                time=time,
                types=types,
                unless=_types(wait.unless),
            )
        )
    return str(_("it has been %(time)s since %(types)s", time=time, types=types))


def _schedule(plan: Schedule) -> str:
    clocks = _join(plan.at, "or")
    if plan.days == EVERY_DAY and plan.calendar:
        return str(
            _("it is %(clocks)s on a working day (%(calendar)s)", clocks=clocks, calendar=plan.calendar)
        )
    days = _join(rule_names.day_name(day) for day in plan.days)
    if plan.calendar:
        return str(
            _(
                "it is %(clocks)s on %(days)s, on a working day (%(calendar)s)",
                clocks=clocks,
                days=days,
                calendar=plan.calendar,
            )
        )
    if plan.days == EVERY_DAY:
        return str(_("it is %(clocks)s on any day", clocks=clocks))
    return str(_("it is %(clocks)s on %(days)s", clocks=clocks, days=days))


def _actions(definition: Definition, names: Names) -> str:
    mixed = len({each.limit for each in definition.then}) > 1
    said = [_action(each, names, limited=mixed) for each in definition.then]
    return reduce(_then, said) if said else str(_(NO_ACTION))


def _then(first: str, second: str) -> str:
    return str(_("%(first)s, then %(second)s", first=first, second=second))


def _action(action: ActionConfig, names: Names, limited: bool) -> str:
    text = action_text(action, names)
    limit = limit_text(action.limit) if limited else ""
    if action.delay_s:
        text = _("%(action)s after %(time)s", action=text, time=span(action.delay_s))
    return str(_("%(action)s (%(limit)s)", action=text, limit=limit) if limit else text)


def action_text(action: ActionConfig, names: Names) -> str:
    """Return what one action does: "notify Jana Malá and the leads of the user's teams"."""
    params = action.params
    if action.do not in ACTIONS:
        return str(_(NO_ACTION))
    said = {part.name: _param(part, params, names) for part in action.action.params}
    text = str(_(action.action.phrase, **said))
    return _again(text, params["again"]) if "again" in params else text


def _param(part: Part, params: Mapping[str, Any], names: Names) -> str:
    """Return a parameter of an action in the words of its sentence."""
    if isinstance(part.kind, Recipients):
        return recipients(params, names)
    if isinstance(part.kind, ChannelId) and part.name not in params:
        return str(_(part.kind.without or NO_CHANNEL))
    if isinstance(part.kind, ChannelId):
        return names.channels.get(params.get(part.name, 0)) or str(_(rule_names.OTHER_CHANNEL))
    value = params.get(part.name) or OPEN
    return _quoted(value) if isinstance(value, list | tuple) else str(value)


def _again(action: str, again: Mapping[str, int]) -> str:
    seconds = again["seconds"]
    whole = seconds % (MINUTE_S if seconds <= HOUR_S else HOUR_S) == 0
    time = period(seconds) if whole else span(seconds)
    return str(
        ngettext(
            "%(action)s, repeat every %(time)s until read, up to %(num)d time",
            "%(action)s, repeat every %(time)s until read, up to %(num)d times",
            again["times"],
            action=action,
            time=time,
        )
    )


def recipients(params: Mapping[str, Any], names: Names) -> str:
    """Return who is told, by the parameters of a notice or an e-mail."""
    to = params.get("to", {})
    found = [str(_(ROLES[Role(role)])) for role in to.get("roles", ())]
    found += [names.users.get(each) or _(rule_names.OTHER_USER) for each in to.get("users", ())]
    for ids, called, text, gone in (
        (to.get("teams", ()), names.teams, N_("the team %(name)s"), rule_names.OTHER_TEAM),
        (
            to.get("accesses", ()),
            names.accesses,
            N_("everyone with the role %(name)s"),
            rule_names.OTHER_ACCESS,
        ),
    ):
        found += [str(_(text, name=called[each]) if each in called else _(gone)) for each in ids]
    return _join(dict.fromkeys([*found, *params.get("addresses", ())])) or str(_(NOBODY))


def limit_text(limit: Limit) -> str:
    """Return how often an action may be done; "" for always."""
    if limit.often is Often.ALWAYS:
        return ""
    return str(_(OFTEN[limit.often], per=_(PER[limit.by]), time=period(limit.seconds)))


def span(seconds: int) -> str:
    """Return a length of time as h:mm:ss; whole days, of which 720:00:00 would tell little, as days."""
    if seconds >= 2 * DAY_S and seconds % DAY_S == 0:
        return period(seconds)
    return formats.duration(seconds)


def period(seconds: int) -> str:
    """Return a period of a limit in words: 15 minutes, 24 hours, 7 days."""
    if seconds <= HOUR_S:
        return str(ngettext("%(num)d minute", "%(num)d minutes", seconds // MINUTE_S))
    if seconds <= DAY_S:
        return str(ngettext("%(num)d hour", "%(num)d hours", seconds // HOUR_S))
    return str(ngettext("%(num)d day", "%(num)d days", seconds // DAY_S))


def operator_label(name: str) -> str:
    """Return how a comparison reads without its field: "is between … and …"."""
    row = OPERATORS.get(name)
    return row.label.render(_).strip() if row is not None else name


def findings(found: Findings, names: Mapping[int, str]) -> dict[int, list[str]]:
    """Return by rule id what `rulelang.lint` found, as sentences; `names` are those of the rules."""
    told: dict[int, list[str]] = {
        ident: [str(_("The conditions contradict each other, so this rule never matches."))]
        for ident in found.never
    }
    for ident, by_type in found.shadowed.items():
        for earlier in dict.fromkeys(by_type.values()):
            types = _types([type_ for type_, rule in by_type.items() if rule == earlier], "standard")
            text = _(
                "For %(types)s, rule “%(rule)s” always runs first and skips the remaining rules.",
                types=types,
                rule=_called(earlier, names),
            )
            told.setdefault(ident, []).append(str(text))
    for ring in found.loops:
        text = _("This rule triggers itself through the event it records.")
        if len(ring) > 1:
            chain = " → ".join(_called(each, names) for each in (*ring, ring[0]))
            text = _("These rules trigger each other in a loop: %(chain)s.", chain=chain)
        for ident in ring:
            told.setdefault(ident, []).append(str(text))
    return told


def _called(ident: int, names: Mapping[int, str]) -> str:
    return names.get(ident) or str(_(rule_names.OTHER_RULE))
