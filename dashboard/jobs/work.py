"""Durable work in the rows of a table: jobs, deliveries and deadlines are claimed, retried and given up here.

A row waits until it is due, is claimed by one worker under a lease, and is ended by its owner. A worker that
dies leaves its lease to expire; then the row waits again, so that work is done at least once. A row that
failed, or whose worker died, at every try of the retry table is given up: it stays as a dead letter in an
end state that its table chooses. A `group` bounds how many rows of one kind run at a time.
"""

from __future__ import annotations

import functools
import operator
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import peewee

from dashboard import clock
from dashboard.db import database, dialect
from dashboard.db.locks import Lock
from dashboard.db.prepared import Prepared, slot, update_row

WAITING, RUNNING = "waiting", "running"
JITTER = 0.1  # of a pause, either way

Row = TypeVar("Row", bound=peewee.Model)


@dataclass(frozen=True)
class Bounds:
    """How many rows of a group run at a time: `most`, or what `special` says for a group.

    All groups of `shared` together run at most `shared_most`.
    """

    most: int
    special: Mapping[Any, int] = field(default_factory=dict)
    shared: Collection[Any] = frozenset()
    shared_most: int = 0

    def full(self, running: Mapping[Any, int]) -> set[Any]:
        """Return the groups that may not begin another row, by the number that each runs."""
        found = {group for group, count in running.items() if count >= self.special.get(group, self.most)}
        if self.shared and sum(running.get(group, 0) for group in self.shared) >= self.shared_most:
            found.update(self.shared)
        return found


def pause_ms(retries_s: Sequence[int], attempts: int, asked_s: int = 0, chance: float = 0.5) -> int | None:
    """Return the milliseconds until the next try after `attempts` failed ones; None when none is left.

    `chance` in [0, 1) spreads the tries of many rows by JITTER. `asked_s` is the pause that a receiver
    requested: the first retry comes after it, be it shorter or longer than ours, the others no sooner.
    """
    if attempts > len(retries_s):
        return None
    if asked_s and attempts == 1:
        return asked_s * 1000
    spread = 1 - JITTER + 2 * JITTER * chance
    return max(int(retries_s[attempts - 1] * spread * 1000), asked_s * 1000)


