"""A dashboard and a schedule of the demo data."""

from __future__ import annotations

from flask import current_app

from dashboard import clock
from dashboard.db import database
from dashboard.models import Dashboard, Schedule, ScheduleRecipient, Tile, User
from dashboard.reports import schedules

TODAY = "period=today"
TILES: tuple[dict[str, object], ...] = (  # in order
    {
        "kind": "figure",
        "width": 3,
        "report": "load-by-hour",
        "query": TODAY,
        "title": "Contacts today",
    },
    {
        "kind": "figure",
        "width": 3,
        "report": "calls-by-queue",
        "query": TODAY,
        "title": "Abandoned calls",
        "measure": "sum:is_abandoned",
        "warn": "above",
        "limit": 10,
    },
    {
        "kind": "figure",
        "width": 3,
        "report": "calls-by-queue",
        "query": TODAY,
        "title": "Average waiting",
        "measure": "avg:wait",
        "warn": "above",
        "limit": 20,
    },
    {"kind": "figure", "width": 3, "report": "calls-by-queue", "query": TODAY, "title": "Calls today"},
    {
        "kind": "table",
        "width": 6,
        "report": "calls-by-queue",
        "query": "group=queue&period=today",
        "title": "Calls by queue today",
    },
    {
        "kind": "chart",
        "width": 6,
        "report": "calls-by-queue",
        "query": "chart=bar&group=day&period=last_7_days",
        "title": "Calls of the last 7 days",
    },
    {"kind": "alarms", "width": 12},
)


def make(owner: User) -> None:
    """Add them at the first run; does nothing if there is a schedule."""
    if Schedule.select().exists():
        return
    with database.atomic():
        board = Dashboard.create(user=owner, name="Brno wall", shared="all", created_ts=clock.now_s())
        for position, tile in enumerate(TILES, 1):
            Tile.create(dashboard=board, position=position, **tile)
        row = Schedule(
            user=owner,
            name="Calls by queue, last week",
            report="calls-by-queue",
            query="period=last_week",
            frequency="weekly",
            weekdays=[1],
            at="07:00",
            zone=current_app.config["STOPA"].timezone,
            format="pdf",
            created_ts=clock.now_s(),
        )
        row.next_ts = schedules.next_of(row, clock.now_s())
        row.save(force_insert=True)
        for login in ("admin", "lead"):
            ScheduleRecipient.create(schedule=row, user=User.get(User.login == login))
