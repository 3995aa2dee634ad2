"""The interface on the application of the test's database."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.api import Api


@pytest.fixture
def api(client: FlaskClient) -> Api:
    return Api(client)
