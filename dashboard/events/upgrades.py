"""Records that another version of Stopa runs on this database than before."""

from __future__ import annotations

from weakref import WeakSet

import peewee

from dashboard import settings
from dashboard.db import database
from dashboard.events import internal
from dashboard.models import Setting

NAME = "version"  # of the setting: the version that ran last
_NOTED: WeakSet[peewee.Database] = WeakSet()


def note() -> int:
    """Record an upgrade once across all workers. A worker tick, which looks once; returns 0, no work done.

    The first version on a database is no upgrade.
    """
    if database.obj in _NOTED:
        return 0
    now = settings.version()
    with database.atomic():
        before = Setting.select(Setting.value).where(Setting.name == NAME).scalar()
        if before is None:
            Setting.insert(name=NAME, value=now).on_conflict_ignore().execute()
        elif before != now:
            same = (Setting.name == NAME) & (Setting.value == before)
            if Setting.update(value=now).where(same).execute():
                internal.append("system.upgraded", {"version": now, "previous": before})
    _NOTED.add(database.obj)
    return 0
