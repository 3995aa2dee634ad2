"""The community: threads, and the posts in them. Pure."""

from __future__ import annotations

from dashboard.catalog.fields import ABUSE_REPORTS, AGE, AUTHOR, BODY, CATEGORY, STATUS, TAGS, TITLE
from dashboard.catalog.types import EventType, Field, Kind, Origin, maker
from dashboard.i18n.mark import N_

POST = (
    Field("thread_type", Kind.TEXT, N_("Thread type")),
    STATUS,
    CATEGORY,
    TAGS,
    TITLE,
    BODY,
    AUTHOR,
    Field("votes", Kind.NUMBER, N_("Votes")),
    ABUSE_REPORTS,
    AGE,
)

_community = maker("community", "personal")
_timer = maker("community", "personal", own=True, origin=Origin.TIMER)

TYPES: tuple[EventType, ...] = (
    _community("thread.created", N_("Thread created"), *POST),
    _community("thread.status_changed", N_("Thread status changed"), *POST),
    _timer("thread.moderation_due", N_("Thread moderation due"), *POST),
    _community("post.created", N_("Post created"), *POST),
    _community("post.deleted", N_("Post deleted"), *POST),
    _community("post.abuse_reported", N_("Abuse reported in a post"), *POST),
)
