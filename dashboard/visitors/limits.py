"""How many reports and records are taken a minute, by site and by shortened address.

Counted in the memory of each server process, which costs microseconds: with several processes an address
gets at most so many times the limit. `bin/serve` has one.
"""

from __future__ import annotations

import threading
import time
from collections import Counter

MINUTE_S = 60
PER_SITE = 120_000
PER_ADDRESS = 6_000  # an office or a mobile network behind one address: 100 busy visitors
NEW_VISIT = 20  # counts as so many: a browser makes few, a flood of invented ones costs the most
ADDRESSES = 50_000  # counted apart; what comes from others in that minute counts as one

_lock = threading.Lock()
_minute = 0.0
_sites: Counter[int] = Counter()
_addresses: Counter[str] = Counter()


def take(site: int, address: str, cost: int) -> int:
    """Count `cost` reports or records; return 0, or the seconds after which to come again."""
    global _minute
    now = time.monotonic()
    with _lock:
        if now >= _minute + MINUTE_S:
            _minute = now
            _sites.clear()
            _addresses.clear()
        key = address if address in _addresses or len(_addresses) < ADDRESSES else ""
        if cost and (_addresses[key] >= PER_ADDRESS or _sites[site] >= PER_SITE):
            return int(_minute + MINUTE_S - now) + 1
        _addresses[key] += cost
        _sites[site] += cost
        return 0


def forget() -> None:
    """Begin a new minute."""
    global _minute
    with _lock:
        _minute = 0.0
        _sites.clear()
        _addresses.clear()
