"""Language and time zone of a request, and the translation catalogues behind gettext."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from flask import Flask, current_app, g, has_app_context, request, session
from flask_babel import Babel, get_locale, get_translations
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup

from dashboard.i18n import formats
from dashboard.settings import LOCALES

ROOT = Path(__file__).parents[2] / "locale"
_ONE_LETTER = re.compile(r"(?<![\w)])([kosuvzai]) (?=\S)", re.IGNORECASE)
_NUMBER = re.compile(
    r"(\d|%\(\w+\)d) (?!(?:\w|ani|až|do|je|na|nebo|od|po|se|ve|ze)\b)(?=[^\W\d_])", re.IGNORECASE
)
CACHED_TEXTS = 4096  # in three languages; the templates contain about 700


def init(app: Flask, locale: str, timezone: str) -> None:
    """Set up translation for the application; `locale` and `timezone` are the defaults of the instance."""
    compile_catalogues()

    Babel(
        app,
        default_locale=locale,
        default_timezone=timezone,
        default_translation_directories=str(ROOT),
        locale_selector=partial(choose, locale),
    )
    app.jinja_env.filters.update(formats.FILTERS)
    app.jinja_env.globals.update(_=_gettext, gettext=_gettext, ngettext=_ngettext, pgettext=_pgettext)


def catalogue() -> Any:
    """Return the catalogue of the current language, cached per request and language.

    A page translates several hundred texts; Babel's look-up costs 15 us each, this one 1 us.
    """
    locale, known = get_locale(), g.get("catalogue")
    if known is None or known[0] is not locale:
        g.catalogue = known = (locale, get_translations())
    return known[1]


@pass_eval_context
def _gettext(context: EvalContext, text: str, /, **values: Any) -> str:
    """Translate `text` in a template and fill in its placeholders; safe HTML if autoescape is on."""
    if values:
        return _fill(context, catalogue().ugettext(text), values)
    return _translated(catalogue(), None, text, bool(context.autoescape))


@pass_eval_context
def _pgettext(context: EvalContext, meaning: str, text: str, /, **values: Any) -> str:
    """Translate a text that has several meanings; `meaning` is its msgctxt in the catalogues."""
    if values:
        return _fill(context, catalogue().upgettext(meaning, text), values)
    return _translated(catalogue(), meaning, text, bool(context.autoescape))


@pass_eval_context
def _ngettext(context: EvalContext, one: str, many: str, num: int, /, **values: Any) -> str:
    return _fill(context, catalogue().ungettext(one, many, num), {"num": num, **values})


@lru_cache(CACHED_TEXTS)
def _translated(translations: Any, meaning: str | None, text: str, safe: bool) -> str:
    """Return the translation of a text without values; a page contains about a hundred, always the same."""
    result = translations.ugettext(text) if meaning is None else translations.upgettext(meaning, text)
    result = Markup(result) if safe else result  # noqa: S704  texts of our own catalogues
    return result % {} if "%" in result else result


def _fill(context: EvalContext, text: str, values: dict[str, Any]) -> str:
    safe = Markup(text) if context.autoescape else text  # noqa: S704  texts of our own catalogues
    return safe % values if values or "%" in text else safe


def choose(default: str) -> str:
    """Return the language of this request: that of the session, the user, the browser, or `default`."""
    if session.get("locale") in LOCALES:
        return str(session["locale"])
    user = g.get("user")
    if user is not None and user.locale in LOCALES:
        return str(user.locale)
    return request.accept_languages.best_match(list(LOCALES), default) if request else default


def no_break_spaces(text: str) -> str:
    """Return a Czech text with no-break spaces after one-letter words and between a number and its noun."""
    text = _ONE_LETTER.sub(rf"\1{formats.NBSP}", text)
    return _NUMBER.sub(rf"\1{formats.NBSP}", text)


def zone() -> str:
    """Return the zone that pages use when the address names none: the user's, else the instance's."""
    user = g.get("user")
    chosen = user.timezone if user is not None else ""
    return str(chosen or current_app.config["STOPA"].timezone)


def site_locale() -> str:
    """Return the site's language; English outside an application."""
    return str(current_app.config["STOPA"].locale) if has_app_context() else "en"


def site_zone() -> str:
    """Return the site's zone; UTC outside an application."""
    return str(current_app.config["STOPA"].timezone) if has_app_context() else "UTC"


def compile_catalogues() -> None:
    """Compile each .mo file that is missing or older than its .po file (about 25 ms a file).

    Doing it at start makes a separate build step unnecessary.
    """
    for po in ROOT.glob("*/LC_MESSAGES/messages.po"):
        mo = po.with_suffix(".mo")
        if mo.exists() and mo.stat().st_mtime >= po.stat().st_mtime:
            continue
        with po.open("rb") as source:
            catalogue = read_po(source, locale=po.parents[1].name)
        if po.parents[1].name == "cs":
            for message in catalogue:
                if isinstance(message.string, str):
                    message.string = no_break_spaces(message.string)
                elif message.string:
                    message.string = tuple(no_break_spaces(text) for text in message.string)
        part = mo.with_suffix(f".{id(catalogue)}.tmp")
        with part.open("wb") as target:
            write_mo(target, catalogue)
        part.replace(mo)


@lru_cache(maxsize=8)
def translator(locale: str) -> Callable[[str], str]:
    """Return the function that translates texts into `locale`; English if there is no catalogue."""
    compile_catalogues()
    found: Callable[[str], str] = Translations.load(str(ROOT), [locale]).ugettext
    return found
