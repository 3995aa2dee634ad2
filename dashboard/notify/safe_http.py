"""Process-wide SSRF protection for outgoing HTTP, Stopa's own calls and those of libraries.

After `install`, every session of `requests` in this process uses `Adapter`, and every connection of urllib3
uses `connect`: the host name is resolved once, all its addresses are checked, and the connection is made to
a checked one, so that a name cannot resolve differently between check and call (Host and TLS name stay).
Redirects are not followed and proxies of the environment are ignored. A call has 5 s to connect and 15 s in
all, including name resolution, slow responses and several requests of one message. Source: reliability.md
5, rows 11-15.
"""

from __future__ import annotations

import heapq
import itertools
import socket
import threading
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

import requests
import requests.sessions
import urllib3.exceptions
import urllib3.util.connection
from requests.adapters import HTTPAdapter

from dashboard.notify import addresses
from dashboard.notify.addresses import AddressError
from dashboard.settings import HostPort

CONNECT_S = 5.0
TOTAL_S = 15.0
NOTICE_S = 0.1
STEP_S = 0.05
BODY_MAX = 2048  # bytes of an answer that are kept

_allowed: frozenset[tuple[str, int]] = frozenset()
_now = threading.local()


class RefusedError(OSError):
    """The address may not be called; `args[0]` is a marked sentence of `addresses`."""


class Call:
    """What one delivery may take and what it met: sockets to end, the last answer."""

    def __init__(self, body_max: int = BODY_MAX) -> None:
        self.body_max = body_max
        self.ends = time.monotonic() + TOTAL_S
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self.refused = ""  # why the guard let a connection of this call go no further
        self.status = 0
        self.length = 0
        self.text = ""
        self.retry_after = ""

    def left(self) -> float:
        """Return the seconds left; raises TimeoutError when none are."""
        rest = self.ends - time.monotonic()
        if rest <= 0:
            raise TimeoutError("out of time")
        return rest

    @property
    def late(self) -> bool:
        """Has the call used up its time? A socket may notice a moment before the timer."""
        return self.ends - time.monotonic() < NOTICE_S

    def watch(self, made: socket.socket) -> None:
        """End this connection with the call. A copy of the socket is kept: TLS takes the original."""
        with self._lock:
            self._sockets.append(made.dup())

    def end(self) -> None:
        """Close open connections; threads that wait on them get an error."""
        with self._lock:
            for each in self._sockets:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
                each.close()
            self._sockets.clear()


class _Timeouts:
    """Ends calls whose time is up; one thread does it for all, at most 1 / STEP_S times a second."""

    def __init__(self) -> None:
        self._added = threading.Condition()
        self._calls: list[tuple[float, int, Call]] = []  # a heap by the time of the end
        self._numbers = itertools.count()
        self._thread: threading.Thread | None = None

    def add(self, call: Call) -> None:
        with self._added:
            heapq.heappush(self._calls, (call.ends, next(self._numbers), call))
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="timeouts", daemon=True)
                self._thread.start()
            elif self._calls[0][2] is call:
                self._added.notify()

    def _run(self) -> None:
        while True:
            with self._added:
                rest = self._calls[0][0] - time.monotonic() if self._calls else None
                if rest is None or rest > 0:
                    self._added.wait(rest)
                now = time.monotonic()
                ended = []
                while self._calls and self._calls[0][0] <= now:
                    ended.append(heapq.heappop(self._calls)[2])
            for call in ended:
                call.end()
            time.sleep(STEP_S)


_timeouts = _Timeouts()


def install(allow: Collection[HostPort]) -> None:
    """Patch requests and urllib3; `allow` are private host:port pairs that may be called."""
    global _allowed
    _allowed = frozenset((each.host.lower().rstrip("."), each.port) for each in allow)
    requests.sessions.HTTPAdapter = Adapter
    urllib3.util.connection.create_connection = connect


def check(address: str) -> addresses.Target:
    """Return the address as it will be called; raises AddressError for one that may not be.

    Names are resolved, so it takes up to CONNECT_S.
    """
    target = addresses.parse(address)
    check_host(target.host, target.port)
    return target


def check_host(host: str, port: int) -> None:
    """Raise AddressError for a host that is not found or that is private and not allowed."""
    try:
        resolve(host, port, CONNECT_S)
    except RefusedError as error:
        raise AddressError(error.args[0]) from None
    except OSError:
        raise AddressError(addresses.UNKNOWN_HOST) from None


