"""Proof that a request comes from who knows a secret: a signature of the body, or a token. Pure."""

from __future__ import annotations

import hmac
from collections.abc import Mapping


def is_proved(kind: str, secret: str, headers: Mapping[str, str], token: str, body: bytes) -> bool:
    """Say whether a request was made by who knows `secret`; never for an empty one.

    `headers` have lower-case names; `token` came in the address or as bearer. Zammad signs every body, so
    its requests are believed by their signature alone. Comparisons take the same time for any value.
    """
    if not secret:
        return False
    key = secret.encode()
    if kind == "zammad":
        return _same(headers.get("x-hub-signature", ""), f"sha1={hmac.digest(key, body, 'sha1').hex()}")
    if token:
        return _same(token, secret)
    signed = f"{headers.get('x-chatwoot-timestamp', '')}.".encode() + body if kind == "chatwoot" else body
    name = "x-chatwoot-signature" if kind == "chatwoot" else "x-hub-signature-256"
    return _same(headers.get(name, ""), f"sha256={hmac.digest(key, signed, 'sha256').hex()}")


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode(), right.encode())
