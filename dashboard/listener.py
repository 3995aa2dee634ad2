"""The HTTP server of `bin/serve`: waitress with bounds that no client can use up for the others.

One thread reads and writes all connections, THREADS threads answer requests, and as many others those that
send events; so a slow client costs a connection and no thread, and events that wait for a lock of the
database hold up no page. When connections run out, those that have been idle or unfinished longest are
closed instead of new ones being left unanswered, as nginx does.
"""

from __future__ import annotations

import errno
import logging
import resource
import time
from collections.abc import Callable, Iterable
from copy import copy
from typing import Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

from dashboard.settings import HostPort

THREADS = 4  # measured: 8 double the 99th percentile of a page, 2 are held up by two slow ones
EVENTS_PATH, VISIT_PATH = "/api/v1/events", "/visit/"
BODY_MAX = 16 * 1024 * 1024  # above the application's own limit, whose error message is more helpful
UPLOAD_S = 1800  # until a large request has arrived as a whole
HEADER_MAX = 64 * 1024
KEPT_MAX = 128 * 1024  # of an unfinished request in memory; more lies in a temporary file
CONNECTIONS, LEAST = 2000, 10
RESERVED = 200  # file descriptors besides: of the database, files and outgoing calls
IDLE_S = 30  # between two requests, and between two pieces of one request or answer
YOUNG_S = 1  # a new connection has this long to send its request before it may have to give way
REQUEST_S = 120  # until a request has arrived as a whole
POLL_S = 1.0  # without any traffic
LOOK_S = 5  # between two looks for connections that are over their time
PAUSE_S = 0.1  # before the next connection is accepted when file descriptors have run out
LOWERED_S = 600  # while fewer connections are kept after file descriptors had run out
REPEAT_S = 60  # between two lines of the log about the same trouble
NO_RESOURCES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}

log = logging.getLogger("stopa.server")
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Parser(HTTPRequestParser):  # type: ignore[misc]
    """Refuses messages whose end or host a proxy in front may read in another way (RFC 9112, 3.2 and 6.3).

    A body may have as many bytes as `body_max` of the settings says for its address.
    """

    adj: Any

    def parse_header(self, header_plus: bytes) -> None:
        try:
            super().parse_header(header_plus)
        except ValueError:  # Python reads no number of thousands of digits
            raise ParsingError("Content-Length is too long") from None
        if self.chunked and "CONTENT_LENGTH" in self.headers:
            raise ParsingError("Transfer-Encoding and Content-Length exclude each other")
        hosts = self.headers.get("HOST")
        if (hosts is None and self.version == "1.1") or "," in (hosts or ""):
            raise ParsingError("A request needs one Host header")
        most = self.adj.body_max(self.path, self.query)
        if most > self.adj.max_request_body_size:
            self.adj = copy(self.adj)
            self.adj.max_request_body_size = most


class Connection(HTTPChannel):  # type: ignore[misc]
    """A client's connection, which knows since when it keeps the server waiting."""

    parser_class = Parser
    begun: float | None = None  # when the first byte of an unfinished request arrived

    def received(self, data: bytes) -> bool:
        more: bool = super().received(data)
        if self.request is None:
            self.begun = None
        elif self.begun is None:
            self.begun = time.time()
        return more

    def write_soon(self, data: Any) -> int:
        """Take a piece of an answer; from here on the client has IDLE_S to read it."""
        self.last_activity = time.time()
        return int(super().write_soon(data))

    @property
    def waiting_since(self) -> float:
        return self.last_activity if self.begun is None else self.begun

    @property
    def works(self) -> bool:
        """Is a request being answered, by a thread that does not wait for the client to read?"""
        return bool(self.requests) and self.total_outbufs_len < self.adj.send_bytes

    def is_late(self, now: float) -> bool:
        large = self.request is not None and self.request.content_length > BODY_MAX
        whole_s = UPLOAD_S if large else REQUEST_S
        return not self.works and (self.last_activity < now - IDLE_S or self.waiting_since < now - whole_s)


class Threads:
    """The threads that answer requests: some for those that send events, as many for all others."""

    def __init__(self) -> None:
        self._events, self._others = ThreadedTaskDispatcher(), ThreadedTaskDispatcher()
        for each in (self._events, self._others):
            each.set_thread_count(THREADS)

    def add_task(self, connection: Connection) -> None:
        request = connection.requests[0]
        sends = not request.error and (  # one with an error may have neither command nor path
            (request.command, request.path) == ("POST", EVENTS_PATH) or request.path.startswith(VISIT_PATH)
        )
        (self._events if sends else self._others).add_task(connection)

    def shutdown(self) -> None:
        """Let the threads finish the requests in hand, for five seconds each."""
        for each in (self._events, self._others):
            each.shutdown()


