"""Every page is clean by axe: WCAG 2.2 A and AA, best practices, sizes of targets."""

from __future__ import annotations

import pytest

from tests.browser.rounds import PLACES, VIEWS, Rounds
from tests.browser.window import View


@pytest.mark.parametrize("view", VIEWS, ids=str)
@pytest.mark.parametrize("name", PLACES)
def test_axe_finds_nothing(name: str, view: View, rounds: Rounds) -> None:
    assert rounds.visit(name, view).violations == []
