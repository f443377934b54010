"""The service: the engine's answers over HTTP, and errors that give away nothing of the inside."""

import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

import relevance
from relevance.deployment import Deployment
from relevance.engine import Engine
from relevance.errors import BundleError
from relevance.service import Settings, create_app
from relevance.service.logs import LOGGER, JsonFormatter
from relevance.service.settings import MAX_BODY_BYTES, MAX_QUERY_BYTES
from tests.live_engines import eventually


@pytest.fixture(scope="module")
def client(tiny_bundle: Path) -> TestClient:
    # A server's exceptions must become answers, as they do in a real process.
    return TestClient(create_app(Settings(tiny_bundle)), raise_server_exceptions=False)


@pytest.fixture(scope="module")
def title(engine: Engine) -> str:
    return engine.store.rows([0])[0].title


def _plain(answer: Any) -> Any:
    """What JSON makes of an answer, without what differs from call to call."""
    values = json.loads(json.dumps(answer))
    if isinstance(values, dict):
        values.pop("timings", None)
        values.pop("query_id", None)
    return values


def test_search_is_the_engines(client: TestClient, engine: Engine, title: str) -> None:
    for query in (title, "zzzz qqqq", "", "🎮"):
        answer = client.get("/search", params={"q": query, "k": 5})
        assert answer.status_code == 200
        assert _plain(answer.json()) == _plain(engine.search(query, 5).to_dict())


def test_search_with_filters(client: TestClient, engine: Engine, title: str) -> None:
    price = engine.store.rows([0])[0].price
    filters = {"price": [None, price], "near": [52.0, 4.9, 20_000], "category": engine.ontology.ids[0]}
    answer = client.post("/search", json={"query": title, "k": 5, "filters": filters})
    assert answer.status_code == 200
    expected = engine.search(
        title, 5, relevance.Filters(price=(None, price), near=(52.0, 4.9, 20_000), category=engine.ontology.ids[0])
    )
    assert _plain(answer.json()) == _plain(expected.to_dict())


def test_what_is_ruled_out_reaches_every_search(client: TestClient, engine: Engine) -> None:
    word = max(engine.towers.featuriser.words, key=engine.lexical.count)
    away = [hit.category_id for hit in engine.lexical_search(word, 3)]
    filters = relevance.Filters(not_categories=away)
    body = {"query": word, "k": 50, "filters": {"not_categories": away}}
    for path, expected in (
        ("/search", engine.search(word, 50, filters).hits),
        ("/fallback", engine.fallback(word, filters, 50).hits),
        ("/lexical", engine.lexical_search(word, 50, filters)),
    ):
        answer = client.post(path, json=body).json()
        assert expected, "something lies elsewhere"
        found = answer if path == "/lexical" else answer["hits"]
        assert [hit["listing_id"] for hit in found] == [hit.listing_id for hit in expected]
    described = client.get("/openapi.json").json()
    assert "not_categories" in described["components"]["schemas"]["FilterFields"]["properties"]
    assert "requestBody" in described["paths"]["/lexical"]["post"]


def test_half_a_surrogate_is_a_query(client: TestClient) -> None:
    answer = client.post("/search", content=b'{"query": "\\ud800"}', headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["query"]) == (200, "\ud800")


def test_category_filter_and_fallback_are_the_engines(client: TestClient, engine: Engine, title: str) -> None:
    answer = client.get("/category-filter", params={"q": title})
    assert answer.json()["mode"] == engine.category_filter(title).mode
    answer = client.get("/fallback", params={"q": f"{title} zzzz", "k": 3}).json()
    expected = engine.fallback(f"{title} zzzz", k=3)
    assert [hit["listing_id"] for hit in answer["hits"]] == [hit.listing_id for hit in expected.hits]
    assert answer["trigger"] == expected.trigger


def test_related_queries_are_the_engines(client: TestClient, engine: Engine) -> None:
    query = engine.related_queries.queries[0]
    answer = client.get("/related", params={"q": query, "k": 3})
    assert answer.json() == list(engine.related(query, 3))
    assert len(answer.json()) == 3
    assert client.get("/related", params={"q": query, "k": 0}).json() == {"error": "k: expected 1 to 1000, got 0"}


