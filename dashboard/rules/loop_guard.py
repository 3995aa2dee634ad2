"""The chain of causes on its way out of the house and back, so that no other host can hide a loop."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence

from flask import current_app

HEADER = "Stopa-Chain"
MAX_RULES = 50  # of one chain; the loop guard stops far earlier
_FORM = re.compile(r"([1-9][0-9]{0,9}(?:\.[1-9][0-9]{0,9}){0,49}) ([0-9a-f]{64})")


def chain_header(chain: Sequence[int]) -> str:
    """Return the header's value for the ids of the rules that led to a call, the first first; "" for none."""
    if not chain:
        return ""
    text = ".".join(str(rule) for rule in chain[-MAX_RULES:])
    return f"{text} {_sign(text)}"


def read_chain(value: str) -> tuple[int, ...]:
    """Return the chain of a header's value; () for one that this site did not sign."""
    found = _FORM.fullmatch(value)
    if found is None or not hmac.compare_digest(found[2], _sign(found[1])):
        return ()
    return tuple(int(rule) for rule in found[1].split("."))


def _sign(text: str) -> str:
    key = str(current_app.config["STOPA"].secret_key).encode()
    return hmac.new(key, f"chain {text}".encode(), hashlib.sha256).hexdigest()
