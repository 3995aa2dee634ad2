"""A server that stands for Asterisk's manager interface, on a real port."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

WAIT_S = 5.0
T = TypeVar("T")
GREETING = b"Asterisk Call Manager/13.0.0\r\n"


class Exchange:
    """Listens on a port of its own; one connection at a time. `step` lets the client do what is due."""

    def __init__(self, step: Callable[[], object]) -> None:
        self._step = step
        self._listener: socket.socket | None = None
        self._client: socket.socket | None = None
        self._read = b""
        self.port = 0
        self.actions: list[dict[str, str]] = []  # that the client sent on all connections
        self.listen()

    def listen(self) -> None:
        found = socket.socket()
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(("127.0.0.1", self.port))
        found.listen()
        found.settimeout(0.01)
        self._listener, self.port = found, found.getsockname()[1]

    def stop(self) -> None:
        """End like a killed process: no connection is taken any more."""
        for each in (self._client, self._listener):
            if each is not None:
                each.close()
        self._client = self._listener = None

    def hang_up(self) -> None:
        """End the connection, and take new ones."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def accept(self) -> None:
        """Wait for the client's connection."""
        self.hang_up()
        assert self._listener is not None

        def taken() -> socket.socket | None:
            try:
                return self._listener.accept()[0] if self._listener else None
            except TimeoutError:
                return None

        self._client, self._read = self._until(taken), b""
        self._client.settimeout(0.01)
        self._client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data: bytes) -> None:
        """Send, and let the client read it, which may end the connection."""
        assert self._client is not None
        for start in range(0, len(data), 1 << 15):
            with suppress(ConnectionError):
                self._client.sendall(data[start : start + (1 << 15)])
            self.settle()

    def settle(self) -> None:
        """Let the client do what is due until nothing is; what was sent arrives a moment later."""
        quiet = 0
        while quiet < 2:
            quiet = 0 if self._step() else quiet + 1
            time.sleep(0.001)

    def action(self, name: str) -> str:
        """Return the id of the next action of this name, once the client has sent it."""

        def sent() -> str | None:
            self._receive()
            for at, action in enumerate(self.actions):
                if action["Action"] == name and "taken" not in action:
                    self.actions[at]["taken"] = "yes"
                    return action["ActionID"]
            return None

        return self._until(sent)

    def sign_in(self, listed: str = "") -> None:
        """Take a connection and its login, and list the queues: blocks with LF, without their ActionID."""
        self.accept()
        self.send(GREETING)
        self.answer(self.action("Login"), "Response: Success")
        self.answer("", "Event: FullyBooted")
        self.list_queues(listed)

    def list_queues(self, listed: str) -> None:
        ident = self.action("QueueStatus")
        blocks = [block for block in listed.strip().split("\n\n") if block]
        for block in ("Response: Success\nEventList: start", *blocks, "Event: QueueStatusComplete"):
            self.answer(ident, block)

    def answer(self, ident: str, block: str) -> None:
        lines = [*block.strip().split("\n"), *([f"ActionID: {ident}"] if ident else []), "", ""]
        self.send("\r\n".join(lines).encode())

    def event(self, text: str) -> None:
        """Send an event given in one line: `QueueMemberPause Queue=line Interface=SIP/1`."""
        name, *fields = text.split()
        self.answer("", "\n".join([f"Event: {name}", *(field.replace("=", ": ") for field in fields)]))

    def _receive(self) -> None:
        try:
            self._read += self._client.recv(1 << 16) if self._client else b""
        except (TimeoutError, ConnectionError):
            return
        *blocks, self._read = self._read.split(b"\r\n\r\n")
        for block in blocks:
            pairs = (line.split(": ", 1) for line in block.decode().split("\r\n"))
            self.actions.append(dict(pairs))

    def _until(self, found: Callable[[], T | None]) -> T:
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end:
            self._step()
            if (result := found()) is not None:
                return result
        raise AssertionError(f"The client did nothing for {WAIT_S} s.")
