"""Fixtures of the tests of signing in by a provider."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from dashboard.access import presets
from dashboard.models import Access
from tests import make
from tests.pages import provider
from tests.pages.door import PASSWORD
from tests.pages.provider import Provider


@pytest.fixture
def idp(app: Flask) -> Iterator[Provider]:
    with provider.running() as running:
        yield running


@pytest.fixture
def roles(app: Flask) -> dict[str, int]:
    presets.make()
    make.user("chief", access=Access.get(Access.name == "Administrator"), password=PASSWORD)
    return {row.name: row.id for row in Access.select()}