@dataclass
class Work(Generic[Row]):
    """The work in a table with columns state, attempts, due_ms, lease_ms, worker and error.

    `give_up` ends a row whose worker died at every try; `lost` may deal with one whose lease expired, and
    returns whether it did. Both run in the transaction of a claim. `group` is an expression over the row.
    """

    model: type[Row]
    lock: Lock
    retries_s: Sequence[int]
    give_up: Callable[[Row], object]
    lost: Callable[[Row], bool] = lambda _row: False
    group: Any = None
    lease_ms: int = 60_000
    error_max: int = 1000

    def __post_init__(self) -> None:
        m: Any = self.model
        due, lost = self._claimable(slot("now"), None)
        free = self.group.is_null() | self.group.not_in([slot("full")]) if self.group is not None else None
        self._any = Prepared(lambda: m.select(m.id).where(due | lost).limit(1))
        self._take = Prepared(
            lambda: m.update(
                state=RUNNING, lease_ms=slot("lease"), worker=slot("worker"), attempts=m.attempts + 1
            ).where((m.state == WAITING) & m.id.in_([slot("ids")]))
        )
        self._expired = Prepared(lambda: m.select(m.id).where(lost))
        self._groups = Prepared(lambda: m.select(self.group).where(m.state == RUNNING))
        self._rows = Prepared(lambda: m.select().where(m.id.in_([slot("ids")])).order_by(m.due_ms, m.id))
        self._next = Prepared(
            lambda: (
                m.select(m.id, self.group)
                .where(due, free, m.id.not_in([slot("chosen")]))
                .order_by(m.due_ms, m.id)
                .limit(slot("room"))
            )
        )

    def claim(
        self,
        worker: str,
        where: Any = None,
        batch: Callable[[Row], tuple[Any, int]] | None = None,
    ) -> list[Row]:
        """Take the row that has been due longest, or none, for `worker`; looking in vain writes nothing.

        `batch` returns, for that row, the condition of the rows to take along with it (None: any) and how
        many to take in all. `where` narrows what is looked at.
        """

        def choose(due: Any) -> list[Row]:
            m: Any = self.model
            query = m.select().where(due).order_by(m.due_ms, m.id)
            found: list[Row] = list(query.limit(1))
            if found and batch is not None:
                alike, most = batch(found[0])
                found = list((query if alike is None else query.where(alike)).limit(most))
            return found

        return self._claim(worker, where, choose)

    def claim_grouped(self, worker: str, bounds: Callable[[], Bounds], most: int) -> list[Row]:
        """Take up to `most` rows that are due, longest first, as far as the bounds of their groups allow."""

        def choose(_due: Any) -> list[Row]:
            limits, now = bounds(), clock.now_ms()
            running = Counter(group for (group,) in self._groups.rows() if group is not None)
            chosen: list[int] = []
            left_out = True
            while left_out and len(chosen) < most:
                left_out, full = False, list(limits.full(running))
                room = most - len(chosen)
                for ident, group in self._next.rows(
                    now=now, full=full or [-1], chosen=chosen or [-1], room=room
                ):
                    if group in limits.full(running):
                        left_out = True
                        continue
                    chosen.append(ident)
                    if group is not None:
                        running[group] += 1
            return self._rows.models(self.model, ids=chosen)

        return self._claim(worker, None, choose)

    def _claim(self, worker: str, where: Any, choose: Callable[[Any], list[Row]]) -> list[Row]:
        moment = clock.now_ms()
        if not self.any_due(where):
            return []
        due, lost = self._claimable(moment, where)
        with database.atomic():
            dialect.one_at_a_time(self.lock)
            if self._expired.rows(now=moment):
                self._take_back(lost)
            return self._taken(choose(due), worker, moment)

    def any_due(self, where: Any = None) -> bool:
        """Say whether there is something to claim; costs one look at an index and no lock."""
        if where is None:
            return bool(self._any.rows(now=clock.now_ms()))
        m: Any = self.model
        due, lost = self._claimable(clock.now_ms(), where)
        return bool(m.select(m.id).where(due | lost).exists())

    def _claimable(self, moment: Any, where: Any) -> tuple[Any, Any]:
        """Return the conditions of rows that are due, and of those whose lease has expired."""
        m: Any = self.model
        due, lost = (m.state == WAITING) & (m.due_ms <= moment), (m.state == RUNNING) & (m.lease_ms < moment)
        return (due, lost) if where is None else (due & where, lost & where)

    def _taken(self, rows: Sequence[Any], worker: str, moment: int) -> list[Row]:
        """Mark rows as claimed; one that has been cancelled meanwhile is left out."""
        m: Any = self.model
        lease_ms = moment + self.lease_ms
        ids = [row.id for row in rows]
        if rows and self._take.run(ids=ids, lease=lease_ms, worker=worker).rowcount < len(rows):
            chosen = m.id.in_(ids)
            mine = (m.state == RUNNING) & (m.worker == worker) & (m.lease_ms == lease_ms)
            taken = {ident for (ident,) in m.select(m.id).where(chosen & mine).tuples()}
            rows = [row for row in rows if row.id in taken]
        for row in rows:
            row.state, row.attempts, row.worker = RUNNING, row.attempts + 1, worker
        return list(rows)

    def _take_back(self, lost: Any) -> None:
        """Release the rows of dead workers for a retry, or give them up."""
        m: Any = self.model
        for row in list(m.select().where(lost)):
            if self.lost(row):
                continue
            if row.attempts > len(self.retries_s):
                self.give_up(row)
            else:
                m.update(state=WAITING, lease_ms=None).where(self.as_claimed([row])).execute()

    def as_claimed(self, rows: Sequence[Any]) -> Any:
        """Return the condition that rows are as claim() left them, not taken up by another worker since."""
        m: Any = self.model
        each = [(m.id == row.id) & (m.attempts == row.attempts) & (m.state == RUNNING) for row in rows]
        return functools.reduce(operator.or_, each)

    def renew(self, rows: Sequence[Any]) -> None:
        """Renew the leases of claimed rows: their worker is alive."""
        m: Any = self.model
        m.update(lease_ms=clock.now_ms() + self.lease_ms).where(self.as_claimed(rows)).execute()

    def end(self, rows: Sequence[Any], state: str, **columns: Any) -> bool:
        """End claimed rows in a state; False when another worker has taken them up since."""
        values = {"state": state, "lease_ms": None, **self._cut(columns)}
        ended = [
            update_row(self.model, row.id, {"state": RUNNING, "attempts": row.attempts}, **values)
            for row in rows
        ]
        return any(ended)

    def retry(self, row: Row, pause_ms: int, **columns: Any) -> bool:
        """Release a claimed row for its next try; False if the lease was lost."""
        return self.end([row], WAITING, due_ms=clock.now_ms() + pause_ms, **columns)

    def release(self, rows: Sequence[Any]) -> None:
        """Give claimed rows back untried: the database was away, the work was not at fault."""
        for row in rows:
            self.end([row], WAITING, attempts=row.attempts - 1)

    def _cut(self, columns: dict[str, Any]) -> dict[str, Any]:
        if "error" in columns:
            columns["error"] = columns["error"][: self.error_max]
        return columns
