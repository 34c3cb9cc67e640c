"""`/metrics` in Prometheus' words: how the site and its background work do, of nobody in particular.

Labels are doors, methods and statuses only: never an institution, a person, an address or a path.
"""

import hmac
import ipaddress
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connections
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError

from apps.tenancy.context import PLATFORM_ALIAS

if settings.METRICS_DIR:  # before the library, which opens its files there when it is imported
    Path(settings.METRICS_DIR).mkdir(parents=True, exist_ok=True)

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    multiprocess,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
#: Doors by the beginning of the address.
DOORS = (
    ("/api/", "api"),
    ("/admin/", "admin"),
    ("/metrics", "probe"),
    ("/health", "probe"),
    ("/readyz", "probe"),
)
SCORING = frozenset({"/api/v1/predict"})
SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)

REQUESTS = Counter("credisense_requests_total", "Requests answered", ["door", "method", "status"])
REQUEST_SECONDS = Histogram("credisense_request_seconds", "Time to answer", ["door"], buckets=SECONDS)
SCORE_SECONDS = Histogram("credisense_score_seconds", "Time to answer a request for scores", buckets=SECONDS)

#: Name, help, statement -> one number; NULL is left out. Read across institutions, never by institution.
FIGURES = (
    (
        "credisense_jobs_queued",
        "Jobs that wait for a worker",
        "SELECT count(*) FROM jobs_job WHERE status = 'queued'",
    ),
    (
        "credisense_jobs_oldest_seconds",
        "How long the oldest of them has waited",
        (
            "SELECT coalesce(extract(epoch FROM now() - min(queued_at)), 0) FROM jobs_job"
            " WHERE status = 'queued'"
        ),
    ),
    (
        "credisense_outbox_pending",
        "Messages to the outside that have not left",
        "SELECT count(*) FROM outbox_outboxmessage WHERE status = 'pending'",
    ),
    (
        "credisense_outbox_lag_seconds",
        "How late the oldest due message is",
        (
            "SELECT coalesce(greatest(extract(epoch FROM now() - min(next_attempt_at)), 0), 0)"
            " FROM outbox_outboxmessage WHERE status = 'pending'"
        ),
    ),
    (
        "credisense_champion_oldest_seconds",
        "How long the oldest model in production has been there",
        (
            "SELECT extract(epoch FROM now() - min(started_at)) FROM registry_championship c WHERE NOT EXISTS"
            " (SELECT FROM registry_championship n"
            " WHERE n.institution_id = c.institution_id AND n.follows_id = c.id)"
        ),
    ),
)

GetResponse = Callable[[HttpRequest], HttpResponse]


class MetricsMiddleware:
    """Counts and times every request; stands first, so that nothing is left out."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = self.get_response(request)
        seconds = time.perf_counter() - began
        door = next((name for start, name in DOORS if request.path.startswith(start)), "pages")
        method = request.method if request.method in METHODS else "other"
        _counter(door, method or "other", response.status_code).inc()
        _stopwatch(door).observe(seconds)
        if request.path in SCORING:
            SCORE_SECONDS.observe(seconds)
        return response


@cache
def _counter(door: str, method: str, status: int) -> Counter:
    return REQUESTS.labels(door, method, str(status))


@cache
def _stopwatch(door: str) -> Histogram:
    return REQUEST_SECONDS.labels(door)


class Background(Collector):
    """What is read when somebody asks: the queue, the outbox and the models in production."""

    def collect(self) -> Iterator[Metric]:
        for name, about, value in _figures():
            yield GaugeMetricFamily(name, about, value=value)
        length = _queue_length()
        yield GaugeMetricFamily(
            "credisense_broker_up", "Whether the broker answers", value=int(length is not None)
        )
        if length is not None:
            yield GaugeMetricFamily("credisense_queue_length", "Messages in the broker", value=length)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer to a declared address or to the bearer of the token; 403 to everybody else."""
    if not (_has_token(request) or _is_declared(request)):
        return HttpResponse("Forbidden\n", status=403, content_type="text/plain")
    registry = CollectorRegistry()
    if settings.METRICS_DIR:
        multiprocess.MultiProcessCollector(registry, settings.METRICS_DIR)  # type: ignore[no-untyped-call]
    own = b"" if settings.METRICS_DIR else generate_latest(REGISTRY)
    registry.register(Background())
    return HttpResponse(own + generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _has_token(request: HttpRequest) -> bool:
    scheme, _separator, token = request.headers.get("Authorization", "").partition(" ")
    wanted = settings.METRICS_TOKEN
    return (
        bool(wanted) and scheme.lower() == "bearer" and hmac.compare_digest(token.encode(), wanted.encode())
    )


def _is_declared(request: HttpRequest) -> bool:
    """Say whether the connection itself is declared: behind the proxy only the token opens."""
    if "X-Forwarded-For" in request.headers:
        return False
    try:
        address = ipaddress.ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return any(address in network for network in settings.METRICS_ADDRESSES)


def _figures() -> Iterator[tuple[str, str, float]]:
    try:
        with connections[PLATFORM_ALIAS].cursor() as cursor:
            for name, about, statement in FIGURES:
                cursor.execute(statement)
                value = cursor.fetchone()[0]
                if value is not None:
                    yield name, about, float(value)
    except DatabaseError:
        yield "credisense_database_up", "Whether the database answers", 0
    else:
        yield "credisense_database_up", "Whether the database answers", 1


def _queue_length() -> int | None:
    from config.celery import app

    if settings.CELERY_BROKER_URL.startswith("memory"):
        return 0
    queue = app.amqp.queues[app.conf.task_default_queue]
    try:
        with app.connection_for_read() as broker:
            broker.ensure_connection(max_retries=0, timeout=2)
            try:
                declared: Any = queue(broker.default_channel).queue_declare(passive=True)
                return int(declared.message_count)
            except broker.channel_errors:  # a queue that nothing was sent to yet, or that is empty in Redis
                return 0
    except (OSError, OperationalError):
        return None
