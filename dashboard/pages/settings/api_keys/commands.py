"""Changes of keys: one verb, one transaction, its audit entry inside."""

from __future__ import annotations

from dashboard import clock
from dashboard.access import granting, keys
from dashboard.access.granting import RefusedError
from dashboard.access.permissions import Permission
from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.i18n.mark import N_
from dashboard.models import ApiKey
from dashboard.pages.settings.api_keys.forms import Asked

READS_ALL = N_("A key that reads sees all users and queues. Your own access does not.")


class TakenError(Exception):
    """A key that is not revoked has this name, perhaps because the form was sent twice."""


def create(viewer_id: int, asked: Asked) -> str:
    """Add a key and return its only plain copy; raises TakenError, RefusedError."""
    with granting.changing(viewer_id) as giver:
        whole = giver.scope.users is None and giver.scope.queues is None
        if asked.allow == "read" and not (whole and giver.may_permit(Permission.TRACING_VIEW)):
            raise RefusedError(READS_ALL)
        if ApiKey.select().where((ApiKey.name == asked.name) & ApiKey.revoked_ts.is_null()).exists():
            raise TakenError
        plain = keys.make(asked.name, asked.source, asked.allow, makes=not asked.known_only)
        row = ApiKey.get(ApiKey.key_hash == keys.digest(plain))
        details = {"source": asked.source, "allow": asked.allow, "known_only": asked.known_only}
        audit.record("key.created", "c", _target(row), details=details)
    return plain


def revoke(row: ApiKey) -> None:
    """Let nobody in with the key any more; what it sent stays. Twice is once."""
    live = (ApiKey.id == row.id) & ApiKey.revoked_ts.is_null()
    with database.atomic():
        if ApiKey.update(revoked_ts=clock.now_s()).where(live).execute():
            audit.record("key.revoked", "u", _target(row), {"revoked": (False, True)})


def _target(row: ApiKey) -> tuple[str, object, str]:
    return ("key", row.id, row.name)
