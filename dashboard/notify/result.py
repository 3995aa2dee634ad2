"""The result of a delivery and what follows from it, the same for webhooks, chat and mail. Pure.

Sentences are marked for translation and contain no values; status and the receiver's words are kept beside
them. Source: semantics 9.9.
"""

from __future__ import annotations

import email.utils
from enum import StrEnum
from typing import NamedTuple

from dashboard.i18n.message import N_

RETRIES_S = (60, 300, 1800, 7200, 28_800, 86_400)
WAIT_MAX_S = 86_400  # that a receiver may ask for
NOTE_MAX = 300
PASSING = frozenset({408, 409, 425, 429})  # of 4xx, those that may come right by themselves

REFUSED = N_("The receiver rejected the request.")
FAILING = N_("The receiver returned an error.")
BUSY = N_("The receiver is rate limiting requests.")
GONE = N_("The receiver says that the address no longer exists.")
REDIRECTED = N_("The receiver redirects to another address. Redirects are not followed.")
SLOW = N_("The receiver timed out.")
UNREACHED = N_("Couldn't connect to the receiver.")
UNTRUSTED = N_("The receiver's certificate isn't trusted.")
ODD_ANSWER = N_("The receiver's response was invalid.")
KEY_LOST = N_(
    "STOPA_SECRET_KEY has changed: this channel's address, secret and headers can't be read. "
    "Enter them again."
)


class ResultKind(StrEnum):
    """What follows: nothing, another try, no other try, or also the end of the channel."""

    DONE = "done"
    LATER = "later"
    NEVER = "never"
    GONE = "gone"
    HELD = "held"  # not sent: a cap was reached


class DeliveryResult(NamedTuple):
    """`why` is a marked sentence, "" when done; `status` an HTTP status or SMTP code, 0 without one; `note`
    the receiver's answer, secrets masked; `wait_s` the pause that it requested."""

    how: ResultKind
    why: str = ""
    status: int = 0
    note: str = ""
    length: int = 0
    wait_s: int = 0


def of_status(
    status: int, note: str = "", length: int = 0, retry_after: str = "", now_s: int = 0
) -> DeliveryResult:
    """Return what an HTTP status means. 3xx is a temporary failure: redirects are not followed."""
    if 200 <= status < 300:
        return DeliveryResult(ResultKind.DONE, "", status, note, length)
    wait_s = pause_asked(retry_after, now_s)
    if status == 410:
        return DeliveryResult(ResultKind.GONE, GONE, status, note, length)
    if 400 <= status < 500 and status not in PASSING:
        return DeliveryResult(ResultKind.NEVER, REFUSED, status, note, length)
    if 300 <= status < 400:
        return DeliveryResult(ResultKind.LATER, REDIRECTED, status, note, length)
    why = BUSY if status == 429 or wait_s else FAILING
    return DeliveryResult(ResultKind.LATER, why, status, note, length, wait_s)


def pause_asked(value: str, now_s: int) -> int:
    """Return the seconds of a Retry-After header, a number or a date, 0 to WAIT_MAX_S; 0 for nonsense."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(int(text[:9]), WAIT_MAX_S)
    try:
        at = int(email.utils.parsedate_to_datetime(text).timestamp())
    except (ValueError, TypeError, OverflowError):
        return 0
    return max(0, min(at - now_s, WAIT_MAX_S))


def masked(text: str, secrets: tuple[str, ...]) -> str:
    """Return a receiver's answer in one line of NOTE_MAX characters, without our secrets and controls."""
    for secret in secrets:
        if len(secret) >= 4:
            text = text.replace(secret, "•••")
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line[:NOTE_MAX]
