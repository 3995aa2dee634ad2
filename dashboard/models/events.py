"""The event log, and the sources, contacts and interactions that events refer to."""

from __future__ import annotations

import peewee as pw
from peewee import JSONField

from dashboard.db import Model
from dashboard.models.people import Queue, User


class Source(Model):
    """Where events come from. Activities left open by a file source end at its last line (`last_ms`);
    those of a live source continue. `csv_options` are those of its last CSV import, as JSON."""

    id = pw.AutoField()
    name = pw.CharField(120, unique=True)
    is_file = pw.BooleanField(default=False)
    last_ms = pw.BigIntegerField(null=True)
    presence = pw.CharField(20, default="recorded")  # a PresenceOf: of members who never join a queue
    csv_options = pw.TextField(null=True)
    paused_ms = pw.BigIntegerField(null=True)  # since when its events are not taken
    created_ts = pw.BigIntegerField()


class Follow(Model):
    """The growing log that a source is read from, and up to where; see growing_log.Position."""

    source_id: int
    source = pw.ForeignKeyField(Source, primary_key=True, on_delete="CASCADE")
    path = pw.TextField()
    inode = pw.BigIntegerField()
    offset = pw.BigIntegerField()
    line = pw.BigIntegerField()
    began = pw.BigIntegerField()
    mark = pw.CharField(32)
    reached = pw.BigIntegerField()
    read_ms = pw.BigIntegerField()  # when its last lines were read
    encoding = pw.CharField(20, default="")
    lease_ms = pw.BigIntegerField(null=True)  # until when a worker reads it; null: workers do not
    worker = pw.CharField(80, default="")
    problem = pw.CharField(10, default="")  # a Problem of ingest.followed


class SourceRhythm(Model):
    """When events of a live source arrive; see ingest.silence."""

    source = pw.ForeignKeyField(Source, primary_key=True, on_delete="CASCADE")
    arrived_ms = pw.BigIntegerField()
    due_ms = pw.BigIntegerField(null=True)  # when it counts as silent; null: it may be for long
    silent_ms = pw.BigIntegerField(null=True)  # since when it does
    hours = JSONField()


class SourceHour(Model):
    """The events of a source that arrived in an hour, UTC; see events.source_hours. Kept for a week."""

    source = pw.ForeignKeyField(Source, on_delete="CASCADE")
    hour_ts = pw.BigIntegerField()
    events = pw.IntegerField()
    ahead = pw.IntegerField()  # of them, ahead of the server's clock
    last_id = pw.BigIntegerField()  # the last event, and when it arrived
    last_ms = pw.BigIntegerField()
    delays = JSONField()  # ms between the event's time and its arrival, rounded → events

    class Meta:
        primary_key = pw.CompositeKey("source", "hour_ts")


class Contact(Model):
    """A customer, identified by source and `key` (phone, else email, else name)."""

    id = pw.AutoField()
    key = pw.CharField(300, unique=True)
    name = pw.CharField(200, default="")
    phone = pw.CharField(60, default="")
    email = pw.CharField(254, default="")
    search = pw.TextField(default="")  # what it is found by, see db.search.of_contact


class Interaction(Model):
    """A customer contact on a channel in a queue. Several users may work on it.

    All columns except the key are a projection of the events and can be rebuilt while these are kept.
    """

    id = pw.BigAutoField()
    source = pw.ForeignKeyField(Source, on_delete="RESTRICT")
    external_id = pw.CharField(200)
    channel = pw.CharField(20, default="")
    direction = pw.CharField(10, default="")  # in, out, internal, or unknown ""
    queue_id = pw.IntegerField(null=True)
    contact_id = pw.IntegerField(null=True)
    first_ms = pw.BigIntegerField(null=True)
    queued_ts = pw.BigIntegerField(null=True)
    answered_ts = pw.BigIntegerField(null=True)
    ended_ts = pw.BigIntegerField(null=True)
    wait_s = pw.IntegerField(null=True)
    talk_s = pw.IntegerField(default=0)
    outcome = pw.CharField(20, default="")  # answered, abandoned, missed, or "" while unknown
    reason = pw.CharField(40, default="")
    timeouts = pw.IntegerField(null=True)  # earlier stays in the queue that timed out
    # Bound of a call, ringing or wait whose end never came, and when time alone bounds it.
    end_bound = pw.BigIntegerField(null=True)
    end_reason = pw.CharField(20, null=True)
    expires_ts = pw.BigIntegerField(null=True)
    completed_by = pw.IntegerField(null=True)  # the user who closed it last
    frozen_ms = pw.BigIntegerField(null=True)  # when its events were deleted; it is not folded again

    class Meta:
        indexes = (
            (("source", "external_id"), True),
            (("queue_id", "first_ms"), False),
            (("first_ms", "channel"), False),
        )


