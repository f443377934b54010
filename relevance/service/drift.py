"""How far the latest queries are from those that the bundle was calibrated on; computed when somebody asks."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from time import monotonic

from relevance.engine import Engine
from relevance.query_profile import QueryProfile
from relevance.service.metrics import Gauge

KEPT_SECONDS = 10.0
"""How long what was computed is told again: it takes a thousand times as long as a search."""

MIX_QUERIES = 500
"""So many queries are needed to tell a changed mix of categories: of fewer the index is above 0.25 by chance."""

Recent = Mapping[str, Sequence[str]]
"""The latest queries by endpoint."""


class Drift:
    """What `drift` yields, computed by one thread at a time and not anew for KEPT_SECONDS."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._until, self._told = clock(), tuple[Gauge, ...]()

    def gauges(self, engine: Engine, recent: Callable[[], Recent]) -> Sequence[Gauge]:
        """Returns what Prometheus is told; whoever asks while it is computed waits."""
        with self._lock:
            if self._clock() >= self._until:
                self._told = tuple(drift(engine, recent()))
                self._until = self._clock() + KEPT_SECONDS
            return self._told


def drift(engine: Engine, recent: Recent) -> Iterator[Gauge]:
    """Yields what Prometheus is told. Nothing where there are no queries, or where the bundle does not tell what its
    own were like; no mix of categories of fewer than MIX_QUERIES."""
    expected = QueryProfile.from_manifest(engine.manifest)
    found = {
        endpoint: QueryProfile.of(queries, engine.towers, engine.categories)
        for endpoint, queries in recent.items()
        if queries and expected is not None
    }
    if expected is None or not found:
        return
    yield Gauge(
        "relevance_drift_queries",
        "Latest queries that the drift is told from.",
        {endpoint: profile.queries for endpoint, profile in found.items()},
    )
    yield Gauge(
        "relevance_query_embedding_shift",
        "Distance of their mean vector from the calibration's, 0 to 2.",
        {endpoint: profile.embedding_shift(expected) for endpoint, profile in found.items()},
    )
    yield Gauge(
        "relevance_category_mix_shift",
        "Population stability index of their categories against the calibration's.",
        {endpoint: p.mix_shift(expected) for endpoint, p in found.items() if p.queries >= MIX_QUERIES},
    )
    yield Gauge(
        "relevance_strange_queries_share",
        "Share of them far from every category.",
        {endpoint: profile.strange for endpoint, profile in found.items()},
    )
    yield Gauge("relevance_strange_queries_expected_share", "The same of the calibration's queries.", expected.strange)
