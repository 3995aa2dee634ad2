"""What the actions and the limits of a typed rule look like as a form."""

from __future__ import annotations

from typing import Any, NamedTuple

from flask_babel import gettext as _

from dashboard.i18n.message import N_
from dashboard.pages.ruleeditor import form_parts, form_values, widgets
from dashboard.pages.ruleeditor.queries import Choice, Offered
from dashboard.pages.ruleeditor.widgets import Control, Errors, Option, under
from dashboard.rulelang import actions
from dashboard.rulelang.actions import ACTIONS, ROLES, Param, ParamKind
from dashboard.rulelang.matcher import Loop
from dashboard.rulelang.rate_limits import PERIODS, By
from dashboard.rulelang.triggers import COUNT_BY, TIMES_BY
from dashboard.ruletext import names, sentences

BY = {
    By.SUBJECT: N_("Each subject"),
    By.CONTACT: N_("Each contact"),
    By.RECIPIENT: N_("Each recipient"),
    By.AGENT: N_("Each agent"),
    By.RULE: N_("The whole rule"),
}
ON_ERROR = {
    "continue": N_("Go on with the next action"),
    "stop": N_("Leave out the later actions"),
    "undo": N_("Undo what the rule changed here"),
}
LOOPS = {
    Loop.ONCE: N_("Once in a chain"),
    Loop.IGNORE: N_("Never"),
    Loop.ALLOW: N_("Every time"),
}
COUNTED = {"agent": N_("Agent"), "queue": N_("Queue")}
TO = {"users": N_("Users"), "teams": N_("Teams"), "accesses": N_("Everyone with the access")}


class Filled(NamedTuple):
    """A text of an action with placeholders, and how it reads for the latest event."""

    control: Control
    preview: str | None


class ActionRow(NamedTuple):
    """An action. `beside` stands in its first line, `texts` below, `to` are lists of people to tick."""

    n: int
    name: str
    does: list[Option]
    beside: Control | None
    to: list[Control]
    texts: list[Filled]
    urgent: Control | None
    often: list[Control]
    errors: list[str]
    first: bool
    last: bool


def rows(
    definition: dict[str, Any], offered: Offered, errors: Errors, preview: dict[str, str]
) -> list[ActionRow]:
    """Return the actions as rows; `preview` has rendered texts by path ("then.0.title")."""
    done = definition["then"]
    return [_row(n, action, len(done), offered, errors, preview) for n, action in enumerate(done)]


def _row(
    n: int, action: dict[str, Any], count: int, offered: Offered, errors: Errors, preview: dict[str, str]
) -> ActionRow:
    name, do = f"then.{n}", str(action.get("do", ""))
    made = {param.name: param for param in ACTIONS[do].params} if do in ACTIONS else {}
    does = [
        Option(each.name, _(each.label), each.name == do)
        for each in ACTIONS.values()
        if each.permission is None or offered.outward or each.name == do
    ]
    if do not in ACTIONS:
        does.insert(0, Option(do, do or _("Choose an action"), True))
    texts = [
        Filled(_text(param, name, action, errors), preview.get(f"{name}.{param.name}"))
        for param in made.values()
        if param.kind not in (ParamKind.TO, ParamKind.CHANNEL, ParamKind.YES_NO, ParamKind.AGAIN)
    ]
    channel, urgent = made.get("channel"), made.get("urgent")
    mine = [text for path in (f"{name}.do", name) if (text := errors.get(path))]
    return ActionRow(
        n,
        name,
        does,
        _channel(do, action, name, offered, errors) if channel else None,
        _to(name, action, offered, errors) if "to" in made else [],
        texts,
        Control(f"{name}.urgent", "check", _(urgent.label), "1" if action.get("urgent") else "")
        if urgent
        else None,
        [*_often(name, n, action, errors), *(_again(name, action, errors) if "again" in made else ())],
        mine,
        n == 0,
        n == count - 1,
    )


