"""Repairs `time.sleep` where libfaketime moves the clock; Python imports this module at its start.

libfaketime up to 0.9.10 moves the absolute deadline that `clock_nanosleep` gets even when it is told to
leave the monotonic clock alone, and the call fails with EINVAL. `select` takes a length of time.
"""

from __future__ import annotations

import select
import time


def sleep(seconds: float) -> None:
    """Wait for `seconds` on the monotonic clock; raises ValueError for a negative length, as `time.sleep`."""
    select.select([], [], [], seconds)


time.sleep = sleep
