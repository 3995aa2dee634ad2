"""Webhooks by the Standard Webhooks specification: JSON, signed, numbered.

The id is the step's key, the same for all tries, so that a receiver can drop a duplicate; the timestamp is
that of the try; the signature covers both and the body. Source: standardwebhooks.com, specification 1.0.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from typing import Any

import requests

from dashboard import clock
from dashboard.notify import addresses, result, safe_http
from dashboard.notify.addresses import AddressError
from dashboard.notify.result import DeliveryResult, ResultKind

PREFIX = "whsec_"
KEY_MIN = 16  # bytes
AGENT = "Stopa"
CHAIN = "Stopa-Chain"


def new_secret() -> str:
    """Return a fresh secret: whsec_ and 32 random bytes in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def without_version(secret: str) -> str:
    """Return a secret as libraries of Standard Webhooks take it: some products write v1, before whsec_."""
    return secret.removeprefix("v1,") if secret.startswith(f"v1,{PREFIX}") else secret


def looks_encoded(secret: str) -> bool:
    """Say whether a secret without whsec_ can only be meant as base64: the libraries would decode it."""
    if secret.startswith(PREFIX) or secret.isalnum():  # of letters and digits it may be the key itself
        return False
    try:
        return len(base64.b64decode(secret, validate=True)) >= KEY_MIN
    except binascii.Error:
        return False


def key_of(secret: str) -> bytes:
    """Return the bytes that sign: those in base64 after whsec_, else the text's own."""
    if secret.startswith(PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except binascii.Error:
            pass
    return secret.encode()


def signature(secret: str, ident: str, timestamp: int, body: bytes) -> str:
    """Return `v1,` and the HMAC-SHA-256 of `id.timestamp.body` in base64."""
    signed = f"{ident}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key_of(secret), signed, hashlib.sha256)).decode()


def body(payload: Mapping[str, Any]) -> bytes:
    """Return the payload as JSON: the same bytes at every try."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


def send(
    address: str,
    secret: str,
    headers: Mapping[str, str],
    key: str,
    payload: Mapping[str, Any],
    chain: str = "",
) -> DeliveryResult:
    """Post the payload and say what came of it. Takes up to guard.TOTAL_S seconds; raises nothing.

    `chain` is the signed list of rules that led here, see CHAIN; our gate reads it back.
    """
    content, moment = body(payload), clock.now_s()
    sent = {
        **headers,
        "Content-Type": "application/json",
        "User-Agent": AGENT,
        "Accept-Encoding": "identity",
        "webhook-id": key,
        "webhook-timestamp": str(moment),
        "webhook-signature": signature(secret, key, moment, content),
    }
    if chain:
        sent[CHAIN] = chain
    hidden = (secret, address, *headers.values())
    try:
        target = addresses.parse(address)
    except AddressError as error:
        return DeliveryResult(ResultKind.NEVER, error.args[0])
    with safe_http.call() as call, requests.Session() as session:
        session.trust_env = False
        try:
            session.post(target.url, data=content, headers=sent)
        except requests.exceptions.SSLError:
            if not call.late:
                return DeliveryResult(ResultKind.LATER, result.UNTRUSTED)
        except (OSError, ValueError, requests.RequestException):
            pass  # the call knows how far it came
    return of_call(call, hidden, safe_http.is_allowed(target.host, target.port))


def of_call(call: safe_http.Call, hidden: tuple[str, ...], shown: bool = False) -> DeliveryResult:
    """Return the result of a call; the receiver's answer only if `shown`, without what is `hidden`."""
    if call.refused:
        return DeliveryResult(ResultKind.NEVER, call.refused)
    if call.status:
        note = result.masked(call.text, hidden) if shown else ""
        return result.of_status(call.status, note, call.length, call.retry_after, clock.now_s())
    return DeliveryResult(ResultKind.LATER, result.SLOW if call.late else result.UNREACHED)
