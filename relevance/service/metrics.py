"""What the service counts, as Prometheus reads it. With several workers, the counts of all of them: prometheus_client
keeps them in files of the folder that $PROMETHEUS_MULTIPROC_DIR names."""

import os
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import NamedTuple, TypeVar

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector

from relevance.results import CategoryFilter, Fallback, SearchResult
from relevance.text import MAX_CHARACTERS

Written = TypeVar("Written")

_SECONDS = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0)
_RECENT = 2000
"""Queries of an endpoint that the drift is told from: the latest of the worker that is asked."""


class Gauge(NamedTuple):
    """Something measured when it is asked for; value: one, or one an endpoint."""

    name: str
    help: str
    value: float | Mapping[str, float]


Gauges = Callable[[], Iterable[Gauge]]


class Metrics:
    """Counters and durations, and the latest queries."""

    def __init__(self) -> None:
        self._recent: defaultdict[str, deque[str]] = defaultdict(lambda: deque(maxlen=_RECENT))
        self._registry = registry = CollectorRegistry()
        self._requests = Counter("relevance_requests", "Requests answered.", ("endpoint", "status"), registry=registry)
        self._request_seconds = Histogram(
            "relevance_request_seconds", "From request to answer.", ("endpoint",), registry=registry, buckets=_SECONDS
        )
        self._searches = Counter(
            "relevance_searches",
            "Searches: words found listings, the fallback rescued, or abstained; or their time was up.",
            ("outcome",),
            registry=registry,
        )
        self._fallbacks = Counter(
            "relevance_fallbacks", "Fallbacks asked for alone: rescued, or abstained.", ("outcome",), registry=registry
        )
        self._filters = Counter(
            "relevance_category_filters", "Category filters told.", ("endpoint", "mode"), registry=registry
        )
        self._stage_seconds = Histogram(
            "relevance_stage_seconds", "Stages of a search.", ("stage",), registry=registry, buckets=_SECONDS
        )
        self._written = Counter("relevance_written", "Listings and events taken in.", ("kind",), registry=registry)

    def request(self, endpoint: str, status: int, seconds: float) -> None:
        """Counts one request."""
        self._requests.labels(endpoint, str(status)).inc()
        self._request_seconds.labels(endpoint).observe(seconds)

    def search(self, result: SearchResult) -> None:
        """Counts one search: its outcome, its category filter, its stages."""
        self._searches.labels(outcome(result)).inc()
        if "query" in result.timings:  # else its time was up before it was read
            self._told(result.query, "/search", result.category_filter)
        for stage, milliseconds in result.timings.items():
            self._stage_seconds.labels(stage).observe(milliseconds / 1000)

    def category_filter(self, query: str, found: CategoryFilter) -> None:
        """Counts one category filter asked for alone."""
        self._told(query, "/category-filter", found)

    def fallback(self, query: str, found: Fallback) -> None:
        """Counts one fallback asked for alone."""
        self._remember(query, "/fallback")
        self._fallbacks.labels(fallback_outcome(found)).inc()

    def recent(self) -> dict[str, Sequence[str]]:
        """Returns the latest queries of each endpoint that was asked any, as far as models read them."""
        return {endpoint: tuple(queries) for endpoint, queries in self._recent.copy().items()}

    def _told(self, query: str, endpoint: str, found: CategoryFilter) -> None:
        self._remember(query, endpoint)
        self._filters.labels(endpoint, found.mode).inc()

    def _remember(self, query: str, endpoint: str) -> None:
        self._recent[endpoint].append(query[:MAX_CHARACTERS])

    def counted(self, kind: str, writing: "Future[Written]", number: Callable[[Written], int]) -> "Future[Written]":
        """Counts what was written once it is, also where nobody waits for it any more; number: of its result."""

        def count(done: "Future[Written]") -> None:
            if not done.cancelled() and done.exception() is None:
                self._written.labels(kind).inc(number(done.result()))

        writing.add_done_callback(count)
        return writing

    def text(self, gauges: Gauges) -> bytes:
        """Returns everything in Prometheus' text format."""
        shown = CollectorRegistry()
        shown.register(_Measured(gauges))
        counted = self._registry
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            counted = CollectorRegistry()
            MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
        return generate_latest(counted) + generate_latest(shown)


def outcome(result: SearchResult) -> str:
    """How a search ended: "words", "rescued", "abstained" or "timed_out"."""
    if result.timed_out:
        return "timed_out"
    if result.abstained:
        return "abstained"
    return "words" if result.fallback is None else "rescued"


def fallback_outcome(found: Fallback) -> str:
    """How a fallback ended: "rescued" or "abstained"."""
    return "abstained" if found.abstained else "rescued"


class _Measured:
    """Gauges as a collector of prometheus_client."""

    def __init__(self, gauges: Gauges) -> None:
        self._gauges = gauges

    def collect(self) -> Iterable[GaugeMetricFamily]:
        for name, text, value in self._gauges():
            if not isinstance(value, Mapping):
                yield GaugeMetricFamily(name, text, value=value)
                continue
            family = GaugeMetricFamily(name, text, labels=("endpoint",))
            for endpoint, each in value.items():
                family.add_metric((endpoint,), each)
            yield family