def test_similar_by_listing_and_by_photo(client: TestClient, engine: Engine, tiny_chain: Path) -> None:
    row = int(engine.visual.embeddings.any(axis=1).argmax())
    listing = engine.store.rows([row])[row]
    found = client.get(f"/similar/{listing.listing_id}", params={"k": 4}).json()
    assert [hit["listing_id"] for hit in found] == [h.listing_id for h in engine.similar(listing.listing_id, k=4)]
    photo = (tiny_chain / "dataset" / str(listing.image)).read_bytes()
    by_photo = client.post("/similar", params={"k": 4}, content=photo).json()
    assert [hit["listing_id"] for hit in by_photo] == [h.listing_id for h in engine.similar(image=photo, k=4)]


def test_health(client: TestClient, engine: Engine) -> None:
    assert client.get("/health/live").json() == {"status": "live"}
    ready = client.get("/health/ready").json()
    assert (ready["status"], ready["listings"]) == ("ready", len(engine))


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("GET", "/search", None, 422, "query.q"),
        ("GET", "/search?q=x&k=many", None, 422, "query.k"),
        ("GET", "/search?q=x&k=0", None, 400, "k: expected 1 to 1000, got 0"),
        ("GET", "/search?q=x&k=1001", None, 400, "k: expected 1 to 1000"),
        ("POST", "/search", "not json", 422, "body"),
        ("POST", "/search", '{"query": "x", "filters": {"colour": "red"}}', 422, "filters.colour"),
        ("POST", "/search", '{"query": "x", "filters": {"price": ["cheap", null]}}', 422, "filters.price"),
        ("POST", "/search", '{"query": "x", "filters": {"price": [false, 10]}}', 422, "filters.price.0"),
        ("POST", "/search", '{"query": "x", "filters": {"near": [1, 2]}}', 422, "filters.near"),
        ("POST", "/search", '{"query": "x", "filters": {"near": [1, 2, "3"]}}', 422, "filters.near.2"),
        ("POST", "/search", '{"query": "x", "filters": {"max_age_days": true}}', 422, "filters.max_age_days"),
        (
            "POST",
            "/search",
            '{"query": "x", "deadline_ms": false}',
            422,
            "body.deadline_ms: Input should be a valid number",
        ),
        ("POST", "/search", '{"query": "x", "k": true}', 422, "body.k: Input should be a valid integer"),
        ("POST", "/search", '{"query": "x", "filters": {"max_age_days": -1}}', 400, "max_age_days: expected"),
        ("POST", "/search", '{"query": "x", "filters": {"max_age_days": NaN}}', 422, "max_age_days"),
        ("POST", "/search", '{"query": "x", "filters": {"price": [10, 5]}}', 400, "filters: price: expected"),
        ("POST", "/search", '{"query": "x", "filters": {"near": [999, 0, 5]}}', 400, "filters: near: expected"),
        ("POST", "/fallback", '{"query": "x", "filters": {"near": [0, 0, -1]}}', 400, "filters: near: expected"),
        ("POST", "/lexical", '{"query": "x", "filters": {"price": [10, 5]}}', 400, "filters: price: expected"),
        ("POST", "/lexical", '{"query": "x", "deadline_ms": 5}', 422, "deadline_ms"),
        ("POST", "/search", '{"query": "x", "filters": {"not_categories": "nope"}}', 422, "filters.not_categories"),
        ("POST", "/search", '{"query": "x", "filters": {"not_categories": ["no"]}}', 400, "unknown category 'no'"),
        ("POST", "/search", '{"query": "x", "filters": {"category": "nope"}}', 400, "unknown category 'nope'"),
        ("POST", "/search", '{"query": "x", "filters": {"attributes": {"nope": 1}}}', 400, "no attribute 'nope'"),
        ("POST", "/search", '{"query": "x", "filters": {"category": "\\ud800"}}', 400, "unknown category '\\ud800'"),
        ("GET", "/similar/nope", None, 404, "no listing with id 'nope'"),
        ("GET", "/similar/no%2Fsuch%2Fthing", None, 404, "no listing with id 'no/such/thing'"),
        ("POST", "/similar", "plain text", 422, "not an image"),
        ("POST", "/similar", "", 422, "empty"),
        ("GET", "/nothing-here", None, 404, "Not Found"),
        ("DELETE", "/search", None, 405, "Method Not Allowed"),
    ],
)
def test_errors_are_one_sentence(
    client: TestClient, method: str, path: str, body: str | None, status: int, message: str
) -> None:
    kind = {"content-type": "application/json"} if path in ("/search", "/fallback", "/lexical") else {}
    answer = client.request(method, path, content=body, headers=kind)
    assert answer.status_code == status
    assert list(answer.json()) == ["error"]
    assert message in answer.json()["error"]


