"""Keeps the connections to Asterisk's managers, and what they report as rows of now.

It writes no events: history is the queue log's, and no figure is counted twice. A restart of Asterisk ends
pauses of static members by the log's own QUEUESTART (see tracing.presence); a lost connection alone proves
no restart. The rows of a connection are gone as soon as it is.

A connection belongs to one process at a time. It is lost with its process within DEAD_MS.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import peewee

from dashboard import clock
from dashboard.db import database
from dashboard.db.failure import patiently
from dashboard.events import record
from dashboard.i18n.message import N_, Message
from dashboard.ingest.manager.blocks import ManagerError
from dashboard.ingest.manager.connection import Connection, Login
from dashboard.jobs import worker
from dashboard.models import Manager, ManagerMember, ManagerWait, Source
from dashboard.tracing.ongoing import DEAD_MS

SEEN_MS = 10_000  # between two signs of life of the owner
FIRST_S, LAST_S = 1.0, 60.0  # before a further attempt; doubles each time
DENIED_S, LAST_DENIED_S = 60.0, 900.0  # the same when the login was rejected
STORE_S = 0.2  # between two changes of the rows
LOOK_S = 1.0  # between two looks at the settings
TAKEN = N_("Another process keeps this connection.")

Key = tuple[str, str]
Values = tuple[Any, ...]


class Keeper:
    """One connection with its rows; `step` is to be called while `is_due`."""

    def __init__(self, row: Manager) -> None:
        self.ident, self.version = row.id, row.version
        self._login = Login(row.host, row.port, row.username, row.secret)
        self._connection: Connection | None = None
        self.state, self.problem = "", ""
        self._retry_s, self._retry_at, self._stored_at, self._changes = 0.0, 0.0, 0.0, 0
        self._seen_ms = clock.now_ms()
        self._users: dict[str | None, int] = {}
        self._members: dict[Key, Values] = {}
        self._waits: dict[Key, Values] = {}

    def is_due(self) -> bool:
        if abs(clock.now_ms() - self._seen_ms) >= SEEN_MS:
            return True
        if self._connection is None:
            return time.monotonic() >= self._retry_at
        return self._connection.is_due() or self._is_changed(self._connection)

    def step(self) -> None:
        """Connect, or read once, and store what changed."""
        try:
            if self._connection is None and time.monotonic() >= self._retry_at:
                self._connection = Connection(self._login)
            if self._connection is not None:
                self._connection.step()
                self._store(self._connection)
        except ManagerError as error:
            self._lost(error)
        now_ms = clock.now_ms()
        if abs(now_ms - self._seen_ms) >= SEEN_MS:
            self._seen_ms = now_ms
            patiently(lambda: self._set(seen_ms=now_ms))

    def close(self, state: str = "lost") -> None:
        """End the connection and leave it to others, unless another process has taken it."""
        if self._connection is not None:
            self._connection.close()
        patiently(lambda: self._note(state, owner=""))

    def _is_changed(self, connection: Connection) -> bool:
        """Say whether there is something to store; not more often than every STORE_S."""
        is_new = connection.is_live and self._changes != connection.changes
        return is_new and time.monotonic() - self._stored_at >= STORE_S

    def _store(self, connection: Connection) -> None:
        is_new = self.state != "live"
        if not connection.is_live or not (is_new or self._is_changed(connection)):
            return
        board, self._changes, self._retry_s = connection.board, connection.changes, 0.0
        self._stored_at = time.monotonic()
        ringing, waits = board.ringing(), {key: (since,) for key, since in board.waits.items()}

        def save() -> tuple[dict[str | None, int], dict[Key, Values]]:
            if not (self._note("live") if is_new else self._set(seen_ms=clock.now_ms())):
                raise ManagerError(TAKEN, is_denied=True)
            unknown = {member.name for member in board.members.values()} - self._users.keys()
            users = {**self._users, **record.users(unknown)}
            members = {
                key: (users[name], *rest, ringing.get(key)) for key, (name, *rest) in board.members.items()
            }
            _replace(ManagerMember, self.ident, self._members, members)
            _replace(ManagerWait, self.ident, self._waits, waits)
            return users, members

        try:
            self._users, self._members = patiently(lambda: _at_once(save))
        except BaseException:
            self.state = ""  # what is stored is not known: everything is stored anew
            raise
        self._waits = waits

    def _lost(self, error: ManagerError) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        first, last = (DENIED_S, LAST_DENIED_S) if error.is_denied else (FIRST_S, LAST_S)
        self._retry_s = min(max(2 * self._retry_s, first), last)
        self._retry_at = time.monotonic() + self._retry_s
        patiently(lambda: self._note("denied" if error.is_denied else "lost", error.why))

    def _note(self, state: str, why: Message | None = None, **values: Any) -> bool:
        """Store a state of the connection, from now on if it is another, without members and calls.

        False when another process has taken the connection.
        """
        problem = "" if why is None else json.dumps(why.as_json())
        now_ms = clock.now_ms()
        with database.atomic():
            since = peewee.Case(None, [(Manager.state == state, Manager.since_ms)], now_ms)
            is_mine = self._set(state=state, problem=problem, since_ms=since, seen_ms=now_ms, **values)
            if is_mine:
                for model in (ManagerMember, ManagerWait):
                    model.delete().where(model.manager == self.ident).execute()
        self.state, self.problem = state, "" if why is None else why.render()
        self._members, self._waits = {}, {}
        return is_mine

    def _set(self, **values: Any) -> bool:
        """Set columns; False when another process has taken the connection."""
        mine = (Manager.id == self.ident) & (Manager.owner == owner())
        return bool(Manager.update(**values).where(mine).execute())


def _at_once(save: Any) -> Any:
    with database.atomic():
        return save()


def _replace(
    model: type[ManagerMember] | type[ManagerWait],
    ident: int,
    old: Mapping[Key, Values],
    new: Mapping[Key, Values],
) -> None:
    """Change the rows of a manager from `old` to `new`, in the caller's transaction."""
    fields = model._meta.sorted_field_names
    _manager, queue, name = fields[:3]
    for key in [key for key in old if old[key] != new.get(key)]:
        same = (getattr(model, queue) == key[0]) & (getattr(model, name) == key[1])
        model.delete().where((model.manager == ident) & same).execute()
    rows = [(ident, *key, *values) for key, values in new.items() if old.get(key) != values]
    for start in range(0, len(rows), 500):
        model.insert_many(rows[start : start + 500], fields=[*fields]).execute()


