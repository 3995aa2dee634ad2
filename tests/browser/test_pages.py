"""What holds for every page: it fits, it has a name, it speaks the reader's language."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

import pytest
from axe_playwright_python.sync_playwright import Axe
from babel.messages.pofile import read_po

from dashboard.pages.settings.channels.forms import SERVICES
from dashboard.settings import ROOT
from tests.browser.places import PLACES
from tests.browser.rounds import AXE, IDS, VIEWS, Rounds, Visit
from tests.browser.window import Open, Site, View

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]")
JAPANESE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
WORD = re.compile(r"[A-Za-zÀ-ž]{3,}")
PATH = re.compile(r"(?<!\S)(?:/[\w.-]+){2,}")  # of a file
# Names and signs that are the same in every language.
FOREIGN = {"Stopa", "English", "Čeština", "UTC", "Europe", "Prague", "light", "SQLite"}
# Leaves only lines with a link, each figure "0"; returns how many lines with a link are neighbours.
SHORTEN = """() => {
  for (const line of document.querySelectorAll(".ln:not(:has(a))")) line.remove();
  for (const link of document.querySelectorAll(".ln a")) link.textContent = "0";
  return document.querySelectorAll(".ln + .ln, .ln:has(+ .ln)").length;
}"""
every_view = pytest.mark.parametrize("view", VIEWS, ids=str)


def test_the_answer_is_the_expected_one_and_the_browser_has_nothing_to_say(visit: Visit) -> None:
    assert (visit.status, visit.problems) == (visit.place.status, [])


def test_axe_finds_nothing(visit: Visit) -> None:
    """WCAG 2.2 A and AA, best practices, sizes of targets."""
    assert visit.violations == []


@every_view
def test_links_of_the_statistics_keep_their_distance_when_the_figures_are_short(
    view: View, open_as: Open
) -> None:
    """WCAG 2.5.8: nothing but the lines' height keeps two links apart whose figures have one digit."""
    tab = open_as("admin", view)
    tab.go(PLACES["week"].path)
    assert tab.page.evaluate(SHORTEN) >= 2
    found = Axe().run(tab.page, context={"include": [".stats"]}, options=AXE).response["violations"]
    assert [node["html"] for rule in found for node in rule["nodes"]] == []


def test_nothing_scrolls_the_page_sideways_and_no_text_is_cut(visit: Visit) -> None:
    assert (visit.wider, visit.cut) == (0, [])


def test_the_language_is_named_and_headings_go_down_one_by_one(visit: Visit) -> None:
    assert visit.lang == visit.view.locale
    assert visit.headings[0] == 1
    assert visit.headings.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(visit.headings, visit.headings[1:], strict=False))


@every_view
def test_pages_that_differ_have_titles_that_differ(view: View, rounds: Rounds) -> None:
    one_title = {
        "24 hours",
        "60 minutes",
        "15 minutes",
        "5 minutes",
        "list without rows",
        "users not found",
        "rules in their order",
        "rules not found",
        "employee rules",
        "retention, shorter",
        "runs not found",
        "new report of rows",
        "connector as text",
        "connector with its sample",
        "co-browsing session without steps",
        "visitors, filtered",
    }
    alone = [
        name
        for name in PLACES
        if not re.search("errors|refused|signed out|home of|agent|of a( team)? lead|fault", name)
    ]
    titles = Counter(rounds.title(name, view) for name in alone if name not in one_title)
    assert [title for title, count in titles.items() if count > 1] == []
    assert all(title.endswith(" · Stopa") for title in titles)


def test_no_text_has_stayed_english(translated_visit: Visit, site: Site) -> None:
    texts, locale, own = translated_visit.texts, translated_visit.view.locale, data_texts(site)
    page = "\n".join(texts)
    long = sorted((one for one in own if len(one) > 10 and one in page), key=len, reverse=True)
    assert [text for text in texts if text not in own and english(locale, without(text, long))] == []


