"""Schedules, and what their recipients got."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Any

from dashboard.access.permissions import Permission
from dashboard.models import (
    Schedule,
    ScheduleMail,
    ScheduleRecipient,
    User,
)
from dashboard.reports import schedules
from tests import make
from tests.notify.mail_server import Sink

P = Permission
RIGHTS = (P.QUEUES_FIGURES, P.TRACING_VIEW, P.TRACING_EXPORT_DATA, P.TRACING_EXPORT_PDF)
DUE = datetime(2026, 3, 9, 6, 0, tzinfo=UTC)  # a Monday, 07:00 in Prague
DAY_S = 86_400


def reader(login: str, grants: tuple[Any, ...] = ("all_users", "all_queues"), **fields: Any) -> User:
    access = make.access(RIGHTS, grants)
    return make.user(login, access=access, email=f"{login}@example.org", **fields)


def schedule(owner: User, *recipients: User, **columns: Any) -> Schedule:
    values: dict[str, Any] = {
        "name": "Calls",
        "report": "calls-by-queue",
        "query": "period=last_week",
        "frequency": "weekly",
        "weekdays": [1],
        "at": "07:00",
        "zone": "Europe/Prague",
        "format": "csv",
        "created_ts": 0,
        **columns,
    }
    row = Schedule(user=owner, **values)
    row.next_ts = schedules.next_of(row, int(DUE.timestamp()) - DAY_S)
    row.save(force_insert=True)
    for user in recipients or (owner,):
        ScheduleRecipient.create(schedule=row, user=user)
    return row


def states() -> dict[str, str]:
    query = ScheduleMail.select(User.login, ScheduleMail.state).join(User)
    return dict(query.order_by(ScheduleMail.id).tuples())


def attached(sink: Sink, to: str) -> list[dict[str, str]]:
    """Return the rows of the CSV that a recipient got."""
    [message] = [got for recipients, got in sink.got if recipients == [to]]
    [part] = list(message.iter_attachments())
    text = part.get_payload(decode=True).decode("utf-8-sig")
    lines = text.splitlines()
    return list(
        csv.DictReader(io.StringIO("\n".join(lines)), delimiter=csv.Sniffer().sniff(lines[0]).delimiter)
    )