# Partial index of the interactions that are waiting: neither answered nor ended.
Interaction.add_index(
    Interaction.index(Interaction.queue_id, Interaction.queued_ts, name="interaction_waiting").where(
        Interaction.answered_ts.is_null() & Interaction.ended_ts.is_null()
    )
)


Interaction.add_index(
    Interaction.index(Interaction.expires_ts, name="interaction_expires").where(
        Interaction.expires_ts.is_null(False)
    )
)


class Event(Model):
    """One immutable fact at one instant. `id` is the order of arrival; (source, external_id) is unique.

    Events of one source in the same millisecond are in the order of `uid`, the number that the source gave,
    where each has one. `seq` is the line in a file, otherwise 0, and `file_ts` the second of the file's first
    record; they order what the types of events leave equal.
    `data` is the JSON text of an object as received. A CloudEvent has an `envelope`, the JSON text of its
    attributes and of data that is no object, and an `external_id` made of its source and id;
    `time_of_arrival` says that it gave no time.
    """

    id = pw.BigAutoField()
    source_id = pw.IntegerField()
    external_id = pw.CharField(200)
    type = pw.CharField(80)
    time_ms = pw.BigIntegerField()
    recorded_ms = pw.BigIntegerField()
    seq = pw.IntegerField(default=0)
    file_ts = pw.BigIntegerField(null=True)
    uid = pw.BigIntegerField(null=True)
    user_id = pw.IntegerField(null=True)
    queue_id = pw.IntegerField(null=True)
    interaction = pw.CharField(200, null=True)  # external id; its row is created by the projection
    contact = pw.TextField(null=True)  # JSON as received; its row is created by the projection
    session = pw.CharField(200, null=True)
    data = pw.TextField(default="{}")
    envelope = pw.TextField(null=True)
    time_of_arrival = pw.BooleanField(null=True)

    class Meta:
        indexes = (
            (("source_id", "external_id"), True),
            (("user_id", "time_ms", "type"), False),
            (("type", "time_ms"), False),
            (("time_ms",), False),
            (("source_id", "interaction"), False),
        )


class RefusedEvent(Model):
    """A record that a source sent and that is no event: why, and the beginning of its text, masked.

    `line` is that of the `file`, or of a body of JSON lines. `errors` is JSON: by field the message, see
    `Message.as_json`.
    """

    id = pw.BigAutoField()
    source_id = pw.IntegerField()
    recorded_ms = pw.BigIntegerField()
    file = pw.CharField(200, default="")
    line = pw.IntegerField(null=True)
    errors = pw.TextField()
    text = pw.TextField(default="")

    class Meta:
        indexes = (
            (("recorded_ms",), False),
            (("source_id", "recorded_ms"), False),
        )


__all__ = ["Contact", "Event", "Interaction", "Queue", "RefusedEvent", "Source", "User"]


# Ranges of the event API: one equal value in the order of arrival.
Event.add_index(Event.index(Event.type, Event.id, name="event_type_id"))
for _column in (Event.user_id, Event.queue_id, Event.interaction, Event.session):
    _name = f"event_{_column.name.removesuffix('_id')}_id"
    Event.add_index(Event.index(_column, Event.id, name=_name).where(_column.is_null(False)))
_DUE = SourceRhythm.due_ms
SourceRhythm.add_index(SourceRhythm.index(_DUE, name="source_rhythm_due").where(_DUE.is_null(False)))
Event.add_index(
    Event.index(Event.user_id, name="event_corrections").where(Event.type == "agent.time_corrected")
)
