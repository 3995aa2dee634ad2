"""Files that hold no rules: refused with a sentence, whatever they hold."""

from __future__ import annotations

import json

from flask import Flask

from dashboard.access import scope as scopes
from dashboard.i18n.message import Message
from dashboard.rules import import_export
from tests import make

NO_FILES = (
    b"",
    b"\xff\xfe",
    b"[]",
    b"{}",
    b"null",
    b"1",
    b"9" * 5000,
    b"[" * 100_000,
    b" " * 1_000_001,
    b'{"stopa_rules": 1}',
    b'{"stopa_rules": 1, "rules": {}}',
    b'{"stopa_rules": "1", "rules": []}',
    b'{"stopa_rules": null, "rules": []}',
    b'{"stopa_rules": 1, "rules": [NaN]}',
    b'{"stopa_rules": 2, "rules": []}',
    json.dumps({"stopa_rules": 1, "rules": [{}] * 501}).encode(),
)


def test_a_file_that_is_none_is_refused_with_a_sentence(app: Flask) -> None:
    scope = scopes.of_user(make.administrator("jana"))
    for data in NO_FILES:
        found = import_export.read(data, scope, personal=False)
        assert isinstance(found, Message), data[:40]
        assert found.render().endswith(".")