def _channel(do: str, action: dict[str, Any], name: str, offered: Offered, errors: Errors) -> Control:
    kind = ACTIONS[do].channel
    choices = [(value, label) for value, label, each in offered.channels if each == kind]
    empty = _("Choose a channel") if choices else _("No channel of this kind yet")
    known = {value for value, _label in choices}
    chosen = form_values.shown(action.get("channel"))
    if chosen and chosen not in known:
        named = {value: label for value, label, _kind in offered.channels}
        choices.append((chosen, named.get(chosen) or _(names.OTHER_CHANNEL)))
    control = widgets.select(f"{name}.channel", _("Channel"), choices, chosen, empty)
    return control._replace(error=under(errors, f"{name}.channel"))


def _to(name: str, action: dict[str, Any], offered: Offered, errors: Errors) -> list[Control]:
    """Return the boxes of recipients: roles, then people, teams and accesses by name."""
    chosen = form_parts.to_of(action.get("to"))
    param = ACTIONS[str(action["do"])].param("to")
    roles: list[Choice] = [(str(role), _(ROLES[role])) for role in (param.roles if param else ())]
    first = widgets.checks(f"{name}.to.roles", _("Recipients"), roles, chosen["roles"])
    found = [first._replace(error=errors.get(f"{name}.to", "") or under(errors, f"{name}.to.roles"))]
    lists = {"users": offered.users, "teams": offered.teams, "accesses": offered.accesses}
    gone = {"users": names.OTHER_USER, "teams": names.OTHER_TEAM, "accesses": names.OTHER_ACCESS}
    for part, choices in lists.items():
        known = {value for value, _label in choices}
        lost = [
            (form_values.shown(each), _(gone[part]))
            for each in chosen[part]
            if form_values.shown(each) not in known
        ]
        if choices or lost:
            made = widgets.checks(f"{name}.to.{part}", _(TO[part]), [*choices, *lost], chosen[part])
            found.append(made._replace(kind="pick", error=under(errors, f"{name}.to.{part}")))
    return found


def _text(param: Param, name: str, action: dict[str, Any], errors: Errors) -> Control:
    kind, place = param.kind, f"{name}.{param.name}"
    value, label, error = action.get(param.name), _(param.label), under(errors, place)
    if kind is ParamKind.DATA:
        return Control(
            f"{place}.lines",
            "area",
            label,
            form_parts.data_lines(value),
            error=error,
            hint=_("One on each line, as name: text"),
        )
    if kind in (ParamKind.TAGS, ParamKind.ADDRESSES):
        return Control(
            f"{place}.lines", "area", label, form_values.shown(value), error=error, hint=_("One on each line")
        )
    if kind is ParamKind.TEXT:
        return Control(place, "area", label, form_values.shown(value), limit=actions.MAX_TEXT, error=error)
    hint = _("A name of your own that begins with custom.") if kind is ParamKind.TYPE else ""
    return Control(
        place, "text", label, form_values.shown(value), limit=actions.MAX_LINE, error=error, hint=hint
    )


def _often(name: str, n: int, action: dict[str, Any], errors: Errors) -> list[Control]:
    often: list[Choice] = [
        ("always", _("Every time")),
        ("once", _("Once")),
        ("episode", _("Once while the state lasts")),
        *((str(each), _("Once in %(time)s", time=sentences.period(each))) for each in PERIODS),
    ]
    by: list[Choice] = [(str(each), _(label)) for each, label in BY.items()]
    on_error: list[Choice] = [(each, _(label)) for each, label in ON_ERROR.items()]
    made = (
        widgets.select(f"{name}.freq", _("Maximum frequency"), often, form_parts.freq(action)),
        widgets.select(f"{name}.by", _("Counted for"), by, form_parts.by(action)),
        widgets.seconds(f"{name}.delay", action.get("delay_s", 0), _("Wait before")),
        widgets.select(f"{name}.on_error", _("If it fails"), on_error, action.get("on_error", "continue")),
    )
    told = (
        under(errors, f"{name}.limit"),
        "",
        under(errors, f"{name}.delay_s"),
        under(errors, f"{name}.on_error"),
    )
    return [control._replace(error=error) for control, error in zip(made, told, strict=True)]


