"""The options, actions and limits of a typed rule as fields of the form, by their declared kinds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from flask_babel import gettext as _

from dashboard.i18n.message import N_
from dashboard.pages.ruleeditor import codec, form_values, widgets
from dashboard.pages.ruleeditor.queries import Choice, Offered
from dashboard.pages.ruleeditor.typed_rule import Action, TypedDefinition
from dashboard.pages.ruleeditor.widgets import Control, Errors, Option, under
from dashboard.rulelang import declared, values
from dashboard.rulelang.actions import ACTIONS, COMMON, MAX_LINE, Recipients, RoleNames
from dashboard.rulelang.rate_limits import BY, OFTEN, PERIODS, Frequency, Often
from dashboard.rulelang.subjects import ROLES
from dashboard.rulelang.triggers import OPTIONS, fitting
from dashboard.rulelang.validation import ROOT, ErrorPath
from dashboard.rulelang.values import (
    CalendarName,
    ChannelId,
    CustomType,
    EventTypes,
    Group,
    Ids,
    Kind,
    Part,
    Seconds,
    TemplatesByName,
    Text,
    Weekdays,
    Whole,
    YesNo,
)
from dashboard.ruletext import names, sentences

ONE_A_LINE = N_("One on each line")
HINTS: Mapping[type[Kind], str] = {
    values.Texts: ONE_A_LINE,
    values.Addresses: ONE_A_LINE,
    TemplatesByName: N_("One on each line, as name: text"),
    CustomType: N_("A name of your own that begins with custom."),
}


class Filled(NamedTuple):
    """A text of an action with placeholders, and how it reads for the latest event."""

    control: Control
    preview: str | None


class ActionRow(NamedTuple):
    """An action. `beside` are in its first line, `texts` below, `to` are lists of recipients to tick."""

    n: int
    name: str
    does: list[Option]
    beside: Control | None
    to: list[Control]
    texts: list[Filled]
    checks: list[Control]
    often: list[Control]
    errors: list[str]
    first: bool
    last: bool


def rows(
    definition: TypedDefinition, offered: Offered, errors: Errors, preview: dict[str, str]
) -> list[ActionRow]:
    """Return the actions as rows; `preview` has rendered texts by path ("then.0.title")."""
    done = definition["then"]
    return [_row(n, action, len(done), offered, errors, preview) for n, action in enumerate(done)]


def _row(
    n: int, action: Action, count: int, offered: Offered, errors: Errors, preview: dict[str, str]
) -> ActionRow:
    name, do = ROOT / "then" / n, str(action.get("do", ""))
    row = ActionRow(n, name, _does(do, offered), None, [], [], [], [], [], n == 0, n == count - 1)
    row.errors.extend(text for path in (name / "do", name) if (text := errors.get(path)))
    repeated: list[Control] = []
    for part in codec.params_of(action):
        made = controls(part, name, action.get(part.name), offered, errors)
        if isinstance(part.kind, ChannelId):
            row = row._replace(beside=made[0])
        elif isinstance(part.kind, Recipients):
            row.to.extend(made)
        elif isinstance(part.kind, YesNo):
            row.checks.extend(made)
        elif isinstance(part.kind, Group):
            repeated.extend(made)
        else:
            row.texts.append(Filled(made[0], preview.get(name / part.name)))
    for part in COMMON:
        row.often.extend(controls(part, name, action.get(part.name, part.default), offered, errors))
    row.often.extend(repeated)
    return row


def _does(do: str, offered: Offered) -> list[Option]:
    does = [
        Option(each.name, _(each.label), each.name == do)
        for each in ACTIONS.values()
        if each.permission is None or offered.outward or each.name == do
    ]
    return does if do in ACTIONS else [Option(do, do or _("Choose an action"), True), *does]


def options(definition: TypedDefinition, offered: Offered, errors: Errors) -> dict[str, list[Control]]:
    """Return the fields of the rule's options, by option; only those that its types may have."""
    made: dict[str, list[Control]] = {}
    for name in fitting(definition["types"]):
        option = OPTIONS[name]
        typed: dict[str, Any] = cast(Mapping[str, Any], definition).get(name) or {}
        given = typed or ({} if option.needed else option.proposal)
        made[name] = [
            control
            for part in declared.parts(option.cls)
            if not isinstance(part.kind, EventTypes)
            for control in controls(part, ROOT / name, given.get(part.name), offered, errors)
        ]
    return made