@pytest.mark.parametrize(("path", "methods"), [("/search", {"GET", "POST"}), ("/upsert", {"POST"}), ("/", {"GET"})])
def test_a_method_that_is_not_there_is_told_those_that_are(client: TestClient, path: str, methods: set[str]) -> None:
    answer = client.request("PUT", path)
    assert (answer.status_code, list(answer.json())) == (405, ["error"])
    assert set(answer.headers["allow"].split(", ")) == methods


def test_a_body_is_bounded_before_it_is_read(client: TestClient) -> None:
    answer = client.post("/similar", content=b"x", headers={"content-length": str(MAX_BODY_BYTES + 1)})
    assert (answer.status_code, list(answer.json())) == (413, ["error"])
    answer = client.post("/search", content=b"x", headers={"content-length": str(MAX_QUERY_BYTES + 1)})
    assert (answer.status_code, list(answer.json())) == (413, ["error"])


def test_a_body_of_no_declared_length_is_bounded_while_it_is_read(client: TestClient) -> None:
    kind = {"content-type": "application/json"}
    answer = client.post("/search", content=iter([b'{"query":', b'"x"}']), headers=kind)
    assert (answer.status_code, answer.json()["query"]) == (200, "x")
    answer = client.post("/search", content=iter([b" " * 1000] * 100), headers=kind)
    assert (answer.status_code, answer.json()) == (
        413,
        {"error": f"expected a body of at most {MAX_QUERY_BYTES} bytes"},
    )


