"""A portal site, and browsers that report to it as /visitor.js does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from dashboard.visitors import limits, sites
from tests.visitors.portal import Portal


@pytest.fixture
def portal(client: FlaskClient) -> Iterator[Portal]:
    limits.forget()
    yield Portal(client)
    limits.forget()
    sites.forget()
