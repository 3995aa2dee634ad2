"""The queues that contacts wait in. A queue is no personal datum: no scope."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from flask_babel import gettext as _
from flask_babel import ngettext

from dashboard import clock
from dashboard.access.permissions import Permission
from dashboard.catalog.channels import QUEUED
from dashboard.i18n import formats
from dashboard.i18n.message import N_
from dashboard.models import Queue
from dashboard.web.columns import STATE, Column, Texts
from dashboard.web.fields import Choice, Duration, NamedForm, TextLine, WholeNumber
from dashboard.web.resource import Resource

SLA_MAX_S = 86_400
MAX_WEIGHT = 1000


class QueueForm(NamedForm):
    name = TextLine(
        N_("Name in events"),
        120,
        hint=N_(
            "Must match the name used by the source. Events with a different name create a separate queue."
        ),
    )
    label = TextLine(
        N_("Label"), 200, required=False, hint=N_("Shown in the app. Leave empty to use the name.")
    )
    channel = Choice(N_("Channel"), QUEUED, default="call", problem=N_("Choose a channel."))
    sla_seconds = Duration(
        N_("Service level"),
        0,
        SLA_MAX_S,
        default=20,
        hint=N_("Contacts answered within this time count toward the service level."),
    )
    weight = WholeNumber(
        N_("Weight"),
        0,
        MAX_WEIGHT,
        default=0,
        hint=N_(
            "How important the queue is compared with others. Lists and reports can sort and group by it."
        ),
    )


class Queues(Resource[QueueForm]):
    model = Queue
    kind = "queue"
    form_class = QueueForm
    view = Permission.QUEUES_VIEW
    edit_permission = Permission.QUEUES_EDIT
    name_field = "label"
    texts = Texts(
        title=N_("Queues"),
        one=N_("Queue"),
        new=N_("New queue"),
        table=N_("Table of queues"),
        count=lambda number: ngettext("%(num)d queue", "%(num)d queues", number),
        no_match=N_("No matching queues"),
        none=N_("No queues yet"),
        none_hint=N_("Queues are created when an event first mentions them, or when you add them."),
        taken=N_("A queue with this name already exists."),
        leave=(
            N_("The queue is removed from lists and options. Its history is kept."),
            N_("Events that mention it are still accepted."),
        ),
        include=N_("Include deactivated queues"),
        picture="queue",
    )
    columns = (
        Column("label", N_("Label")),
        Column("name", N_("Name in events"), css="p2", cell_css="mono"),
        Column(
            "channel",
            N_("Channel"),
            show=lambda row: _(QUEUED[row.channel]) if row.channel in QUEUED else row.channel,
            css="p2",
        ),
        Column(
            "sla",
            N_("Service level"),
            lambda row: row.sla_seconds,
            lambda row: formats.duration(row.sla_seconds),
            css="n",
        ),
        Column(
            "weight", N_("Weight"), lambda row: row.weight, lambda row: formats.number(row.weight), css="n p2"
        ),
        STATE,
    )

    def below(self, row: Queue) -> str:
        return row.name

    def insert(self, form: QueueForm, context: Any) -> Queue:
        return Queue.create(created_ts=clock.now_s(), **form.values())


bp = Blueprint("queues", __name__, url_prefix="/queues")
Queues(bp)