def controls(part: Part, prefix: ErrorPath, value: Any, offered: Offered, errors: Errors) -> list[Control]:
    """Return the fields of a part of the object at `prefix`, with its errors."""
    place, name = prefix / part.name, codec.field_name(prefix, part)
    if isinstance(part.kind, Frequency):
        return _frequency(prefix, value, under(errors, place))
    if not isinstance(part.kind, Group):
        made = control(part, name, value, offered)
        return [made._replace(error=under(errors, place))] if made else []
    given = value if isinstance(value, dict) else {}
    found = [
        each
        for member in part.kind.parts()
        for each in controls(member, place, given.get(member.name), offered, errors)
    ]
    if errors.get(place):
        found[0] = found[0]._replace(error=errors[place])
    return found


def control(part: Part, name: str, value: Any, offered: Offered) -> Control | None:
    """Return the field of a part of a simple kind; None for a list with nothing to choose."""
    kind, label = part.kind, _(part.label)
    if isinstance(kind, Seconds):
        return widgets.seconds(name, value, label)
    if isinstance(kind, Whole):
        return Control(name, "number", label, form_values.shown(value))
    if isinstance(kind, YesNo):
        return Control(name, "check", label, "1" if value else "")
    if isinstance(kind, values.Choice):
        choices = [(str(each), _(text)) for each, text in kind.choices.items()]
        return widgets.select(name, label, choices, value)
    if isinstance(kind, CalendarName):
        return widgets.select(name, label, offered.calendars, value, _("At any hour"))
    if isinstance(kind, Weekdays):
        days = [(str(day), names.day_name(day)) for day in values.EVERY_DAY]
        return widgets.checks(name, label, days, value)
    if isinstance(kind, RoleNames):
        return widgets.checks(name, label, [(str(role), _(ROLES[role])) for role in kind.allowed], value)
    if isinstance(kind, Ids):
        return _ids(kind, name, label, value, offered)
    if isinstance(kind, ChannelId):
        return _channel(kind, name, label, value, offered)
    return _typed(part, name, label, value)


def _typed(part: Part, name: str, label: str, value: Any) -> Control:
    """Return the text field, of several lines or one, of a part whose value is typed."""
    kind = part.kind
    by_line = isinstance(kind, (*codec.BY_LINE, TemplatesByName))
    hint = _(part.hint) if part.hint else (_(HINTS[type(kind)]) if type(kind) in HINTS else "")
    area = by_line or (isinstance(kind, Text) and kind.lines)
    return Control(
        f"{name}.lines" if by_line else name,
        "area" if area else "text",
        label,
        codec.typed_text(kind, value),
        hint=hint,
        limit=kind.most if isinstance(kind, Text) else MAX_LINE,
    )


def _ids(kind: Ids, name: str, label: str, value: Any, offered: Offered) -> Control | None:
    """Return the people, teams or accesses to tick; those chosen that are not offered stay."""
    choices = offered.of(kind.reference)
    known = {ident for ident, _label in choices}
    chosen = form_values.entries(value)
    shown = (form_values.shown(each) for each in chosen)
    lost = [(each, _(names.OTHER[kind.reference])) for each in shown if each not in known]
    if not choices and not lost:
        return None
    return widgets.checks(name, label, [*choices, *lost], chosen)._replace(kind="pick")


def _channel(kind: ChannelId, name: str, label: str, value: Any, offered: Offered) -> Control:
    choices: list[Choice] = [(ident, text) for ident, text, each in offered.channels if each == kind.channel]
    none = _("Choose a channel") if choices else _("No channel of this kind yet")
    empty = _(kind.without) if kind.without else none
    chosen = form_values.shown(value)
    if chosen and chosen not in {ident for ident, _label in choices}:
        named = {ident: text for ident, text, _kind in offered.channels}
        choices.append((chosen, named.get(chosen) or _(names.OTHER_CHANNEL)))
    return widgets.select(name, label, choices, chosen, empty)


def _frequency(prefix: str, limit: Any, error: str) -> list[Control]:
    """Return how often an action may be done, and for what that is counted."""
    often = [(str(each), _(label)) for each, label in OFTEN.items() if each is not Often.PERIOD]
    often += [(str(each), _(OFTEN[Often.PERIOD], time=sentences.period(each))) for each in PERIODS]
    counted = [(str(each), _(label)) for each, label in BY.items()]
    return [
        widgets.select(f"{prefix}.freq", _("Maximum frequency"), often, codec.frequency(limit))._replace(
            error=error
        ),
        widgets.select(f"{prefix}.by", _("Counted per"), counted, codec.counted_for(limit)),
    ]
