"""Who comes from SmarterTrack or Tracardi finds every type of theirs, as the norm maps them."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

from dashboard import catalog
from tests.catalog.equivalents import EQUIVALENTS

NORM = Path(__file__).parents[2].parent / "shared" / "spec" / "rules.md"
NOT_NAMES = ("ours", "Chatvisor; optional pack", "")
# Manager activities and co-browsing events of Chatvisor's audit log, as the norm names them.
CHATVISOR = (
    *("call.started", "chat.message_sent", "cobrowse.joined", "agent.signed_in", "chat.status_changed"),
    *("agent.availability_changed", "user.role_changed", "role.permissions_changed"),
    *("system.plugin_changed", "system.settings_changed"),
    *("meeting.changed", "meeting.joined", "meeting.recording_started"),
    *("cobrowse.clicked", "cobrowse.scrolled", "cobrowse.form_sent", "cobrowse.input_changed"),
    *("cobrowse.page_changed", "cobrowse.selected", "cobrowse.custom"),
)


class Row(NamedTuple):
    """A row of the norm: names of ours, and what stands under the other two products."""

    names: list[str]
    smartertrack: str
    tracardi: str


def names_of(cell: str) -> list[str]:
    """Return the types of a cell such as `room.joined / left` or `contact.card_added / removed`."""
    found: list[str] = []
    for word in re.findall(r"[a-z_]+(?:\.[a-z_*]+)?", without_brackets(cell).partition(", data.")[0]):
        if word in ("and", "other"):
            continue
        if "." in word:
            found.append(word)
            continue
        whole = f"{found[-1].partition('.')[0]}.{word}"
        ending = f"{found[-1].rpartition('_')[0]}_{word}"
        found.append(ending if catalog.find(whole) is None and catalog.find(ending) is not None else whole)
    return found


def without_brackets(cell: str) -> str:
    return re.sub(r"\([^)]*\)", "", cell).strip()


def rows() -> list[Row]:
    if not NORM.exists():
        return []
    part = NORM.read_text().partition("### 6.3")[2].partition("\n## 7")[0]
    lines = [line.split("|")[1:4] for line in part.splitlines() if line.startswith("|")]
    return [Row(names_of(ours), without_brackets(st), without_brackets(tr)) for ours, st, tr in lines[2:]]


ROWS = [pytest.param(row, id=row.names[0]) for row in rows()]
needs_norm = pytest.mark.skipif(not ROWS, reason="the norm is not on this machine")


@needs_norm
def test_reference_table_is_read():
    assert len(ROWS) >= 70
    assert sum(len(param.values[0].names) for param in ROWS) >= 220


@needs_norm
@pytest.mark.parametrize("row", ROWS)
def test_every_type_of_the_reference_table_is_in_the_catalogue(row):
    for name in row.names:
        if name.endswith(".*"):
            assert any(known.startswith(name[:-1]) for known in catalog.CATALOG)
        else:
            assert catalog.find(name) is not None, name


@needs_norm
@pytest.mark.parametrize("row", ROWS)
def test_equivalents_match_the_reference_table(row):
    for name in row.names:
        if name.endswith(".*"):
            continue
        theirs = EQUIVALENTS.get(catalog.find(name).name)
        assert bool(theirs and theirs.smartertrack) == (row.smartertrack not in NOT_NAMES), name
        assert bool(theirs and theirs.tracardi) == bool(row.tracardi), name


@needs_norm
@pytest.mark.parametrize("row", ROWS)
def test_tracardi_ids_of_the_reference_table_are_covered(row):
    ids = [
        id_
        for name in row.names
        if (found := catalog.find(name)) is not None and found.name in EQUIVALENTS
        for id_ in EQUIVALENTS[found.name].tracardi
    ]
    text = row.tracardi.replace("when the conversation is a ticket", "").replace("the manual's", "")
    for part in re.findall(r"[a-z]+(?:-[a-z]+)*", text):
        assert any(re.search(rf"(^|[- ]){part}($|-)", id_) for id_ in ids), part


def test_documented_lists_of_both_products_are_complete():
    smartertrack = Counter(name for each in EQUIVALENTS.values() for name in each.smartertrack)
    tracardi = {id_ for each in EQUIVALENTS.values() for id_ in each.tracardi}
    assert len(smartertrack) == 73  # 21 tickets, 15 chats, 7 visitors, 3 rooms, 5 tasks, 13 articles, 9 more
    assert set(smartertrack.values()) == {1}
    assert len(tracardi) >= 65


def test_equivalents_are_of_types_in_the_catalogue():
    assert EQUIVALENTS.keys() - catalog.CATALOG.keys() == set()
    assert all(each.smartertrack or each.tracardi for each in EQUIVALENTS.values())


@pytest.mark.parametrize("name", CHATVISOR)
def test_types_logged_by_chatvisor_are_accepted_from_sources(name):
    assert not catalog.CATALOG[name].internal