def _again(name: str, action: dict[str, Any], errors: Errors) -> list[Control]:
    """Return the fields of a notice that comes again until it is read."""
    place, again = f"{name}.again", form_parts.again_of(action.get("again"))
    seconds = widgets.seconds(
        f"{place}.seconds",
        again["seconds"],
        _("Again until it is read, every"),
        errors.get(place, "") or under(errors, f"{place}.seconds"),
    )
    return [seconds, _numbered(f"{place}.times", _("At most so many times"), again["times"], errors)]


def limits(definition: dict[str, Any], offered: Offered, errors: Errors) -> dict[str, list[Control]]:
    """Return the fields of the rule's own limits, by part; only the parts that its types may have."""
    fit, made = form_parts.fitting(definition["types"]), {}
    calendars = offered.calendars
    if "times" in fit:
        made["times"] = _times(definition.get("times") or {"by": "subject", "seconds": 600}, errors)
        wait = definition.get("wait") or {}
        made["wait"] = [
            widgets.seconds("wait.seconds", wait.get("seconds"), _("Wait"), under(errors, "wait.seconds")),
            _calendar("wait.calendar", wait, calendars, errors),
        ]
    if "after" in fit:
        after = definition.get("after") or {}
        made["after"] = [
            widgets.seconds(
                "after.seconds", after.get("seconds"), _("After"), under(errors, "after.seconds")
            ),
            _calendar("after.calendar", after, calendars, errors),
        ]
    if "count" in fit:
        made["count"] = _count(definition.get("count") or {}, errors)
    if "schedule" in fit:
        made["schedule"] = _schedule(definition.get("schedule") or {}, calendars, errors)
    return made


def _times(times: dict[str, Any], errors: Errors) -> list[Control]:
    by = [(str(each), _(BY[each])) for each in TIMES_BY]
    return [
        _numbered("times.number", _("Number of times"), times.get("number"), errors),
        widgets.seconds("times.seconds", times.get("seconds"), _("Within"), under(errors, "times.seconds")),
        widgets.select("times.by", _("Counted for"), by, times.get("by")),
        _numbered("times.clear", _("Again once there are at most"), times.get("clear", 0), errors),
    ]


def _count(count: dict[str, Any], errors: Errors) -> list[Control]:
    by = [(each, _(COUNTED[each])) for each in COUNT_BY]
    counted = widgets.select("count.by", _("Counted for"), by, count.get("by"))
    return [
        _numbered("count.number", _("At how many"), count.get("number"), errors),
        _numbered("count.clear", _("Again once there are at most"), count.get("clear"), errors),
        counted._replace(error=under(errors, "count.by")),
    ]


def _schedule(plan: dict[str, Any], calendars: list[Choice], errors: Errors) -> list[Control]:
    days = [(str(day), names.day_name(day)) for day in form_parts.DAYS]
    shown = ", ".join(map(form_values.shown, plan.get("at", ())))
    at = Control("schedule.at", "text", _("At"), shown, hint="08:00, 12:30")
    ticked = widgets.checks("schedule.days", _("Days"), days, plan.get("days"))
    return [
        at._replace(error=under(errors, "schedule.at")),
        ticked._replace(error=under(errors, "schedule.days")),
        _calendar("schedule.calendar", plan, calendars, errors),
    ]


def _numbered(name: str, label: str, value: Any, errors: Errors) -> Control:
    return Control(name, "number", label, form_values.shown(value), error=under(errors, name))


def _calendar(name: str, part: dict[str, Any], calendars: list[Choice], errors: Errors) -> Control:
    chosen = widgets.select(name, _("Working time"), calendars, part.get("calendar"), _("At any hour"))
    return chosen._replace(error=under(errors, name))