def check_numeric(host: str, port: int) -> None:
    """Raise AddressError for a private address in any numeric form; names pass, without being looked up."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return
    try:
        _refuse_private(host, port, found)
    except RefusedError as error:
        raise AddressError(error.args[0]) from None


def resolve(host: str, port: int, seconds: float) -> list[tuple[Any, ...]]:
    """Return what getaddrinfo says, when every address of it may be called; else raises RefusedError.

    The system's resolver has no time limit, so it runs in a thread of its own.
    """
    found: list[tuple[Any, ...]] = []
    failed: list[OSError] = []

    def ask() -> None:
        try:
            found.extend(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except OSError as error:
            failed.append(error)
        except UnicodeError as error:  # a label that is empty or too long
            failed.append(socket.gaierror(str(error)))

    asking = threading.Thread(target=ask, daemon=True, name="resolver")
    asking.start()
    asking.join(seconds)
    if asking.is_alive():
        raise TimeoutError("the name was not resolved in time")
    if failed or not found:
        raise failed[0] if failed else socket.gaierror("no address")
    _refuse_private(host, port, found)
    return found


def _refuse_private(host: str, port: int, found: Iterable[tuple[Any, ...]]) -> None:
    """Raise RefusedError when an address that getaddrinfo gave may not be called."""
    if not is_allowed(host, port) and not all(addresses.is_public(str(each[4][0])) for each in found):
        raise RefusedError(addresses.PRIVATE)


def is_allowed(host: str, port: int) -> bool:
    """Say whether the settings name this host and port as one that may be called in any network."""
    return (host.lower().rstrip("."), port) in _allowed


def connect(address: tuple[str, int], *_rest: Any, **_options: Any) -> socket.socket:
    """Take the place of urllib3's create_connection: connect to a checked address, within the call's time.

    Raises OSError; RefusedError where no connection may be made.
    """
    host, port = address[0].strip("[]"), address[1]
    call = _current()
    try:
        found = resolve(host, port, min(CONNECT_S, call.left()))
    except RefusedError as error:
        call.refused = error.args[0]
        raise
    end = time.monotonic() + min(CONNECT_S, call.left())
    last: OSError = TimeoutError("no time to connect")
    for family, kind, protocol, _name, place in found:
        rest = end - time.monotonic()
        if rest <= 0:
            break
        made = socket.socket(family, kind, protocol)
        try:
            made.settimeout(rest)
            made.connect(place)
        except OSError as error:
            made.close()
            last = error
        else:
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            made.settimeout(call.left())
            call.watch(made)
            return made
    raise last


@contextmanager
def call(body_max: int = BODY_MAX) -> Iterator[Call]:
    """Bound all that is called by this thread within: after TOTAL_S its connections are shut down.

    At most `body_max` bytes of each answer are read.
    """
    made = Call(body_max)
    _timeouts.add(made)
    before, _now.call = getattr(_now, "call", None), made
    try:
        yield made
    finally:
        _now.call = before
        made.end()


def _current() -> Call:
    """Return the call of this thread; one outside of any is bounded by the same times."""
    found: Call | None = getattr(_now, "call", None)
    return found or Call()


class Adapter(HTTPAdapter):
    """Sends one request of a session: direct, within the call's time, the answer cut at BODY_MAX."""

    def send(
        self, request: requests.PreparedRequest, *_rest: Any, verify: Any = True, **_options: Any
    ) -> requests.Response:
        """Answer like HTTPAdapter.send; the caller's time limit, proxies and streaming are ignored.

        An answer whose body does not come counts by its status all the same.
        """
        mine = _current()
        rest = mine.left()
        answer = super().send(request, stream=True, timeout=(min(CONNECT_S, rest), rest), verify=verify)
        mine.left()  # a head that was cut off by the end of the time is none
        body = b""
        with suppress(OSError, urllib3.exceptions.HTTPError):
            body = answer.raw.read(mine.body_max, decode_content=True) or b""
        given = answer.headers.get("Content-Length", "")
        mine.status = answer.status_code
        mine.length = int(given) if given.isdigit() and len(given) < 12 else len(body)
        mine.text = body[:BODY_MAX].decode("utf-8", "replace")
        mine.retry_after = answer.headers.get("Retry-After", "")[:100]
        answer._content = body
        answer._content_consumed = True  # type: ignore[attr-defined]
        answer.headers.pop("Location", None)  # nobody follows a redirect
        answer.close()
        return answer

    def proxy_manager_for(self, *_rest: Any, **_options: Any) -> NoReturn:
        """Refuse: a proxy would resolve names on its own."""
        raise RefusedError(addresses.PRIVATE)
