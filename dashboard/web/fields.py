"""Form fields of the resource pages, on WTForms: parsing, validation and one message for each problem.

Labels, hints and option labels are marked with N_ and translated when the macro `control` of ui/forms.html
draws the field. WTForms' own translations are off. A field that a request leaves out is empty, never its
stored value; browsers do not send unticked boxes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any
from zoneinfo import available_timezones

import wtforms
from flask_babel import gettext as _
from wtforms.validators import ValidationError

from dashboard import clock
from dashboard.i18n import formats
from dashboard.i18n.message import N_
from dashboard.web import forms

Option = tuple[Any, str]


class Field(wtforms.Field):
    """Base of all fields; `element` names the macro that draws it."""

    element = "field"

    def __init__(
        self,
        label: str,
        *,
        hint: str = "",
        required: bool = False,
        attrs: Mapping[str, Any] | None = None,
        element: str = "",
        input_type: str = "text",
        **options: Any,
    ) -> None:
        super().__init__(label, **options)
        self.element, self.input_type = element or self.element, input_type
        self.hint = _(hint) if hint else ""
        self.required = required
        self.attrs = dict(attrs or {})

    @property
    def caption(self) -> str:
        return str(_(self.label.text))

    @property
    def error(self) -> str | None:
        return self.errors[0] if self.errors else None

    @property
    def value(self) -> Any:
        """The value as the element shows it: after a failed validation, what was typed."""
        return self.data

    def process_formdata(self, valuelist: list[Any]) -> None:
        self.data = str(valuelist[0]).strip() if valuelist else ""


class TextLine(Field):
    """One line of text without control characters, of at most `most` characters.

    `needed` refuses an empty one; `required` tells the browser so, too. `fits` says whether a text is one of
    those meant, and `problem` is the marked message for any other. `suggest` returns texts that the browser
    offers.
    """

    def __init__(
        self,
        label: str,
        most: int,
        *,
        needed: bool = True,
        required: bool | None = None,
        attrs: Mapping[str, Any] | None = None,
        fits: Callable[[str], object] | None = None,
        problem: str = "",
        suggest: Callable[[], Iterable[str]] | None = None,
        **options: Any,
    ) -> None:
        attrs = {"maxlength": most, "autocomplete": "off", **(attrs or {})}
        super().__init__(label, required=needed if required is None else required, attrs=attrs, **options)
        self.most, self.needed, self.fits, self.problem = most, needed, fits, problem
        self.suggestions = suggest() if suggest is not None else ()
        if suggest is not None:
            self.attrs["list"] = f"l-{self.name}"

    def process_data(self, value: Any) -> None:
        self.data = value or ""

    def pre_validate(self, form: wtforms.form.BaseForm) -> None:
        problem = forms.line_problem(self.data, self.most, self.needed)
        if problem is None and self.data and self.fits is not None and not self.fits(self.data):
            problem = self.problem
        if problem is not None:
            raise ValidationError(_(self.problem) if self.problem else problem)


def time_zone(label: str, **options: Any) -> TextLine:
    """Return a field for the name of a time zone such as Europe/Prague."""
    problem = N_("Choose a time zone from the list, such as Europe/Prague.")
    return TextLine(label, 64, fits=_is_zone, problem=problem, suggest=zone_names, **options)


def _is_zone(name: str) -> bool:
    try:
        clock.zone(name)
    except ValueError:
        return False
    return True


@cache
def zone_names() -> list[str]:
    """Return the names of time zones to offer; reading the zone database takes 25 ms."""
    return sorted(name for name in available_timezones() if "/" in name or name == "UTC")


class WriteOnly(Field):
    """A text that is stored and never shown; an empty field keeps what is stored."""

    @property
    def value(self) -> Any:
        return ""

    def process_data(self, value: Any) -> None:
        self.data = ""


class Password(WriteOnly):
    """A password: every character counts, also blanks at its ends."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        self.data = str(valuelist[0]) if valuelist else ""


class WholeNumber(Field):
    """A whole number from `least` to `most` in ASCII digits; None when it may be left empty and is."""

    def __init__(self, label: str, least: int, most: int, *, needed: bool = True, **options: Any) -> None:
        attrs = {"inputmode": "numeric", "maxlength": len(str(most))}
        super().__init__(label, required=needed, attrs=attrs, **options)
        self.least, self.most, self.needed = least, most, needed

    @property
    def value(self) -> Any:
        return self.raw_data[0].strip() if self.raw_data else self.data

    def process_formdata(self, valuelist: list[Any]) -> None:
        typed = valuelist[0].strip() if valuelist else ""
        self.data = forms.whole(typed, self.least, self.most)
        if self.data is None and (typed or self.needed):
            raise ValueError(forms.whole_problem(self.least, self.most))