class Listener(TcpWSGIServer):  # type: ignore[misc]
    """Accepts connections on one address, and closes those that others need."""

    channel_class = Connection
    _look_at = _accept_at = _logged = _lowered = 0.0

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._full = self.adj.connection_limit

    def tend(self) -> None:
        """Close connections that are over their time, and others where the limit is reached.

        At once, because a client that reads nothing is never writable; and between two polls, because a new
        connection may take the number of a closed one.
        """
        now = time.time()
        if now > self._look_at:
            self._look_at = now + LOOK_S
            if now > self._lowered + LOWERED_S:
                self.adj.connection_limit = self._full
            for connection in list(self.active_channels.values()):
                if connection.is_late(now):
                    connection.handle_close()
        if len(self._map) >= self.adj.connection_limit:
            self._make_room(now)

    def _make_room(self, now: float) -> None:
        """Close what exceeds nine tenths of the limit, first what has kept the server waiting longest."""
        kept = self.adj.connection_limit * 9 // 10
        waiting = [
            each
            for each in self.active_channels.values()
            if not each.works and each.waiting_since < now - YOUNG_S
        ]
        waiting.sort(key=lambda each: each.waiting_since)
        for connection in waiting[: len(self._map) - kept]:
            connection.handle_close()
        self._warn("There are %d connections; those that have been idle longest are closed", kept)

    def maintenance(self, now: float) -> None:
        """Nothing: tend() does it."""

    def readable(self) -> bool:
        return time.time() > self._accept_at and bool(super().readable())

    def accept(self) -> Any:
        """Return a connection and its address, None without one; waitress would log a trace each time."""
        try:
            return super().accept()
        except OSError as error:
            self._warn("No connection can be accepted: %s", error.strerror)
            if error.errno in NO_RESOURCES:
                now = time.time()
                self._accept_at = now + PAUSE_S
                # Requests in hand need descriptors too, so fewer connections are kept for a while.
                self._lowered, self.adj.connection_limit = now, max(LEAST, len(self._map) * 3 // 4)
            return None

    def _warn(self, text: str, value: object) -> None:
        now = time.monotonic()
        if now > self._logged + REPEAT_S:
            self._logged = now
            log.warning(text, value)


class Server:
    """Serves `app` on every address of `bind`, from `run` until a signal ends it.

    `body_max` returns the most bytes of a body for a path and its query. Raises OSError when it cannot
    listen there.
    """

    def __init__(
        self,
        app: Application,
        bind: HostPort,
        body_max: Callable[[str, str], int] = lambda _path, _query: BODY_MAX,
    ) -> None:
        settings = Adjustments(
            host=bind.host,
            port=bind.port,
            max_request_body_size=BODY_MAX,
            max_request_header_size=HEADER_MAX,
            inbuf_overflow=KEPT_MAX,
            ident=None,
            clear_untrusted_proxy_headers=False,  # STOPA_TRUSTED_PROXIES decides, in the application
            connection_limit=connection_limit(),
        )
        settings.body_max = body_max
        for chatty in ("waitress", "waitress.queue"):  # lines for each request that waits, by each client
            logging.getLogger(chatty).setLevel(logging.ERROR)
        self._sockets: dict[int, Any] = {}
        self._threads = Threads()
        self._listeners = [
            Listener(app, self._sockets, dispatcher=self._threads, adj=settings, sockinfo=address)
            for address in settings.listen
        ]
        self.port = int(self._listeners[0].effective_port)

    def run(self) -> None:
        """Serve; return on SystemExit and KeyboardInterrupt, after the requests in hand."""
        try:
            while self._sockets:
                for listener in self._listeners:
                    listener.tend()
                wasyncore.poll2(POLL_S, self._sockets)
        except (SystemExit, KeyboardInterrupt):
            self._threads.shutdown()

    def close(self) -> None:
        wasyncore.close_all(self._sockets)


def connection_limit() -> int:
    """Return how many connections fit, after raising the limit of file descriptors as far as allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * CONNECTIONS + RESERVED  # a connection, and the file of its body
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        return min(CONNECTIONS, max(soft - RESERVED, soft // 2) // 2)
    return CONNECTIONS
