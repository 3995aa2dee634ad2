"""Tickets: what agents, customers, timers and counters do to them. Pure."""

from __future__ import annotations

from dataclasses import replace

from dashboard.catalog.fields import (
    ASSIGNEE,
    BUTTON,
    CHANNEL,
    COMMENT,
    COUNTED,
    CREATED,
    DEPARTMENT,
    DESCRIPTION,
    DUE,
    FORM,
    GROUP,
    IDLE,
    LANGUAGE,
    MESSAGE,
    MESSAGES_IN,
    MESSAGES_OUT,
    PRIORITY,
    RATING,
    RELATED,
    STARTS,
    STATUS,
    SUBJECT,
    TAGS,
    TIME_LOG,
    TITLE,
    TO,
    TO_USER,
    WAIT,
)
from dashboard.catalog.types import EventType, Field, Kind, Origin, maker
from dashboard.i18n.message import N_

NUMBER = Field("number", Kind.CODE, N_("Ticket number"))
WORK = Field("seconds", Kind.SECONDS, N_("Work time"), folded=True)
FOLLOW_UP = Field("followup_at", Kind.TIME, N_("Follow-up"), folded=True)
SLA_DUE = Field("sla_due_at", Kind.TIME, N_("SLA due date"))
ATTACHMENT = Field("attachment", Kind.TEXT, N_("Attachment"))
KIND = Field("kind", Kind.CHOICE, N_("Transfer type"), ("agent", "group", "department"))

# A condition on a domain reads it from the address; custom fields stand in `custom`, by path.
TICKET = (
    NUMBER,
    TITLE,
    MESSAGE,
    Field("message_direction", Kind.CHOICE, N_("Direction of the latest message"), ("in", "out")),
    Field("message_visibility", Kind.CHOICE, N_("Visibility of the latest message"), ("public", "private")),
    STATUS,
    PRIORITY,
    ASSIGNEE,
    Field("assignee_availability", Kind.TEXT, N_("Availability of the assignee")),
    DEPARTMENT,
    GROUP,
    Field("requester", Kind.TEXT, N_("Requester")),
    Field("requester_email", Kind.TEXT, N_("Requester's email")),
    Field("requester_verified", Kind.YES_NO, N_("Requester verified")),
    Field("requester_tags", Kind.LIST, N_("Requester's tags")),
    Field("organization", Kind.TEXT, N_("Organisation")),
    TAGS,
    LANGUAGE,
    CHANNEL,
    MESSAGES_IN,
    MESSAGES_OUT,
    Field("has_attachment", Kind.YES_NO, N_("Has an attachment")),
    Field("recipients", Kind.LIST, N_("Recipients")),
    Field("cc", Kind.LIST, N_("Copies to")),
    CREATED,
    Field("last_customer_message_at", Kind.TIME, N_("Last message of the customer")),
    Field("last_agent_message_at", Kind.TIME, N_("Last message of an agent")),
    Field("waiting_since", Kind.TIME, N_("Waiting since")),
    FOLLOW_UP,
    IDLE,
    Field("open_s", Kind.SECONDS, N_("Time open")),
    Field("times_reopened", Kind.NUMBER, N_("Times reopened")),
    SLA_DUE,
    Field("links", Kind.LIST, N_("Links")),
)

_agent = maker("tickets", "personal", "interaction", "user")
_any = maker("tickets", "personal", "interaction")
_frequent = maker("tickets", "personal", "interaction", "user", on=False)
_timer = maker("tickets", "personal", "interaction", internal=True, origin=Origin.TIMER)
_deadline = maker("tickets", "personal", "interaction", origin=Origin.TIMER)
_counter = maker("tickets", "personal", internal=True, origin=Origin.COUNTER)

