"""The queues as the manager reports them: members, waiting calls and ringing phones. Pure.

An event carries the whole state of what it is about, so that a repeated one changes nothing. A list of the
queues and the events give the same state in whatever order they come.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from dashboard.i18n.message import N_
from dashboard.ingest.manager.blocks import Block, ManagerError
from dashboard.ingest.schema import LIMITS

MAX_NAME = LIMITS["user"]
MOST = 100_000  # members and calls of one exchange
TOO_MANY = N_("Asterisk lists more queue members and calls than are read.")


class Member(NamedTuple):
    """A member of a queue. Times are UTC seconds; `paused_ts` is None without a pause.

    `status` is Asterisk's state of the member's device, such as 5 for unavailable. `ready_ts` is when the
    member was added, or Asterisk started.
    """

    name: str
    ready_ts: int
    paused_ts: int | None
    reason: str
    status: int


class Board:
    """Members by (queue, interface); since when calls wait and phones ring (seconds), by (queue, call) and
    (queue, call, interface)."""

    def __init__(self) -> None:
        self.members: dict[tuple[str, str], Member] = {}
        self.waits: dict[tuple[str, str], int] = {}
        self.rings: dict[tuple[str, str, str], int] = {}

    def apply(self, block: Block, now: int) -> bool:
        """Take an event, or an entry of a list, of the second `now`; say whether it is one of queues.

        Raises ManagerError beyond MOST entries.
        """
        act = ACTS.get(block.get("Event", ""))
        queue = block.get("Queue", "")
        if act is None or not 0 < len(queue) <= MAX_NAME:
            return False
        act(self, queue, block, now)
        if len(self.members) + len(self.waits) + len(self.rings) > MOST:
            raise ManagerError(TOO_MANY)
        return True

    def ringing(self) -> dict[tuple[str, str], int]:
        """Return (queue, interface) → since when the member's phone rings."""
        found: dict[tuple[str, str], int] = {}
        for (queue, _call, interface), since in self.rings.items():
            found[queue, interface] = min(since, found.get((queue, interface), since))
        return found

    def _member(self, queue: str, block: Block, now: int) -> None:
        interface = block.get("Interface") or block.get("Location", "")
        name = block.get("MemberName") or block.get("Name") or interface
        if not interface or max(len(interface), len(name)) > MAX_NAME:
            return
        reason, paused_ts = block.get("PausedReason", "")[:MAX_NAME], None
        known = self.members.get((queue, interface))
        if block.get("Paused") == "1":
            same = known is not None and known.reason == reason
            paused_ts = _second(block, "LastPause", (known.paused_ts if known and same else None) or now, now)
        ready_ts = _second(block, "LoginTime", known.ready_ts if known else now, now)
        status = int(text) if (text := block.get("Status", "")).isdecimal() and len(text) < 3 else 0
        self.members[queue, interface] = Member(name, ready_ts, paused_ts, reason, status)

    def _removed(self, queue: str, block: Block, now: int) -> None:
        interface = block.get("Interface", "")
        self.members.pop((queue, interface), None)
        self._end_rings(lambda ring: (ring[0], ring[2]) == (queue, interface))

    def _waits(self, queue: str, block: Block, now: int) -> None:
        call, waited = block.get("Uniqueid", ""), block.get("Wait", "")
        if 0 < len(call) <= MAX_NAME:
            since = now - int(waited) if waited.isdecimal() and len(waited) < 8 else now
            self.waits.setdefault((queue, call), since)

    def _left(self, queue: str, block: Block, now: int) -> None:
        call = block.get("Uniqueid", "")
        self.waits.pop((queue, call), None)
        self._end_rings(lambda ring: ring[:2] == (queue, call))

    def _rings(self, queue: str, block: Block, now: int) -> None:
        call, interface = block.get("Uniqueid", ""), block.get("Interface", "")
        if 0 < len(call) <= MAX_NAME and 0 < len(interface) <= MAX_NAME:
            self.rings.setdefault((queue, call, interface), now)

    def _rang(self, queue: str, block: Block, now: int) -> None:
        self.rings.pop((queue, block.get("Uniqueid", ""), block.get("Interface", "")), None)

    def _end_rings(self, ended: Callable[[tuple[str, str, str]], bool]) -> None:
        for ring in [ring for ring in self.rings if ended(ring)]:
            del self.rings[ring]


def _second(block: Block, key: str, otherwise: int, now: int) -> int:
    """Return the time of a key, never one to come; `otherwise` where Asterisk gives none."""
    text = block.get(key, "")
    found = int(text) if text.isdecimal() and len(text) < 12 else 0
    return min(found, now) if found else otherwise


# A call that gives up, times out or is withdrawn is gone with its QueueCallerLeave; a phone that lost a call
# to a colleague's stops ringing with it.
ACTS: dict[str, Callable[[Board, str, Block, int], None]] = {
    "QueueMember": Board._member,
    "QueueMemberAdded": Board._member,
    "QueueMemberStatus": Board._member,
    "QueueMemberPause": Board._member,
    "QueueMemberRemoved": Board._removed,
    "QueueEntry": Board._waits,
    "QueueCallerJoin": Board._waits,
    "QueueCallerLeave": Board._left,
    "AgentCalled": Board._rings,
    "AgentConnect": Board._rang,
    "AgentRingNoAnswer": Board._rang,
}
