"""Tasks of agents, and their logs of working time. Pure."""

from __future__ import annotations

from dashboard.catalog.fields import (
    ASSIGNEE,
    DESCRIPTION,
    DUE,
    PRIORITY,
    RELATED,
    STARTS,
    STATUS,
    SUBJECT,
    TIME_LOG,
)
from dashboard.catalog.types import EventType, Origin, maker
from dashboard.i18n.mark import N_

TASK = (ASSIGNEE, SUBJECT, DESCRIPTION, STATUS, PRIORITY, STARTS, DUE, RELATED)

_task = maker("tasks", "personal")
_timer = maker("tasks", "personal", own=True, origin=Origin.TIMER)
_log = maker("tasks", "personal", "user")

TYPES: tuple[EventType, ...] = (
    _task("task.created", N_("Task created"), *TASK),
    _task("task.updated", N_("Task changed"), *TASK),
    _task("task.deleted", N_("Task deleted"), *TASK),
    _task("task.assigned", N_("Task assigned"), *TASK),
    _task("task.started", N_("Task started"), *TASK),
    _task("task.completed", N_("Task completed"), *TASK),
    _timer("task.due", N_("Task due"), *TASK),
    _timer("task.overdue", N_("Task overdue"), *TASK),
    _log("time_log.created", N_("Time log created"), *TIME_LOG),
    _log("time_log.updated", N_("Time log changed"), *TIME_LOG),
    _log("time_log.deleted", N_("Time log deleted"), *TIME_LOG),
)
