"""Lets the demonstration go on while the server runs: what happens in the plan is stored as it happens.

It takes the way of every other source: events of types that are recorded are appended, digested by the worker
and evaluated by the rules. After a stop, `make` stores what happened meanwhile; what was open ends then.
"""

from __future__ import annotations

import logging
import threading

import peewee
from flask import Flask

from dashboard import clock, demo
from dashboard.db import connected, database, failure
from dashboard.demo import portal
from dashboard.events import record
from dashboard.ingest import admission

STEP_S = 3  # between two looks at the plan; the centre has an event every few seconds

log = logging.getLogger("stopa.demo")


class Life:
    """Stores the events of the plan whose time has come, every STEP_S in a thread of its own."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="demo")
        self._plan = demo.Upcoming([], 0)
        self._next = 0  # the first event of the plan that is not stored
        self._visitors = portal.Visitors()

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Stop after the present step."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._ending.wait(STEP_S):
            try:
                with self._app.app_context(), connected():
                    self.step()
            except peewee.PeeweeException as error:  # the same events are due at the next step
                log.warning("%s", failure.explain(error))

    def step(self) -> int:
        """Store the events whose time has come, none of the future, and return how many were new."""
        now = clock.now_s()
        self._visitors.step(now)
        source = record.source(demo.SOURCE)
        if now >= self._plan.until:
            with database.atomic():
                self._plan, self._next = demo.upcoming(source, now), 0
        events, end = self._plan.events, self._next
        while end < len(events) and events[end].time_ms <= now * 1000:
            end += 1
        due = events[self._next : end]
        if not due:
            return 0
        recorded = admission.current()
        stored = record.append(source.id, [event for event in due if recorded.takes(event)]).accepted
        self._next = end
        return stored
