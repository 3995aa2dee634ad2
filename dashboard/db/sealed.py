"""Columns whose values are sealed with the secret key: who reads the database or a backup cannot read them.

A value is encrypted by the stream of SHAKE-256 over a key and a random nonce, and authenticated by
HMAC-SHA-256 over nonce and ciphertext with a second key. Both keys are derived from STOPA_SECRET_KEY. The
empty text stays.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from typing import Any

import peewee

PREFIX = "sealed1:"
NONCE, TAG = 16, 16  # bytes
_keys: tuple[bytes, bytes] | None = None


class Lost(str):
    """Stands for a value that was sealed with another key; it is empty and false."""

    __slots__ = ()


LOST = Lost()


def use_key(secret_key: str) -> None:
    """Seal and open with keys derived from `secret_key` from now on."""
    global _keys
    secret = secret_key.encode()
    cipher, mac = (hashlib.blake2b(secret, person=name, digest_size=32) for name in (b"cipher", b"mac"))
    _keys = cipher.digest(), mac.digest()


def seal(text: str) -> str:
    """Return `text` sealed: PREFIX and nonce, tag and ciphertext in base64, another one each time."""
    if not text:
        return ""
    nonce = secrets.token_bytes(NONCE)
    sealed = _stream(nonce, text.encode())
    return PREFIX + base64.b64encode(nonce + _tag(nonce, sealed) + sealed).decode()


def unseal(sealed: str) -> str:
    """Return the text that seal() was given, LOST where it was another key or the value was changed."""
    if not sealed:
        return ""
    try:
        data = base64.b64decode(sealed.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        return LOST
    nonce, tag, rest = data[:NONCE], data[NONCE : NONCE + TAG], data[NONCE + TAG :]
    return _stream(nonce, rest).decode() if hmac.compare_digest(tag, _tag(nonce, rest)) else LOST


def _stream(nonce: bytes, data: bytes) -> bytes:
    """Encrypt or decrypt: exclusive or with the stream of a nonce."""
    stream = hashlib.shake_256(_key(0) + nonce).digest(len(data))
    return bytes(one ^ other for one, other in zip(data, stream, strict=True))


def _tag(nonce: bytes, sealed: bytes) -> bytes:
    return hmac.digest(_key(1), nonce + sealed, "sha256")[:TAG]


def _key(index: int) -> bytes:
    if _keys is None:
        raise RuntimeError("use_key() was not called")
    return _keys[index]


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