TYPES: tuple[EventType, ...] = (
    _any("ticket.created", N_("Ticket created"), *TICKET, WORK),
    _any("ticket.updated", N_("Ticket updated"), *TICKET, WORK),
    _any("ticket.closed", N_("Ticket closed"), *TICKET, WORK),
    _any("ticket.reopened", N_("Ticket reopened"), *TICKET, WORK),
    _any("ticket.deleted", N_("Ticket deleted"), *TICKET),
    _any("ticket.status_changed", N_("Ticket status changed"), *TICKET),
    _any("ticket.priority_changed", N_("Ticket priority changed"), *TICKET),
    _any("ticket.assigned", N_("Ticket assigned"), *TICKET),
    _any("ticket.transferred", N_("Ticket transferred"), *TICKET, KIND, TO, TO_USER),
    _any("ticket.escalated", N_("Ticket escalated"), *TICKET),
    _any("ticket.merged", N_("Tickets merged"), *TICKET, RELATED),
    _any("ticket.split", N_("Ticket split"), *TICKET, RELATED),
    _any("ticket.linked", N_("Ticket linked"), *TICKET, RELATED),
    _any("ticket.tagged", N_("Ticket tagged"), *TICKET),
    _any("ticket.rated", N_("Ticket rated"), *TICKET, RATING, COMMENT),
    _any("ticket.spam_marked", N_("Ticket marked as spam"), *TICKET),
    _frequent("ticket.viewed", N_("Ticket viewed"), *TICKET),
    _any("ticket.message_received", N_("Ticket message received"), *TICKET),
    _any("ticket.message_sent", N_("Ticket message sent"), *TICKET),
    _any("ticket.comment_added", N_("Ticket comment added"), *TICKET, COMMENT),
    _any("ticket.attachment_added", N_("Ticket attachment added"), *TICKET, ATTACHMENT),
    _any("ticket.form_sent", N_("Form sent for a ticket"), *TICKET, FORM),
    _any("ticket.form_completed", N_("Form of a ticket completed"), *TICKET, FORM),
    _any("ticket.close_requested", N_("Ticket close requested by the customer"), *TICKET),
    _any("ticket.time_logged", N_("Time logged on a ticket"), *TICKET, *TIME_LOG),
    _any("ticket.followup_scheduled", N_("Ticket follow-up scheduled"), *TICKET),
    _timer("ticket.followup_due", N_("Ticket follow-up due"), *TICKET),
    _any("ticket.followup_done", N_("Ticket follow-up completed"), *TICKET),
    _timer("ticket.waiting", N_("Ticket waiting"), *TICKET, WAIT),
    _timer("ticket.idle", N_("Ticket idle"), *TICKET),
    _timer("ticket.age_reached", N_("Ticket age reached"), *TICKET),
    _deadline("ticket.sla_warning", N_("Ticket SLA at risk"), *TICKET),
    _deadline("ticket.sla_breached", N_("Ticket SLA breached"), *TICKET),
    _counter("ticket.count_reached", N_("Number of tickets reached"), *COUNTED),
    _agent("ticket.manual", N_("Manual ticket event"), *TICKET, BUTTON),
)


TASK_DUE = replace(DUE, folded=True)  # a deadline hangs on it
TASK = (ASSIGNEE, SUBJECT, DESCRIPTION, STATUS, PRIORITY, STARTS, TASK_DUE, RELATED)

_task = maker("tasks", "personal")
_task_timer = maker("tasks", "personal", internal=True, origin=Origin.TIMER)
_log = maker("tasks", "personal", "user")

TASK_TYPES: tuple[EventType, ...] = (
    _task("task.created", N_("Task created"), *TASK),
    _task("task.updated", N_("Task changed"), *TASK),
    _task("task.deleted", N_("Task deleted"), *TASK),
    _task("task.assigned", N_("Task assigned"), *TASK),
    _task("task.started", N_("Task started"), *TASK),
    _task("task.completed", N_("Task completed"), *TASK),
    _task_timer("task.due", N_("Task due"), *TASK),
    _task_timer("task.overdue", N_("Task overdue"), *TASK),
    _log("time_log.created", N_("Time log created"), *TIME_LOG),
    _log("time_log.updated", N_("Time log changed"), *TIME_LOG),
    _log("time_log.deleted", N_("Time log deleted"), *TIME_LOG),
)