_keepers: dict[int, Keeper] = {}
_looked_at = 0.0


def owner() -> str:
    return worker.name()[-60:]


def run(look_s: float = LOOK_S) -> int:
    """Do what is due in the connections of this process, and return in how many. A loop of the worker.

    Looks at the settings once in `look_s` seconds.
    """
    global _looked_at
    if time.monotonic() - _looked_at >= look_s:
        _look()
        _looked_at = time.monotonic()
    due = [keeper for keeper in _keepers.values() if keeper.is_due()]
    for keeper in due:
        keeper.step()
    return len(due)


def _look() -> None:
    """Leave connections whose settings have changed, and take those that no living process has."""
    wanted = Manager.select().join(Source).where(Manager.by_worker & Source.paused_ms.is_null())
    rows = {row.id: row for row in wanted}
    for ident, keeper in list(_keepers.items()):
        row = rows.get(ident)
        if row is None or (row.version, row.owner) != (keeper.version, owner()):
            del _keepers[ident]
            keeper.close("new")
    for ident, row in rows.items():
        if ident not in _keepers and take(row):
            _keepers[ident] = Keeper(row)


def take(row: Manager) -> bool:
    """Make this process the owner of a connection that is free, or whose owner is dead."""
    now_ms = clock.now_ms()
    free = (Manager.owner == "") | (Manager.owner == owner()) | (Manager.seen_ms < now_ms - DEAD_MS)
    change = Manager.update(owner=owner(), seen_ms=now_ms).where((Manager.id == row.id) & free)
    return bool(change.execute())


def leave() -> None:
    """End all connections of this process."""
    while _keepers:
        _keepers.popitem()[1].close()
