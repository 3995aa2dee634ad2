from collections.abc import Iterator

import pytest
from flask import Flask
from flask_babel import Babel


@pytest.fixture(autouse=True)
def languages() -> Iterator[Flask]:
    """An application of nothing but languages: exports need no database."""
    app = Flask("exports")
    Babel(app)
    with app.app_context():
        yield app
