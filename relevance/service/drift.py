"""How far the latest queries are from those that the bundle was calibrated on; computed when somebody asks."""

from collections.abc import Iterator, Mapping, Sequence

from relevance.engine import Engine
from relevance.query_profile import QueryProfile
from relevance.service.metrics import Gauge


def drift(engine: Engine, recent: Mapping[str, Sequence[str]]) -> Iterator[Gauge]:
    """Yields what Prometheus is told; recent: the latest queries by endpoint. Nothing where there are none, or where
    the bundle does not tell what its own were like."""
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
        {endpoint: profile.mix_shift(expected) for endpoint, profile in found.items()},
    )
    yield Gauge(
        "relevance_strange_queries_share",
        "Share of them far from every category.",
        {endpoint: profile.strange for endpoint, profile in found.items()},
    )
    yield Gauge("relevance_strange_queries_expected_share", "The same of the calibration's queries.", expected.strange)