def test_an_unforeseen_failure_tells_nothing(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret path /srv/bundles")

    client = TestClient(create_app(Settings(tiny_bundle)), raise_server_exceptions=False)
    monkeypatch.setattr(Engine, "search", broken)
    answer = client.get("/search?q=x")
    assert (answer.status_code, answer.json()) == (500, {"error": "internal error"})


def test_a_missing_bundle_is_refused_before_anything_listens(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no such folder"):
        create_app(Settings(tmp_path / "none"))


def test_a_query_has_the_id_it_was_given_or_a_new_one(client: TestClient) -> None:
    assert client.get("/search", params={"q": "x", "query_id": "q-17"}).json()["query_id"] == "q-17"
    assert client.post("/search", json={"query": "x", "query_id": "q-18"}).json()["query_id"] == "q-18"
    made = {client.get("/search", params={"q": "x"}).json()["query_id"] for _ in range(2)}
    assert len(made) == 2


def test_a_fallback_has_the_id_it_was_given_or_a_new_one(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger=LOGGER):
        assert client.get("/fallback", params={"q": "🎮", "query_id": "q-20"}).json()["query_id"] == "q-20"
        assert client.post("/fallback", json={"query": "🎮", "query_id": "q-21"}).json()["query_id"] == "q-21"
    lines = [json.loads(JsonFormatter().format(record)) for record in caplog.records if record.name == LOGGER]
    assert [(line["query_id"], line["outcome"], line["hits"]) for line in lines] == [
        ("q-20", "abstained", 0),
        ("q-21", "abstained", 0),
    ]
    assert len({client.get("/fallback", params={"q": "x"}).json()["query_id"] for _ in range(2)}) == 2


def test_a_fallback_is_as_described_and_takes_no_deadline(client: TestClient, title: str) -> None:
    answer = client.get("/fallback", params={"q": f"{title} zzzz", "k": 3}).json()
    described = client.get("/openapi.json").json()["components"]["schemas"]
    assert answer.keys() == described["FallbackAnswer"]["properties"].keys()
    refused = client.post("/fallback", json={"query": "x", "deadline_ms": 5})
    assert (refused.status_code, "body.deadline_ms" in refused.json()["error"]) == (422, True)


def test_past_its_deadline_a_search_answers_less(client: TestClient, title: str) -> None:
    answer = client.get("/search", params={"q": title, "deadline_ms": 0}).json()
    assert (answer["timed_out"], answer["hits"], answer["abstained"]) == (True, [], False)
    assert client.get("/search", params={"q": title, "deadline_ms": 10_000}).json()["timed_out"] is False


def test_suggestions_and_the_lexical_engine(client: TestClient, engine: Engine, title: str) -> None:
    found = client.get("/lexical", params={"q": title, "k": 3}).json()
    assert [hit["listing_id"] for hit in found] == [hit.listing_id for hit in engine.lexical_search(title, 3)]
    word = engine.towers.featuriser.words[0]
    suggested = client.get("/suggest", params={"q": word[:2]}).json()
    assert suggested
    described = client.get("/openapi.json").json()["components"]["schemas"]["Suggestion"]
    assert suggested[0].keys() == described["properties"].keys()
    for each in suggested:
        assert each["category"] is not None or engine.lexical.count(each["text"]) == each["listings"] > 0


def test_too_much_at_once_is_turned_away_and_too_slow_is_ended(tiny_bundle: Path) -> None:
    app = create_app(Settings(tiny_bundle, queue=1, deadline=0.2))

    async def asked() -> tuple[httpx.Response, httpx.Response]:
        async def slow() -> AsyncIterator[bytes]:
            yield b"{"
            await asyncio.sleep(5)

        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            first = asyncio.create_task(client.post("/search", content=slow()))
            await asyncio.sleep(0.05)
            second = await client.get("/health/live")
            return await first, second

    late, busy = asyncio.run(asked())
    assert (late.status_code, late.json()) == (504, {"error": "no answer within 0.2 seconds"})
    assert (busy.status_code, busy.headers["retry-after"]) == (503, "1")
    assert list(busy.json()) == ["error"]


def test_the_description_names_every_endpoint_and_its_body(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert {
        "/search", "/category-filter", "/fallback", "/related", "/similar", "/similar/{listing_id}", "/lexical",
        "/suggest", "/upsert", "/delete", "/listings/{listing_id}", "/ubi/queries", "/ubi/events", "/health/live",
        "/health/ready", "/metrics",
    } <= paths.keys()  # fmt: skip
    assert "SearchAnswer" in json.dumps(paths["/search"]["get"]["responses"]["200"])
    assert "image/*" in paths["/similar"]["post"]["requestBody"]["content"]
    assert paths["/ubi/events"]["post"]["security"] == [{"HTTPBearer": []}]


def test_a_rescued_search_has_its_hits_once_and_is_as_described(client: TestClient, engine: Engine, title: str) -> None:
    query = f"{title} zzzz"
    rescued = engine.fallback(query)
    assert rescued.hits
    answer = client.get("/search", params={"q": query}).json()
    assert [hit["listing_id"] for hit in answer["hits"]] == [hit.listing_id for hit in rescued.hits]
    described = client.get("/openapi.json").json()["components"]["schemas"]
    assert answer.keys() == described["SearchAnswer"]["properties"].keys()
    assert answer["fallback"].keys() == described["Rescue"]["properties"].keys()
    assert answer["hits"][0].keys() == described["Hit"]["properties"].keys()


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
    assert samples['relevance_category_mix_shift{endpoint="/search"}'] >= 0
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


def test_every_request_is_a_line_of_json_in_the_log(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger=LOGGER):
        client.get("/search", params={"q": "secret wish", "query_id": "q-19"})
    (record,) = caplog.records
    line = json.loads(JsonFormatter().format(record))
    assert (line["path"], line["status"], line["query_id"], line["level"]) == ("/search", 200, "q-19", "info")
    assert line["ms"] > 0
    # What somebody searched is theirs.
    assert "secret wish" not in json.dumps(line)


def test_a_failure_is_logged_with_its_trace() -> None:
    try:
        raise RuntimeError("inside")
    except RuntimeError:
        record = logging.LogRecord("x", logging.ERROR, "x", 1, "failed\nbadly", (), sys.exc_info())
    line = JsonFormatter().format(record)
    assert "\n" not in line
    assert "RuntimeError: inside" in json.loads(line)["exception"]


def _of(samples: dict[str, float], name: str, endpoint: str = "") -> list[float]:
    """The values of a series, or of those of an endpoint."""
    within = f'endpoint="{endpoint}"' if endpoint else ""
    return [value for key, value in samples.items() if key.partition("{")[0] == name and within in key]


def _samples(text: str) -> dict[str, float]:
    """Prometheus' text format as numbers."""
    lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}
