"""Choice of language and zone, and the catalogues behind gettext."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask, g, request, session
from flask_babel import Babel, get_translations
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup

from dashboard.i18n import formats

LOCALES = {"en": "English", "cs": "Čeština", "ja": "日本語"}
ROOT = Path(__file__).parents[2] / "locale"
TEXTS_KEPT = 4096  # of three languages; the templates hold some 700


def init(app: Flask, locale: str, timezone: str) -> None:
    """Give the app its languages: the user's, else the browser's choice, else the instance's."""
    compile_catalogues()

    def chosen() -> str:
        return choose(locale)

    Babel(
        app,
        default_locale=locale,
        default_timezone=timezone,
        default_translation_directories=str(ROOT),
        locale_selector=chosen,
    )
    app.jinja_env.filters.update(formats.FILTERS)
    app.jinja_env.globals.update(_=_one, gettext=_one, ngettext=_many)


def catalogue() -> Any:
    """Return the catalogue of the language in force, looked up once a request and language.

    A page says several hundred texts; Babel's own look-up costs 15 us each, this one 1 us.
    """
    state = getattr(g, "_flask_babel", None)
    known = getattr(state, "catalogue", None)
    if known is None or known[0] is not getattr(state, "babel_locale", None):
        found = get_translations()  # chooses the language too
        g._flask_babel.catalogue = known = (g._flask_babel.babel_locale, found)
    return known[1]


@pass_eval_context
def _one(context: EvalContext, text: str, /, **values: Any) -> str:
    """What `_()` says in templates: translated, the values put in, safe when the template escapes."""
    if values:
        return _filled(context, catalogue().ugettext(text), values)
    return _said(catalogue(), text, bool(context.autoescape))


@lru_cache(TEXTS_KEPT)
def _said(translations: Any, text: str, safe: bool) -> str:
    """Return a text without values, translated; a page says a hundred of them, always the same."""
    said = translations.ugettext(text)
    said = Markup(said) if safe else said  # noqa: S704  texts of our own catalogues
    return said % {} if "%" in said else said


@pass_eval_context
def _many(context: EvalContext, one: str, many: str, num: int, /, **values: Any) -> str:
    return _filled(context, catalogue().ungettext(one, many, num), {"num": num, **values})


def _filled(context: EvalContext, text: str, values: dict[str, Any]) -> str:
    safe = Markup(text) if context.autoescape else text  # noqa: S704  texts of our own catalogues
    return safe % values if values or "%" in text else safe


def choose(default: str) -> str:
    """Return the language of this request: what was chosen on this browser, the user's own, the browser's."""
    if session.get("locale") in LOCALES:
        return str(session["locale"])
    user = g.get("user")
    if user is not None and user.locale in LOCALES:
        return str(user.locale)
    return request.accept_languages.best_match(list(LOCALES), default) if request else default


def compile_catalogues() -> None:
    """Write each .mo that is missing or older than its .po (about 25 ms a file): no setup step,
    and never silently English."""
    for po in ROOT.glob("*/LC_MESSAGES/messages.po"):
        mo = po.with_suffix(".mo")
        if mo.exists() and mo.stat().st_mtime >= po.stat().st_mtime:
            continue
        with po.open("rb") as source:
            catalogue = read_po(source, locale=po.parents[1].name)
        part = mo.with_suffix(f".{id(catalogue)}.tmp")
        with part.open("wb") as target:
            write_mo(target, catalogue)
        part.replace(mo)
