"""Every text is there in every language, and none is broken; formats and sort orders by language."""

from __future__ import annotations

import re
from datetime import date

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from flask import Flask
from flask_babel import force_locale

from dashboard import i18n
from dashboard.i18n import collation, formats
from dashboard.settings import LOCALES, ROOT

KEYWORDS = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "lazy_gettext": None,
    "N_": None,
    "pgettext": ((1, "c"), 2),
}
SOURCES = (("dashboard", [("**.py", "python")]), ("templates", [("**.html", "jinja2"), ("**.txt", "jinja2")]))
TRANSLATED = [locale for locale in LOCALES if locale != "en"]
Text = tuple[str | None, str | tuple[str, ...]]  # context, message or its singular and plural
PLURALS = {"cs": 3, "ja": 1}


@pytest.fixture(scope="module")
def texts() -> set[Text]:
    """Every text that the code and the templates mark, with its context; Babel does not read f-strings."""
    within = re.compile(r"\{(?:str\()?_\('([^']+)'")
    found = (within.findall(path.read_text()) for path in (ROOT / "dashboard").rglob("*.py"))
    return {(None, text) for each in found for text in each} | {
        (context, text)
        for folder, methods in SOURCES
        for _file, _line, text, _comments, context in extract_from_dir(
            str(ROOT / folder), methods, keywords=KEYWORDS
        )
    }


def catalogue(locale: str) -> Catalog:
    with (ROOT / "locale" / locale / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=locale)


def test_extraction_finds_texts_plurals_and_contexts(texts: set[Text]) -> None:
    plural = ("%(num)d activity", "%(num)d activities")
    assert {(None, "User tracing"), (None, plural), ("verb", "Filter")} <= texts


@pytest.mark.parametrize("locale", TRANSLATED)
def test_every_text_is_translated_and_no_translation_is_unused(locale: str, texts: set[Text]) -> None:
    known = {(message.context, message.id) for message in catalogue(locale) if message.id}
    assert texts - known == set(), "not in the catalogue"
    assert known - texts == set(), "no longer in the code"


@pytest.mark.parametrize("locale", TRANSLATED)
def test_no_translation_is_empty_fuzzy_or_has_other_placeholders(locale: str) -> None:
    whole = catalogue(locale)
    for message in whole:
        if not message.id:
            continue
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(strings), message.id
        assert not message.fuzzy, message.id
        assert len(strings) == (PLURALS[locale] if message.pluralizable else 1), message.id
        assert list(message.check(whole)) == [], message.id


@pytest.mark.parametrize("label", ["Agent", "Contact", "Item", "Recipient"])
def test_a_japanese_label_that_is_also_a_heading_does_not_say_per(label: str) -> None:
    message = catalogue("ja").get(label)
    assert message is not None
    assert not str(message.string).endswith("ごと")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hovor v pondělí a v úterý", "Hovor v~pondělí a~v~úterý"),
        ("K dispozici od 8:00 do 16:00", "K~dispozici od 8:00 do 16:00"),
        ("%(num)d dní, nejvýše 15 min", "%(num)d~dní, nejvýše 15~min"),
        ("%(name)s a %(other)s", "%(name)s a~%(other)s"),
        ("do 10 000 řádků", "do 10 000~řádků"),
        ("Jana a", "Jana a"),
    ],
)
def test_czech_lines_do_not_break_after_one_letter_words_and_numbers(text: str, expected: str) -> None:
    assert i18n.no_break_spaces(text).replace(formats.NBSP, "~") == expected


def test_the_compiled_czech_catalogue_has_no_break_spaces(app: Flask) -> None:
    with app.test_request_context(), force_locale("cs"):
        texts = [text for text in i18n.catalogue()._catalog.values() if isinstance(text, str)]
    assert [text for text in texts if text != i18n.no_break_spaces(text)] == []
    assert sum(formats.NBSP in text for text in texts) > 100


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        ("en", ("Thursday 19 November 2026", "Thu 19 Nov 2026", "Thu 19", "Week 47, 16–22 Nov 2026")),
        (
            "cs",
            ("čtvrtek 19. listopadu 2026", "čt 19. 11. 2026", "čt 19. 11.", "47. týden, 16.–22. 11. 2026"),
        ),
        ("ja", ("2026年11月19日(木)", "2026年11月19日(木)", "19日(木)", "第47週、2026年11月16日～22日")),
    ],
)
def test_dates_are_formatted_by_language(app: Flask, locale: str, expected: tuple[str, ...]) -> None:
    day = date(2026, 11, 19)
    with app.test_request_context(), force_locale(locale):
        shown = (
            formats.date_long(day),
            formats.date_short(day),
            formats.day_short(day),
            formats.week_label(day),
        )
    assert tuple(text.replace(formats.NBSP, " ") for text in shown) == expected


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00:00"), (3725, "1:02:05"), (114_823, "31:53:43"), (-61, "-0:01:01"), (None, "–")],
)
def test_durations_are_hours_minutes_seconds(seconds: int | None, text: str) -> None:
    assert formats.duration(seconds) == text


@pytest.mark.parametrize(
    ("locale", "number", "share"),
    [("en", "1,283", "12.6%"), ("cs", "1 283", "12,6 %"), ("ja", "1,283", "12.6%")],
)
def test_numbers_and_percentages_are_formatted_by_language(
    app: Flask, locale: str, number: str, share: str
) -> None:
    with app.test_request_context(), force_locale(locale):
        assert formats.number(1283).replace(formats.NBSP, " ") == number
        assert formats.percent(0.12592, 1).replace(formats.NBSP, " ") == share
        assert formats.percent(None) == "–"


def test_czech_sorts_marked_letters_after_plain_ones_and_ch_after_h() -> None:
    names = ["Chalupa", "Čapek", "Cibulka", "Horák", "Ivan", "Žák", "Zeman", "Řehoř", "Rada"]
    ordered = ["Cibulka", "Čapek", "Horák", "Chalupa", "Ivan", "Rada", "Řehoř", "Zeman", "Žák"]
    assert sorted(names, key=lambda name: collation.key(name, "cs")) == ordered


def test_english_sorts_marked_letters_with_the_plain_ones() -> None:
    assert sorted(["Žák", "Adam", "Čapek"], key=collation.key) == ["Adam", "Čapek", "Žák"]


def test_a_name_is_marked_where_its_letters_show_another_language(app: Flask) -> None:
    cases = {
        "en": (
            "Jan Novak",
            '<span lang="cs">Tomáš Dvořák</span>',
            '<span lang="ja">佐藤 美咲</span>',
            "Jana Malá",
        ),
        "cs": ("Jan Novak", "Tomáš Dvořák", '<span lang="ja">佐藤 美咲</span>', "Jana Malá"),
        "ja": (
            '<span lang="">Jan Novak</span>',
            '<span lang="cs">Tomáš Dvořák</span>',
            "佐藤 美咲",
            '<span lang="">Jana Malá</span>',
        ),
    }
    for speech, shown in cases.items():
        with app.test_request_context("/"), force_locale(speech):
            names = ("Jan Novak", "Tomáš Dvořák", "佐藤 美咲", "Jana Malá")
            assert tuple(map(formats.named, names)) == shown
            assert formats.named("<b>") == (
                '<span lang="">&lt;b&gt;</span>' if speech == "ja" else "&lt;b&gt;"
            )
