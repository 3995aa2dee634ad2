"""Columns whose values are sealed with the secret key: who reads the database or a backup cannot read them.

A value is a Fernet token under a key derived from STOPA_SECRET_KEY. The empty text stays.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import lru_cache
from typing import Any

import peewee
from cryptography.fernet import Fernet, InvalidToken

PREFIX = "sealed1:"
_fernet: Fernet | None = None


class Lost(str):
    """Stands for a value that was sealed with another key; it is empty and false."""

    __slots__ = ()


LOST = Lost()


def use_key(secret_key: str) -> None:
    """Seal and open with a key derived from `secret_key` from now on."""
    global _fernet
    derived = hashlib.blake2b(secret_key.encode(), person=b"stopa sealed", digest_size=32).digest()
    unseal.cache_clear()
    _fernet = Fernet(base64.urlsafe_b64encode(derived))


def seal(text: str) -> str:
    """Return `text` sealed, another one each time."""
    return PREFIX + _cipher().encrypt(text.encode()).decode() if text else ""


@lru_cache(maxsize=1000)  # a connector's secret is read with each of its requests
def unseal(sealed: str) -> str:
    """Return the text that seal() was given, LOST where it was another key or the value was changed."""
    if not sealed:
        return ""
    try:
        return _cipher().decrypt(sealed.removeprefix(PREFIX)).decode()
    except InvalidToken:
        return LOST


def _cipher() -> Fernet:
    if _fernet is None:
        raise RuntimeError("use_key() was not called")
    return _fernet


class SealedField(peewee.TextField):
    """A text that is sealed in the database."""

    def db_value(self, value: Any) -> Any:
        return value if value is None or isinstance(value, peewee.Node) else seal(value)

    def python_value(self, value: Any) -> Any:
        return None if value is None else unseal(value)


class SealedJSONField(SealedField):
    """A value that is sealed in the database as JSON; LOST where the key is another one."""

    def db_value(self, value: Any) -> Any:
        return value if value is None or isinstance(value, peewee.Node) else seal(json.dumps(value))

    def python_value(self, value: Any) -> Any:
        text = super().python_value(value)
        return text if text is None or text is LOST else json.loads(text or "null")
