"""How long each kind of data is kept, as the administrator set it."""

from __future__ import annotations

import json
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

from dashboard import clock
from dashboard.i18n import site_zone
from dashboard.models import Setting

NAME = "retention"  # of the setting: JSON of days by kind, with a version


class Kept(StrEnum):
    """The kinds of data that are deleted after a while."""

    CONTENT = "content"
    EVENTS = "events"
    INTERVALS = "intervals"
    AUDIT = "audit"
    EXPORTS = "exports"
    REFUSED = "refused"
    RUNS = "runs"


Days = dict[str, int | None]  # by Kept; None: kept for ever
DEFAULTS: Days = {kind: {Kept.EXPORTS: 1, Kept.REFUSED: 7, Kept.RUNS: 30}.get(kind) for kind in Kept}


class Periods(NamedTuple):
    """The days that each kind is kept; `version` counts how often they were saved."""

    days: Days
    version: int


def periods() -> Periods:
    return _read(_stored())


def days(kind: Kept) -> int | None:
    """Return the days that data of a kind are kept, None for ever."""
    return periods().days[kind]


def save(days: Days, version: int) -> bool:
    """Set the days in the caller's transaction; False when their version is no longer `version`."""
    stored = _stored()
    if _read(stored).version != version:
        return False
    value = json.dumps({**days, "version": version + 1})
    if stored is None:
        return bool(Setting.insert(name=NAME, value=value).on_conflict_ignore().as_rowcount().execute())
    same = (Setting.name == NAME) & (Setting.value == stored)
    return bool(Setting.update(value=value).where(same).execute())


def first_ms(days: int) -> int:
    """Return the beginning of what is kept, in ms UTC: midnight of the site, `days` before today."""
    zone = site_zone()
    on = clock.local_date(clock.now_s(), zone) - timedelta(days=days)
    return 1000 * clock.day(on, zone).start


def _stored() -> str | None:
    value: str | None = Setting.select(Setting.value).where(Setting.name == NAME).scalar()
    return value


def _read(stored: str | None) -> Periods:
    values = json.loads(stored or "{}")
    return Periods(
        {kind: values.get(kind, default) for kind, default in DEFAULTS.items()}, values.get("version", 0)
    )