class Duration(WholeNumber):
    """Seconds from `least` to `most`, shown as h:mm:ss, and typed so, as m:ss or as a number."""

    def __init__(self, label: str, least: int, most: int, **options: Any) -> None:
        super().__init__(label, least, most, **options)
        self.attrs["maxlength"] = len(formats.duration(most))

    @property
    def value(self) -> Any:
        return super().value if self.raw_data or self.data is None else formats.duration(self.data)

    def process_formdata(self, valuelist: list[Any]) -> None:
        parts = valuelist[0].strip().split(":") if valuelist else [""]
        numbers = [forms.whole(part, 0, self.most) for part in parts]
        whole = len(parts) <= 3 and all(each is not None for each in numbers)
        within_minute = all(number < 60 for number in numbers[1:] if number is not None)
        total = sum(
            number * 60**place for place, number in enumerate(reversed(numbers)) if number is not None
        )
        self.data = total if whole and within_minute and self.least <= total <= self.most else None
        if self.data is None and (any(parts) or self.needed):
            raise ValueError(
                _(
                    "Enter a duration from %(least)s to %(most)s, such as 0:00:20, or a number of seconds.",
                    least=formats.duration(self.least),
                    most=formats.duration(self.most),
                )
            )


class Choice(Field):
    """One of `choices`, (value, marked label) pairs or a mapping; a stored value stays allowed.

    `problem` is the marked message for any other value.
    """

    element = "select"

    def __init__(
        self, label: str, choices: Mapping[str, str] | Iterable[Option] = (), *, problem: str, **options: Any
    ) -> None:
        super().__init__(label, **options)
        pairs = choices.items() if isinstance(choices, Mapping) else choices
        self.options: list[Option] = [(value, _(text)) for value, text in pairs]
        self.problem = problem

    def post_process(self, formdata: Any = None) -> None:
        if self.object_data and self.object_data not in {value for value, _text in self.options}:
            self.options.append((self.object_data, self.object_data))

    def pre_validate(self, form: wtforms.form.BaseForm) -> None:
        if self.data not in {value for value, _text in self.options}:
            raise ValidationError(_(self.problem))


class ChoiceOfId(Field):
    """An id of `options`, (id, name) pairs set by the form, or None for the empty option `none`."""

    element = "select"

    def __init__(self, label: str, *, none: str, problem: str, **options: Any) -> None:
        super().__init__(label, **options)
        self.options: list[Option] = []
        self.none, self.problem = none, problem

    def offer(self, options: Iterable[Sequence[Any]]) -> None:
        self.options = [("", _(self.none)), *((each[0], each[1]) for each in options)]

    @property
    def value(self) -> Any:
        return self.data or ""

    def process_formdata(self, valuelist: list[Any]) -> None:
        typed = valuelist[0].strip() if valuelist else ""
        self.data = (forms.whole(typed, 1, forms.ID_MAX) or 0) if typed else None

    def pre_validate(self, form: wtforms.form.BaseForm) -> None:
        if self.data is not None and self.data not in {value for value, _text in self.options}:
            raise ValidationError(_(self.problem))


class Check(Field):
    """A tick box: True when it was sent."""

    element = "check"

    def process_data(self, value: Any) -> None:
        self.data = bool(value)

    def process_formdata(self, valuelist: list[Any]) -> None:
        self.data = bool(valuelist and valuelist[0])


class Ids(Field):
    """The ids that were ticked among many; what could be no id is left out."""

    def process_data(self, value: Any) -> None:
        self.data = frozenset(value or ())

    def process_formdata(self, valuelist: list[Any]) -> None:
        self.data = forms.ids(valuelist)


class Version(Field):
    """The version of the row that the form was made from; 0 for a new row or none."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        self.data = forms.whole(valuelist[0] if valuelist else "", 1, forms.ID_MAX) or 0


class Form(wtforms.Form):
    """A form of a resource page. Its fields are the columns that it sets."""

    class Meta(wtforms.meta.DefaultMeta):
        locales = False

    version = Version("", default=0)

    @property
    def body(self) -> list[Any]:
        """The fields that a person fills in."""
        return [self[name] for name in self.names]

    @property
    def names(self) -> list[str]:
        """The attributes that hold these fields."""
        return [name for name in self._fields if name != "version"]

    @property
    def problems(self) -> dict[str, str]:
        """The first error of each field by the field's name in HTML; "" is the form itself."""
        found = {field.name: field.errors[0] for field in self if field.errors}
        return found | ({"": self.form_errors[0]} if self.form_errors else {})

    def values(self) -> dict[str, Any]:
        """Return the columns to store; only for a form without errors."""
        return {name: self[name].data for name in self.names}

    def reject(self, name: str, problem: str) -> None:
        """Add an error to a field, or to the whole form when `name` is empty or no field."""
        errors = self[name].errors if name in self else self.form_errors
        errors.append(problem)  # type: ignore[attr-defined]


class NamedForm(Form):
    """A form with the fields `name` and `label`: a label left empty is the name."""

    def post_process(self, formdata: Any = None) -> None:
        super().post_process(formdata)  # type: ignore[misc]  # the stubs do not know it
        if formdata is not None and not self["label"].data:
            self["label"].data = self["name"].data
