"""How much mail one person may get, and who gets none. Pure. Source: semantics 9.4; Zammad's numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from dashboard.i18n.mark import N_

MINUTE_MS = 60_000
ABOUT_ONE = ((10, 10), (30, 15), (60, 25), (180, 50), (600, 100))  # minutes → mails about one subject
IN_ALL = ((10, 30), (30, 60), (60, 120), (180, 240), (600, 360))
LONGEST_MS = 600 * MINUTE_MS
MOST = 360  # sent mails that can matter

TOO_MANY = N_("This recipient has got too many mails lately.")
UNWANTED = N_("Mail to this address would reach nobody: it is a sender's own, a list's or a machine's.")

_MACHINES = re.compile(
    r"(mailer-?daemon|postmaster|no[-_.]?reply.*|do[-_.]?not[-_.]?reply.*|bounces?([-+=].*)?|daemon|listserv"
    r"|majordomo|owner-.*|.*-(bounces?|owner|request|noreply|no-reply))",
    re.IGNORECASE,
)


class Sent(NamedTuple):
    """A mail that the recipient got: when, and about which subject."""

    at_ms: int
    subject: str


def reached(sent: Sequence[Sent], subject: str, now_ms: int) -> bool:
    """Has this recipient got as many mails as may be, in all or about this subject ("" for none)?"""
    about = [each.at_ms for each in sent if subject and each.subject == subject]
    return _over(about, ABOUT_ONE, now_ms) or _over([each.at_ms for each in sent], IN_ALL, now_ms)


def _over(times: Sequence[int], steps: Sequence[tuple[int, int]], now_ms: int) -> bool:
    return any(sum(each > now_ms - minutes * MINUTE_MS for each in times) >= most for minutes, most in steps)


def unwanted(address: str, own: str) -> bool:
    """Is it Stopa's own address, or one behind which a machine or a list stands?"""
    return address.lower() == own.lower() or bool(_MACHINES.fullmatch(address.partition("@")[0]))
