"""Plans the jobs that run once a night."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from datetime import time as day_time

from dashboard import clock
from dashboard.db import database
from dashboard.i18n import site_zone
from dashboard.jobs import queue
from dashboard.models import Setting

EVERY_S = 60


class Nightly:
    """A job of `kind` at `hour` in the site's time zone; the setting `due` keeps the next time."""

    def __init__(self, kind: str, hour: day_time, due: str) -> None:
        self.kind, self.hour, self.due = kind, hour, due
        self._looked_s: float | None = None

    def plan(self, every_s: float = EVERY_S) -> int:
        """Queue the job when its hour has come, once for all workers. A worker tick; returns 0, no work done.

        An installation that starts waits for its first night.
        """
        if self._looked_s is not None and time.monotonic() - self._looked_s < every_s:
            return 0
        self._looked_s = time.monotonic()
        with database.atomic():
            due_ms = Setting.select(Setting.value).where(Setting.name == self.due).scalar()
            if due_ms is None:
                Setting.put(self.due, str(self.next_ms()))
            elif clock.now_ms() >= int(due_ms):
                seen = (Setting.name == self.due) & (Setting.value == due_ms)
                if Setting.update(value=str(self.next_ms())).where(seen).execute():
                    queue.enqueue(self.kind, {}, key=self.kind)
        return 0

    def next_ms(self) -> int:
        """Return when the next night's run is due, in ms UTC."""
        zone, now = site_zone(), clock.now_s()
        on = clock.local_date(now, zone)
        tonight = clock.resolve(datetime.combine(on, self.hour), zone)
        tomorrow = clock.resolve(datetime.combine(on + timedelta(days=1), self.hour), zone)
        return 1000 * (tonight if tonight > now else tomorrow)
