"""What an operator sees of the service in its metrics."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from fastapi.testclient import TestClient

from relevance.deployment import Deployment
from relevance.engine import Engine
from relevance.service import Settings, create_app
from relevance.service.drift import Drift, drift
from relevance.service.metrics import Metrics
from tests.live_engines import eventually


def test_metrics_tell_outcomes_stages_and_drift(tiny_bundle: Path, title: str) -> None:
    client = TestClient(create_app(Settings(tiny_bundle)))
    client.get("/search", params={"q": title})
    client.get("/search", params={"q": "🎮"})
    client.get("/nowhere/at/all")
    samples = _samples(client.get("/metrics").text)
    assert samples['relevance_searches_total{outcome="words"}'] == 1
    assert samples['relevance_searches_total{outcome="abstained"}'] == 1
    assert samples['relevance_requests_total{endpoint="/search",status="200"}'] == 2
    assert samples['relevance_requests_total{endpoint="other",status="404"}'] == 1
    assert samples['relevance_stage_seconds_count{stage="query"}'] == 2
    assert samples["relevance_snapshot_age_seconds"] > 0
    assert samples["relevance_listings"] == 300
    assert samples['relevance_drift_queries{endpoint="/search"}'] == 2
    assert 0 <= samples['relevance_query_embedding_shift{endpoint="/search"}'] <= 2
    assert not _of(samples, "relevance_category_mix_shift")  # of two queries it would tell nothing
    assert sum(_of(samples, "relevance_category_filters_total", "/search")) == 2
    assert not _of(samples, "relevance_fallbacks_total")


def test_metrics_tell_of_a_backend_that_searches_by_itself(tiny_bundle: Path, engine: Engine, title: str) -> None:
    client = TestClient(create_app(Settings(tiny_bundle)))
    for query in (title, "🎮", f"{title} zzzz"):
        client.get("/category-filter", params={"q": query})
    client.get("/fallback", params={"q": "🎮"})
    client.post("/fallback", json={"query": f"{title} zzzz"})
    samples = _samples(client.get("/metrics").text)
    assert samples['relevance_fallbacks_total{outcome="abstained"}'] == 1
    assert samples['relevance_fallbacks_total{outcome="rescued"}'] == 1
    mode = engine.category_filter(title).mode
    assert samples[f'relevance_category_filters_total{{endpoint="/category-filter",mode="{mode}"}}'] >= 1
    assert sum(_of(samples, "relevance_category_filters_total", "/category-filter")) == 3
    assert samples['relevance_drift_queries{endpoint="/category-filter"}'] == 3
    assert samples['relevance_drift_queries{endpoint="/fallback"}'] == 2
    assert 0 <= samples['relevance_strange_queries_share{endpoint="/fallback"}'] <= 1
    # They are no searches of this service.
    assert not _of(samples, "relevance_drift_queries", "/search")
    assert not _of(samples, "relevance_searches_total")


def test_a_search_that_had_no_time_tells_no_category_filter(tiny_bundle: Path, title: str) -> None:
    client = TestClient(create_app(Settings(tiny_bundle)))
    for deadline in (0, 60_000):
        client.get("/search", params={"q": title, "deadline_ms": deadline})
    samples = _samples(client.get("/metrics").text)
    assert sum(_of(samples, "relevance_searches_total")) == 2
    assert sum(_of(samples, "relevance_category_filters_total", "/search")) == 1
    assert samples['relevance_drift_queries{endpoint="/search"}'] == 1


def test_of_long_queries_no_more_is_kept_than_is_read(engine: Engine) -> None:
    metrics, long = Metrics(), "chair " * 7000
    metrics.search(engine.search(long))
    metrics.category_filter(long, engine.category_filter(long))
    metrics.fallback(long, engine.fallback(long))
    for kept in metrics.recent().values():
        assert [len(query) for query in kept] == [1000]
        assert np.array_equal(engine.towers.queries(kept), engine.towers.queries([long]))


def test_a_changed_mix_is_told_of_many_queries_only(engine: Engine) -> None:
    for count, told in ((499, []), (500, ["/search"])):
        gauges = {gauge.name: gauge.value for gauge in drift(engine, {"/search": ["lamp"] * count})}
        assert list(gauges["relevance_category_mix_shift"]) == told
        assert list(gauges["relevance_drift_queries"]) == ["/search"]


def test_drift_is_computed_once_for_all_who_ask_within_ten_seconds(engine: Engine) -> None:
    now, asked = 0.0, []

    def recent() -> dict[str, list[str]]:
        asked.append(now)
        time.sleep(0.05)
        return {"/search": ["lamp"]}

    kept = Drift(lambda: now)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: kept.gauges(engine, recent), range(8)))
    assert (asked, len({id(answer) for answer in answers})) == ([0.0], 1)
    now = 9.9
    assert kept.gauges(engine, recent) is answers[0]
    now = 10.1
    assert kept.gauges(engine, recent)
    assert asked == [0.0, 10.1]


def test_metrics_tell_of_a_bundle_that_cannot_be_taken_in(tiny_bundle: Path, tmp_path: Path) -> None:
    bundles = tmp_path / "bundles"
    bundles.mkdir()
    (bundles / "good").symlink_to(tiny_bundle)
    (tmp_path / "current").symlink_to(Path("bundles") / "good")
    with TestClient(create_app(Settings(tmp_path))) as client:
        assert _samples(client.get("/metrics").text)["relevance_refresh_failing"] == 0
        (bundles / "none").mkdir()
        Deployment(tmp_path).switch(bundles / "none")
        eventually(lambda: _samples(client.get("/metrics").text)["relevance_refresh_failing"] == 1)
        assert client.get("/search?q=lamp").status_code == 200


def _of(samples: dict[str, float], name: str, endpoint: str = "") -> list[float]:
    """The values of a series, or of those of an endpoint."""
    within = f'endpoint="{endpoint}"' if endpoint else ""
    return [value for key, value in samples.items() if key.partition("{")[0] == name and within in key]


def _samples(text: str) -> dict[str, float]:
    """Prometheus' text format as numbers."""
    lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}
