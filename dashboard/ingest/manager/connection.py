"""One connection to Asterisk's manager: greeting, login, the list of queues, then what changes.

Nothing but an Action is ever sent: a manager user without any write right may empty queues and withdraw
calls. The queues are listed after each login, when Asterisk says that it has started or reloaded, and every
RELIST_S: members of realtime queues come and go without an event.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from dashboard import clock
from dashboard.i18n.message import N_
from dashboard.ingest.manager.blocks import Block, Blocks, ManagerError
from dashboard.ingest.manager.board import Board

CHUNK = 1 << 16  # bytes read at once
CONNECT_S, ANSWER_S = 5.0, 30.0  # for a connection, and for the answer to an action
BOOTED_S = 3.0  # after a login without FullyBooted, which users without the right `system` never get
PING_S, RELIST_S = 20.0, 300.0
CLASSES = "system,agent"  # of the events that are sent to us
NOBODY = N_("Nothing listens at this host and port. Is the manager enabled in manager.conf?")
UNKNOWN = N_("Unknown host.")
SILENT = N_("Asterisk doesn't answer.")
CLOSED = N_("Asterisk closed the connection.")
NETWORK = N_("The network connection failed.")
DENIED = N_("Asterisk rejected the username or the secret.")
NO_LIST = N_("Asterisk doesn't list its queues. Is the module app_queue loaded?")


class Action(StrEnum):
    LOGIN = "Login"
    LIST = "QueueStatus"
    PING = "Ping"
    LOGOFF = "Logoff"


class Login(NamedTuple):
    host: str
    port: int
    username: str
    secret: str


class Connection:
    """Connects at once; `board` is right while `is_live`. After a ManagerError it is over."""

    def __init__(self, login: Login) -> None:
        self.board, self.is_live = Board(), False
        self.changes = 0  # rises with each change of the board
        self._login, self._blocks = login, Blocks()
        self._number = 0
        self._answers: dict[str, tuple[Action, float]] = {}  # id → what waits for an answer, until when
        self._listed: Board | None = None  # while the queues are listed: what came so far
        self._meanwhile: list[tuple[Block, int]] = []
        self._list_at = float("inf")
        self._socket = _connected(login)
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)
        self._ping_at = time.monotonic() + PING_S
        self._answers["greeting"] = Action.LOGIN, time.monotonic() + ANSWER_S

    def close(self) -> None:
        """Say goodbye if that is possible at once."""
        try:
            if self._blocks.is_greeted:
                self._send(Action.LOGOFF)
        except ManagerError:
            pass
        self._socket.close()

    def is_due(self) -> bool:
        """Say whether `step` has something to do."""
        now = time.monotonic()
        late = any(until <= now for _action, until in self._answers.values())
        return late or min(self._ping_at, self._list_at) <= now or self._is_readable()

    def step(self) -> None:
        """Read once what is there, and send what is due."""
        if self._is_readable():
            try:
                data = self._socket.recv(CHUNK)
            except OSError:
                raise ManagerError(CLOSED) from None
            if not data:
                raise ManagerError(CLOSED)
            blocks = self._blocks.feed(data)
            if self._blocks.is_greeted and "greeting" in self._answers:
                del self._answers["greeting"]
                self._send(
                    Action.LOGIN,
                    Username=self._login.username,
                    Secret=self._login.secret,
                    Events=CLASSES,
                )
            for block in blocks:
                self._take(block, clock.now_s())
        self._send_due(time.monotonic())

    def _is_readable(self) -> bool:
        return bool(self._poll.poll(0))

    def _send_due(self, now: float) -> None:
        if any(until <= now for _action, until in self._answers.values()):
            raise ManagerError(SILENT)
        if self._list_at <= now and self._listed is None:
            self._list_at, self._listed, self._meanwhile = now + RELIST_S, Board(), []
            self._send(Action.LIST)
        elif self._ping_at <= now:
            self._send(Action.PING)

    def _send(self, action: Action, **fields: str) -> None:
        self._number += 1
        ident = f"stopa-{self._number}"
        lines: Mapping[str, str] = {"Action": action, "ActionID": ident, **fields}
        text = "".join(f"{key}: {' '.join(value.splitlines())}\r\n" for key, value in lines.items())
        now = time.monotonic()
        try:
            self._socket.sendall(f"{text}\r\n".encode())
        except OSError:
            raise ManagerError(CLOSED) from None
        self._answers[ident] = action, now + ANSWER_S
        self._ping_at = now + PING_S

    def _take(self, block: Block, now: int) -> None:
        """Take an answer, an event, or an entry of our list; other lists have ids that are not ours."""
        ident = block.get("ActionID")
        if ident is None:
            self._event(block, now)
            return
        action = self._answers.get(ident, (None, 0))[0]
        if action is None:
            return
        if "Response" in block:
            self._answered(ident, action, block["Response"] != "Error")
        elif self._listed is not None and action is Action.LIST:
            if block.get("Event") == "QueueStatusComplete":
                del self._answers[ident]
                self._complete(self._listed)
            else:
                self._listed.apply(block, now)

    def _answered(self, ident: str, action: Action, is_done: bool) -> None:
        if action is not Action.LIST or not is_done:
            del self._answers[ident]
        if not is_done and action is Action.LOGIN:
            raise ManagerError(DENIED, is_denied=True)
        if not is_done and action is Action.LIST:
            raise ManagerError(NO_LIST)
        if action is Action.LOGIN:
            self._list_at = time.monotonic() + BOOTED_S

    def _event(self, block: Block, now: int) -> None:
        if block.get("Event") in ("FullyBooted", "Reload"):
            self._list_at = 0
        elif self.board.apply(block, now):
            self.changes += 1
            if self._listed is not None:
                self._meanwhile.append((block, now))

    def _complete(self, listed: Board) -> None:
        """Go on with the list; events that came while it was sent may be newer than their part of it."""
        listed.rings = {ring: at for ring, at in self.board.rings.items() if ring[:2] in listed.waits}
        for block, at in self._meanwhile:
            listed.apply(block, at)
        self.board, self.is_live, self._listed = listed, True, None
        self.changes += 1


def _connected(login: Login) -> socket.socket:
    try:
        found = socket.create_connection((login.host, login.port), CONNECT_S)
    except (socket.gaierror, UnicodeError):
        raise ManagerError(UNKNOWN) from None
    except ConnectionRefusedError:
        raise ManagerError(NOBODY) from None
    except TimeoutError:
        raise ManagerError(SILENT) from None
    except OSError:
        raise ManagerError(NETWORK) from None
    found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return found
