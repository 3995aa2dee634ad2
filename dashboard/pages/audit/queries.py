"""Queries of the page of one audit entry: the entry, and others of its request and about its target."""

from __future__ import annotations

from typing import Any

from dashboard.models import AuditEntry, User

NEAR = 20  # entries about the same target, the newest before and the oldest after
OF_REQUEST = 200  # rows of a bulk act that its page lists


def entry(ident: int) -> AuditEntry | None:
    found: AuditEntry | None = AuditEntry.get_or_none(AuditEntry.id == ident)
    return found


def actor(of: AuditEntry) -> User | None:
    """Return the user who acted, None for a key, a command or the system."""
    if of.actor_type != "user":
        return None
    found: User | None = User.get_or_none(User.id == of.actor_id)
    return found


def same_request(of: AuditEntry) -> list[AuditEntry]:
    """Return the entries of the same request, `of` among them, in order."""
    if not of.request_id:
        return []
    query = AuditEntry.select().where(AuditEntry.request_id == of.request_id)
    return list(query.order_by(AuditEntry.id).limit(OF_REQUEST))


def same_target(of: AuditEntry) -> list[AuditEntry]:
    """Return entries about the same target, `of` among them, the newest first."""
    e = AuditEntry
    if not of.target_type or not of.target_id or of.target_type == "batch":
        return []
    same = (e.target_type == of.target_type) & (e.target_id == of.target_id)
    order: tuple[Any, ...] = (e.occurred_ms.desc(), e.id.desc())
    older = same & ((e.occurred_ms < of.occurred_ms) | ((e.occurred_ms == of.occurred_ms) & (e.id <= of.id)))
    newer = same & ((e.occurred_ms > of.occurred_ms) | ((e.occurred_ms == of.occurred_ms) & (e.id > of.id)))
    after = e.select().where(newer).order_by(e.occurred_ms, e.id).limit(NEAR)
    return [*reversed(list(after)), *e.select().where(older).order_by(*order).limit(NEAR + 1)]
