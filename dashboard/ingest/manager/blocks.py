"""The protocol of Asterisk's manager interface: bytes to blocks of keys and values. Pure.

The server greets with a line, then sends blocks: lines `Key: value`, ended by CRLF, an empty line after each.
A line is UTF-8 where it is valid; other bytes are replaced, because callers' names pass in any encoding.
"""

from __future__ import annotations

from dashboard.i18n.message import N_, Message

GREETING = b"Asterisk Call Manager/"
MAX_GREETING = 200  # bytes
MAX_LINE = 16 * 1024  # bytes
MAX_BLOCK = 500  # lines
NOT_MANAGER = N_("What listens at this host and port isn't an Asterisk manager.")
TOO_LONG = N_("Asterisk sent a line or block that is too long.")

Block = dict[str, str]


class ManagerError(Exception):
    """The connection cannot go on, and why; `is_denied` where a new attempt does not help."""

    def __init__(self, why: str, is_denied: bool = False) -> None:
        super().__init__(why)
        self.why, self.is_denied = Message(why), is_denied


class Blocks:
    """What one connection has sent so far, without the blocks that were returned."""

    def __init__(self) -> None:
        self.is_greeted = False
        self._rest = b""
        self._lines: list[bytes] = []

    def feed(self, data: bytes) -> list[Block]:
        """Return the blocks that `data` completes, in order. Lines without a colon are left out.

        Raises ManagerError for another greeting and for endless lines and blocks, before memory grows.
        """
        *lines, self._rest = (self._rest + data).split(b"\n")
        found = []
        for line in lines:
            if not self.is_greeted:
                self._greet(line)
            elif text := line.removesuffix(b"\r"):
                self._lines.append(text)
                if len(text) > MAX_LINE or len(self._lines) > MAX_BLOCK:
                    raise ManagerError(TOO_LONG)
            elif self._lines:
                found.append(_block(self._lines))
                self._lines = []
        if not self.is_greeted and self._rest:
            self._greet(self._rest, whole=False)
        if len(self._rest) > MAX_LINE:
            raise ManagerError(TOO_LONG)
        return found

    def _greet(self, line: bytes, whole: bool = True) -> None:
        length = len(GREETING) if whole else min(len(line), len(GREETING))
        if line[:length] != GREETING[:length] or len(line) > MAX_GREETING:
            raise ManagerError(NOT_MANAGER)
        self.is_greeted = whole


def _block(lines: list[bytes]) -> Block:
    pairs = (line.decode("utf-8", "replace").replace("\0", "\ufffd").partition(":") for line in lines)
    return {key: value.strip() for key, colon, value in pairs if colon}