def test_a_japanese_page_has_no_latin_words_but_names(japanese_visit: Visit, site: Site) -> None:
    named = " ".join(f"{each.label} {each.example}" for each in SERVICES.values())
    known = FOREIGN | words(f"{named} {' '.join(data_texts(site))}") | words(" ".join(translated("ja")))
    texts = [PATH.sub("", text) for text in japanese_visit.texts]
    assert [text for text in texts if not (JAPANESE.search(text) or words(text) <= known)] == []


@every_view
def test_the_icon_is_there(view: View, site: Site, rounds: Rounds) -> None:
    icons = {rounds.visit(name, view).icon for name in rounds.pages(view)}
    assert len(icons) == 1
    assert site.running.get(icons.pop()) == 200


def words(text: str) -> set[str]:
    return set(WORD.findall(text))


def without(text: str, typed: list[str]) -> str:
    """Return a text with what people have typed taken out: a rule's name inside a sentence."""
    for each in typed:
        text = text.replace(each, "…")
    return text


def data_texts(site: Site) -> set[str]:
    """Return what people have typed, which no catalogue translates."""
    tables = {
        "user": ("name", "login", "email"),
        "queue": ("label", "name"),
        "visit": ("url", "first_url"),
        "pause_type": ("label", "name"),
        "team": ("name",),
        "contact": ("name", "email"),
        "activity": ("title",),
        "source": ("name",),
        "api_key": ("name", "prefix"),
        "interaction": ("external_id",),
        "export_file": ("name",),
        "rule": ("name", "description"),
        "rule_group": ("name",),
        "notification": ("title", "body"),
        "calendar": ("name",),
        "calendar_day": ("name",),
        "profile": ("name",),
        "dashboard": ("name",),
        "tile": ("title",),
        "schedule": ("name",),
        "event": ("type",),
        "cobrowse_session": ("external_id", "page"),
        "cobrowse_step": ("element", "page"),
        "audit_entry": ("target_label",),  # in the language of whoever acted
    }
    columns = [(table, column) for table, names in tables.items() for column in names]
    parts = [f"SELECT external_id FROM event WHERE id = ({IDS['event']})"]
    parts += [f'SELECT "{column}" FROM "{table}"' for table, column in columns]
    return {row[0] for row in site.find(" UNION ".join(parts)) if row[0]}


@cache
def translated(locale: str) -> frozenset[str]:
    return frozenset(theirs for _ours, theirs in texts(locale))


@cache
def texts(locale: str) -> tuple[tuple[str, str], ...]:
    """Return the pairs of an English text and its translation, plural forms one by one."""
    with (ROOT / "locale" / locale / "LC_MESSAGES" / "messages.po").open("rb") as file:
        pairs = [
            (ours, theirs)
            for message in read_po(file, locale=locale)
            if message.id
            for ours in ([message.id] if isinstance(message.id, str) else message.id)
            for theirs in ([message.string] if isinstance(message.string, str) else message.string)
        ]
    return tuple(pairs)


@cache
def said_otherwise(locale: str) -> tuple[frozenset[str], tuple[tuple[str, re.Pattern[str]], ...]]:
    """Return the English texts that this language says otherwise, and those with values.

    Of a text with values: its longest part between two values, and what matches it with any values. Nearly
    every text lacks the part, which is looked for a hundred times faster than the whole.
    """
    same = {theirs for _ours, theirs in texts(locale)}
    ours = {
        ours for ours, _theirs in texts(locale) if ours not in same and WORD.search(PLACEHOLDER.sub("", ours))
    }
    parts = (PLACEHOLDER.split(one) for one in sorted(ours) if PLACEHOLDER.search(one))
    valued = ((max(pieces, key=len), re.compile(".+".join(map(re.escape, pieces)))) for pieces in parts)
    return frozenset(ours), tuple(valued)


@cache
def english(locale: str, text: str) -> bool:
    whole, valued = said_otherwise(locale)
    return text in whole or any(part in text and form.fullmatch(text) for part, form in valued)
