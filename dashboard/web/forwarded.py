"""Notices forwarded headers that are sent and not believed: the settings name too few or too many proxies.

The log says it once per process, and *Operations* for a day after the last such request.
"""

from __future__ import annotations

import json
import logging
from typing import NamedTuple

import peewee
from flask import Flask, current_app, request

from dashboard import clock
from dashboard.models import Setting
from dashboard.web import assets

HEADERS = ("X-Forwarded-For", "X-Forwarded-Proto")
NAME = "forwarded_header"  # of the setting that holds the last one noticed
NOTED_EVERY_S = 3600  # by one process
SHOWN_S = 24 * 3600
log = logging.getLogger("stopa")


class Unbelieved(NamedTuple):
    """A header with `sent` values where STOPA_TRUSTED_PROXIES is `trusted`: 0, or more than were sent."""

    header: str
    sent: int
    trusted: int
    at_ts: int


def init(app: Flask) -> None:
    noted: list[int] = []  # moments at which this process has noted one

    @app.before_request
    def look() -> None:
        found = None if request.endpoint in assets.ENDPOINTS else _unbelieved()
        if found is None or (noted and 0 <= found.at_ts - noted[-1] < NOTED_EVERY_S):
            return
        if not noted:
            log.warning(
                "%s is sent and not believed: it has %d values, STOPA_TRUSTED_PROXIES is %d",
                *found[:3],
            )
        noted[:] = [found.at_ts]
        try:
            Setting.put(NAME, json.dumps(found))
        except peewee.OperationalError as error:  # a page must not fail for this
            log.warning("the header was not noted for Operations: %s", error)


def latest() -> Unbelieved | None:
    """Return the last header noticed, if that is recent and the setting has not been changed since."""
    value = Setting.select(Setting.value).where(Setting.name == NAME).scalar()
    found = Unbelieved(*json.loads(value)) if value else None
    if found is None or found.trusted != _trusted() or clock.now_s() - found.at_ts > SHOWN_S:
        return None
    return found


def _unbelieved() -> Unbelieved | None:
    for header in HEADERS:
        values = request.headers.get(header, "")
        if not values:
            continue
        sent, trusted = values.count(",") + 1, _trusted()
        if trusted == 0 or sent < trusted:
            return Unbelieved(header, sent, trusted, clock.now_s())
    return None


def _trusted() -> int:
    return int(current_app.config["STOPA"].trusted_proxies)
