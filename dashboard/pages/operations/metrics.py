"""What monitoring reads: /readyz, and /metrics in the text format of Prometheus."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from flask import Blueprint, Flask, Response, abort, current_app, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from dashboard import clock, settings
from dashboard.access.guard import bearer, public
from dashboard.events import health, room
from dashboard.jobs import counters, heartbeat
from dashboard.models import Event, Source, SourceRhythm
from dashboard.pages.operations import queries
from dashboard.settings.readers import LOOPBACK
from dashboard.web import forwarded

COUNTERS = {  # by name in the table: what each counts
    "deliveries": "Deliveries and inside actions of rules that ended, by action and result.",
    "events": "Events read, by source and result.",
    "jobs": "Jobs of the worker, by kind and result.",
    "requests": "Requests answered, by route, method and status.",
    "sign_ins": "Attempts to sign in, by result.",
}

METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})

bp = Blueprint("monitoring", __name__)


@bp.get("/readyz")
@public
def ready() -> Response:
    """200 if events can be stored and are processed; else 503 with every reason, a line each."""
    problems = readiness()
    return Response("\n".join([*problems, ""]) or "ok\n", 503 if problems else 200, mimetype="text/plain")


def readiness() -> list[str]:
    """Return why this installation does not do its work: database, worker, disk."""
    if wrong := health.database_problem():
        return [f"database: {wrong}"]
    problems = []
    if not heartbeat.alive():
        problems.append("worker: none is alive")
    disk = health.folder()
    if disk is not None and disk.free_mb < current_app.config["STOPA"].disk_low_mb:
        rest = ", no events are taken" if room.is_scarce() else ""
        problems.append(f"disk: {disk.free_mb} MB free{rest}")
    return problems


@bp.get("/metrics")
@public
def metrics() -> Response:
    """Counters and gauges of the whole installation; 404 while off, 401 to those who may not read them."""
    allowed = current_app.config["STOPA"].metrics
    if not allowed:
        abort(404)
    if not (_is_local() if allowed == LOOPBACK else hmac.compare_digest(bearer().encode(), allowed.encode())):
        abort(401)
    counters.flush()
    registry = CollectorRegistry()
    registry.register(Collector())
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _is_local() -> bool:
    """Return whether this machine asks, and not a proxy on it for somebody else."""
    if any(request.headers.get(name) for name in (*forwarded.HEADERS, "Forwarded")):
        return False
    with suppress(ValueError):
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    return False


def init(app: Flask) -> None:
    """Count this process's requests and work if metrics are on."""
    counters.use(bool(app.config["STOPA"].metrics))

    @app.after_request
    def count(response: Response) -> Response:
        route = str(request.url_rule or "none")
        method = request.method if request.method in METHODS else "other"  # anybody may invent some
        counters.add("requests", route=route, method=method, status=response.status_code)
        return response


class Collector:
    """Reads the tables anew for each answer."""

    def collect(self) -> Iterator[Metric]:
        """Yield every metric; each query is bounded in time or rows."""
        now_ms = clock.now_ms()
        yield from _counters()
        yield _gauge("stopa_info", "Version of Stopa.", [([settings.version()], 1)], "version")
        yield from _work(now_ms)
        workers = [([name], age_s) for name, age_s in heartbeat.workers(now_ms)]
        help_ = "Seconds since a worker of the last day was alive."
        yield _gauge("stopa_worker_heartbeat_age_seconds", help_, workers, "worker")
        rhythms = SourceRhythm.select(Source.name, SourceRhythm.arrived_ms).join(Source).order_by(Source.name)
        silent = [([name], max(0, now_ms - arrived) / 1000) for name, arrived in rhythms.tuples()]
        help_ = "Seconds since a live source sent its last event."
        yield _gauge("stopa_source_silent_seconds", help_, silent, "source")
        latest = Event.select(Event.id).order_by(Event.id.desc()).limit(1).scalar() or 0
        yield _gauge("stopa_last_event_number", "Number of the newest event.", [([], latest)])
        yield _gauge("stopa_database_bytes", "Size of the database.", [([], health.database_bytes())])
        if (disk := health.folder()) is not None:
            yield _gauge("stopa_disk_free_bytes", "Free space where the data lies.", [([], disk.free)])


def _work(now_ms: int) -> Iterator[Metric]:
    jobs, timers = queries.jobs(now_ms), queries.timers(now_ms)
    waiting = [([job.kind, state], getattr(job, state)) for job in jobs for state in ("waiting", "running")]
    yield _gauge("stopa_jobs", "Jobs that are not finished.", waiting, "kind", "state")
    lag_s = next((job.oldest_s for job in jobs if job.kind == "digest"), None) or 0
    yield _gauge("stopa_digest_lag_seconds", "Age of the oldest event not processed.", [([], lag_s)])
    yield _gauge("stopa_timers_overdue", "Timers that are due.", [([], timers.overdue)])
    yield _gauge("stopa_timers_late_seconds", "Delay of the oldest due timer.", [([], timers.late_s or 0)])
    steps = [([state], number) for state, number in queries.deliveries().items()]
    yield _gauge("stopa_steps", "Steps of rule runs that are not done.", steps, "state")


def _counters() -> Iterator[Metric]:
    totals = counters.totals()
    sources = {str(ident): name for ident, name in Source.select(Source.id, Source.name).tuples()}
    for name, help_ in COUNTERS.items():
        mine = [(dict(key.labels), number) for key, number in totals if key.name == name]
        family = CounterMetricFamily(f"stopa_{name}", help_, labels=sorted(mine[0][0]) if mine else None)
        for labels, number in mine:
            if "source" in labels:
                labels["source"] = sources.get(labels["source"], "removed")
            family.add_metric([labels[label] for label in sorted(labels)], number)
        yield family


def _gauge(
    name: str, help_: str, rows: Iterable[tuple[Sequence[str], float]], *labels: str
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, help_, labels=labels)
    for values, number in rows:
        family.add_metric(values, number)
    return family
