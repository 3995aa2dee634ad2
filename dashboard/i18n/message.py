"""Translatable messages, which are rendered where the reader's language is known. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from typing import Any, NamedTuple


class Message(NamedTuple):
    """A marked text and the values of its placeholders. Values that are messages are translated too."""

    text: str
    params: tuple[tuple[str, str | int | Message], ...] = ()

    def render(self, translate: Callable[[str], str] = str) -> str:
        """Return the message translated by `translate` (gettext); in English by default."""
        words = translate(self.text)
        if not self.params:
            return words
        return words % {
            name: value.render(translate) if isinstance(value, Message) else value
            for name, value in self.params
        }

    def as_json(self) -> dict[str, Any]:
        """Return the message as JSON values, of which `from_json` makes it again."""
        params = {
            name: value.as_json() if isinstance(value, Message) else value for name, value in self.params
        }
        return {"text": self.text, "params": params}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Message:
        """Return the message that `as_json` stored."""
        params = raw.get("params", {}).items()
        return cls(
            raw["text"],
            tuple((name, cls.from_json(each) if isinstance(each, dict) else each) for name, each in params),
        )


Errors = dict[str, Message]  # by field


def message(text: str, **params: str | int | Message) -> Message:
    """Return a message; `params` are the values of the named placeholders."""
    return Message(text, tuple(params.items()))


def N_(text: str) -> str:  # noqa: N802 - the conventional name for gettext extractors
    """Mark `text` for extraction into the catalogues and return it unchanged."""
    return text


LIST = N_("%(first)s, %(second)s")


def listed(parts: Iterable[str | Message]) -> str | Message:
    """Return the parts as a list with the commas of the reader's language; "" without parts."""
    first, *others = [*parts] or [""]
    return reduce(lambda before, part: message(LIST, first=before, second=part), others, first)


# Messages of validation that forms, rules and the API have in common.
NOT_WHOLE = N_("Enter a whole number from %(least)s to %(most)s.")
NOT_CLEAN = N_("Remove control characters.")
INVISIBLE = N_("Remove the invisible character %(code)s.")
