"""A contact centre's half a year of work, straight in the tables of the fold.

Five users make 100,000 activities; a larger site is that one copied, user by user. So one user's
day holds the same rows in a file of any size, lying scattered as a live system would have left them.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from dashboard.access import keys, sessions
from dashboard.access.permissions import Permission
from dashboard.db import connected, migrate, open_database
from dashboard.events import record
from dashboard.models import Access, AccessGrant, Queue, Source, User
from dashboard.settings import Settings
from dashboard.tracing import store

T0 = 1_767_571_200  # Monday 2026-01-05 00:00 UTC
DAY_S = 86_400
DAYS = 180
QUIET = 0.15  # a weekend day's load, as part of a working day's
BASE_USERS = 5
QUEUES, CONTACTS = 30, 1000
CHANNELS = (("call", "call"), ("email", "email"), ("chat", "webchat"), ("chat", "whatsapp"))
WEIGHTS = (50, 15, 25, 10)
SECRET = "0" * 32


def _until(columns: tuple[str, ...], last: str) -> tuple[str, ...]:
    return columns[: columns.index(last) + 1]


# The columns that are filled, by table; what follows them has a default.
COPIED = {
    "interaction": _until(store.INTERACTION_COLUMNS, "reason"),
    "activity": _until(store.ACTIVITY_COLUMNS, "long"),
    "interval": ("id", *_until(store.INTERVAL_COLUMNS, "closed_ms")),
    "event": ("id", *record.COLUMNS),
}
# How a copied row differs from its model: numbers are spread, a minute keeps copies from coinciding.
SPREAD = {
    "id": "(t.id - 1) * :copies + c.n + 1",
    "interaction_id": "(t.interaction_id - 1) * :copies + c.n + 1",
    "activity_id": "(t.activity_id - 1) * :copies + c.n + 1",
    "user_id": "t.user_id + c.n * 5",
    "external_id": "t.external_id || '-' || c.n",
    "interaction": "t.interaction || '-' || c.n",
    **{
        name: f"t.{name} + c.n % 60"
        for name in ("queued_ts", "answered_ts", "ended_ts", "start_ts", "end_ts", "closed_ts")
    },
    **{
        name: f"t.{name} + c.n % 60 * 1000"
        for name in ("first_ms", "time_ms", "recorded_ms", "opened_ms", "closed_ms")
    },
}
Rows = dict[str, list[tuple[Any, ...]]]


class Site(NamedTuple):
    """A filled database file and the proofs that open its doors."""

    path: Path
    users: int
    token: str
    ingest_key: str
    read_key: str


def make(path: Path, rows: int, base: Site | None = None) -> Site:
    """Return a site of about `rows` activities at `path`; an existing file is taken as it is.

    `base` is the site of five users that a larger one is copied from. A million rows take some
    40 seconds and 1.3 GB.
    """
    users = BASE_USERS if base is None else max(1, rows // 100_000) * BASE_USERS
    if not path.exists():
        _empty(path, users)
        raw = sqlite3.connect(path, isolation_level=None)
        if base is None:
            _without_indexes(raw, lambda: _base(raw, rows))
        else:
            raw.execute("ATTACH ? AS base", (str(base.path),))
            _without_indexes(raw, lambda: _copies(raw, users // BASE_USERS))
        raw.close()
    return opened(path, users)


def opened(path: Path, users: int) -> Site:
    """Return the site with a fresh session of its first user, who sees all, and fresh keys."""
    open_database(f"sqlite:///{path}")
    with connected():
        token = sessions.start(User.get_by_id(1), "127.0.0.1")
        return Site(
            path, users, token, keys.make("bench", "bench", "ingest"), keys.make("bench", "bench", "read")
        )


def settings(place: Path | str) -> Settings:
    """Return the settings for a file, or for the URL of a database."""
    url = place if isinstance(place, str) and "://" in place else f"sqlite:///{place}"
    return Settings(database=url, secret_key=SECRET)


def empty(path: Path) -> Site:
    """Return a site of five users and no event at all."""
    _empty(path, BASE_USERS)
    return opened(path, BASE_USERS)


def days() -> Iterator[int]:
    """Yield the numbers of the working days that pages may ask for, from the third week on."""
    return (day for day in range(14, DAYS) if day % 7 < 5)


def _empty(path: Path, users: int) -> None:
    db = open_database(f"sqlite:///{path}")
    with connected():
        migrate.run(db)
        Source.create(name="site", created_ts=T0)
        access = Access.create(name="All", permissions=sorted(p.value for p in Permission))
        for kind in ("all_users", "all_queues"):
            AccessGrant.create(access=access, kind=kind)
        with db.atomic():
            User.insert_many(
                {
                    "login": f"agent{n:04}",
                    "name": f"Agent {n:04}",
                    "created_ts": T0,
                    "access": access if n == 1 else None,
                }
                for n in range(1, users + 1)
            ).execute()
            Queue.insert_many(
                {"name": f"queue{n:02}", "label": f"Queue {n:02}", "created_ts": T0}
                for n in range(1, QUEUES + 1)
            ).execute()


def _without_indexes(raw: sqlite3.Connection, fill: Callable[[], None]) -> None:
    """Fill the tables bare and index them afterwards: sorting once is a third of the work."""
    raw.execute("PRAGMA synchronous = off")
    raw.execute("PRAGMA cache_size = -256000")
    tables = ", ".join(f"'{name}'" for name in COPIED)
    found = raw.execute(
        f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name IN ({tables}) AND sql <> ''"
    ).fetchall()
    for name, _sql in found:
        raw.execute(f'DROP INDEX "{name}"')
    raw.execute("BEGIN")
    fill()
    raw.execute("COMMIT")
    for _name, sql in found:
        raw.execute(sql)
    raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _base(raw: sqlite3.Connection, rows: int) -> None:
    dice = random.Random(1)
    people = [(n, f"1:{n}", f"Customer {n}", f"+42060000{n:04}", "") for n in range(1, CONTACTS + 1)]
    _insert(raw, "contact", ("id", "key", "name", "phone", "email"), people)
    loads = [1.0 if day % 7 < 5 else QUIET for day in range(DAYS)]
    for day, load in enumerate(loads):
        made: Rows = {name: [] for name in COPIED}
        work = round(rows * load / sum(loads) / BASE_USERS)
        for user in range(1, BASE_USERS + 1):
            _presence(made["interval"], user, T0 + day * DAY_S)
        starts = sorted(
            (T0 + day * DAY_S + dice.randrange(8 * 3600, 17 * 3600), user)
            for user in range(1, BASE_USERS + 1)
            for _ in range(work)
        )
        for number, (start, user) in enumerate(starts, _rows(raw, "activity") + 1):
            _work(made, dice, number, user, start)
        for table, columns in COPIED.items():
            given = columns if table in ("interaction", "activity") else columns[1:]
            _insert(raw, table, given, made[table])


def _presence(intervals: list[tuple[Any, ...]], user: int, day: int) -> None:
    def add(kind: int, start: float, end: float, label: str = "", paid: bool = False) -> None:
        first, last = day + int(start * 3600), day + int(end * 3600)
        intervals.append(
            (
                user,
                kind,
                "",
                first,
                last,
                0,
                None,
                None,
                1,
                "",
                label,
                paid,
                0,
                None,
                first * 1000,
                last * 1000,
            )
        )

    add(1, 7.9, 17.5)
    for start, end in ((8, 10), (10.25, 12), (12.5, 17.4)):
        add(2, start, end)
    add(3, 10, 10.25, "break", True)
    add(3, 12, 12.5, "lunch")


def _work(made: Rows, dice: random.Random, number: int, user: int, start: int) -> None:
    """Add one interaction of one user: facts, activity, segments, its first and last event."""
    kind, channel = dice.choices(CHANNELS, WEIGHTS)[0]
    seconds = min(int(dice.expovariate(1 / 150)) + 5, 1800)
    end, queue, contact = start + seconds, dice.randint(1, QUEUES), dice.randint(1, CONTACTS)
    talk = seconds * 9 // 10 if kind == "call" else 0
    name = f"c{number:010}"
    made["interaction"].append(
        (
            number,
            1,
            name,
            channel,
            "in",
            queue,
            contact,
            (start - 20) * 1000,
            start - 20,
            start,
            end,
            20,
            talk,
            "answered",
            "",
        )
    )
    made["activity"].append(
        (
            number,
            number,
            user,
            0,
            1,
            channel,
            "in",
            "closed",
            queue,
            contact,
            "",
            start,
            end,
            end,
            0,
            seconds,
            talk,
            0,
            0,
            0,
        )
    )
    for segment, last in ((5, end), (6, start + talk)):
        if segment == 5 or talk:
            made["interval"].append(
                (user, segment, channel, start, last, 0, number, queue, 1, "", "", 0, 0, None, 0, None)
            )
    data = payload(number, channel if kind == "chat" else None)
    for step, moment in (("accepted", start), ("closed", end)):
        ms = moment * 1000
        made["event"].append(
            (1, f"{name}.{step}", f"{kind}.{step}", ms, ms, 0, user, queue, name, None, None, data)
        )


def payload(number: int, channel: str | None = None) -> str:
    """Return an event's data of some 190 bytes."""
    first = f'"channel":"{channel}",' if channel else ""
    return (
        f'{{{first}"ref":"{number:010d}","pbx":"pbx-{number % 4}","trunk":"sip/{number % 97}",'
        f'"codec":"opus","tags":["invoice","refund"],"disposition":"solved","score":{number % 11},'
        f'"note":"asked about the delivery of an order","recording":true}}'
    )


def _copies(raw: sqlite3.Connection, copies: int) -> None:
    raw.execute("CREATE TEMP TABLE copy (n INTEGER PRIMARY KEY)")
    raw.executemany("INSERT INTO copy VALUES (?)", ((n,) for n in range(copies)))
    raw.execute("INSERT INTO contact SELECT * FROM base.contact")
    for table, columns in COPIED.items():
        names = ", ".join(f'"{name}"' for name in columns)
        values = ", ".join(SPREAD.get(name, f't."{name}"') for name in columns)
        raw.execute(
            f"INSERT INTO {table} ({names}) SELECT {values} FROM base.{table} t CROSS JOIN copy c",
            {"copies": copies},
        )


def _insert(
    raw: sqlite3.Connection, table: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]
) -> None:
    names = ", ".join(f'"{name}"' for name in columns)
    raw.executemany(f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(columns))})", rows)


def _rows(raw: sqlite3.Connection, table: str) -> int:
    return int(raw.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()[0])
