"""The service: the engine's answers over HTTP, and errors that give away nothing of the inside."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

import relevance
from relevance.engine import Engine
from relevance.errors import BundleError
from relevance.service import MAX_BODY_BYTES, create_app


@pytest.fixture(scope="module")
def engine(tiny_bundle: Path) -> Engine:
    return Engine(tiny_bundle)


@pytest.fixture(scope="module")
def client(tiny_bundle: Path) -> TestClient:
    # A server's exceptions must become answers, as they do in a real process.
    return TestClient(create_app(tiny_bundle), raise_server_exceptions=False)


@pytest.fixture(scope="module")
def title(engine: Engine) -> str:
    return engine.store.rows([0])[0].title


def _plain(answer: Any) -> Any:
    """What JSON makes of an answer, without what differs from call to call."""
    values = json.loads(json.dumps(answer))
    if isinstance(values, dict):
        values.pop("timings", None)
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
        ("POST", "/search", '{"query": "x", "filters": {"near": [1, 2]}}', 422, "filters.near"),
        ("POST", "/search", '{"query": "x", "filters": {"max_age_days": -1}}', 400, "max_age_days: expected"),
        ("POST", "/search", '{"query": "x", "filters": {"max_age_days": NaN}}', 422, "max_age_days"),
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
    kind = {"content-type": "application/json"} if path == "/search" else {}
    answer = client.request(method, path, content=body, headers=kind)
    assert answer.status_code == status
    assert list(answer.json()) == ["error"]
    assert message in answer.json()["error"]


def test_a_body_is_bounded_before_it_is_read(client: TestClient) -> None:
    answer = client.post("/similar", content=b"x", headers={"content-length": str(MAX_BODY_BYTES + 1)})
    assert (answer.status_code, list(answer.json())) == (413, ["error"])
    answer = client.post("/search", content=iter([b"{}"]))  # chunked: of no declared length
    assert (answer.status_code, list(answer.json())) == (411, ["error"])


def test_an_unforeseen_failure_tells_nothing(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret path /srv/bundles")

    client = TestClient(create_app(tiny_bundle), raise_server_exceptions=False)
    monkeypatch.setattr(Engine, "search", broken)
    answer = client.get("/search?q=x")
    assert (answer.status_code, answer.json()) == (500, {"error": "internal error"})


def test_a_missing_bundle_is_refused_before_anything_listens(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no such folder"):
        create_app(tmp_path / "none")


@pytest.fixture(scope="module")
def address(tiny_bundle: Path) -> Iterator[str]:
    """A real process on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code = "import sys; from relevance.cli import main; main()"
    command = [sys.executable, "-c", code, "serve", str(tiny_bundle), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)


def test_a_real_process_answers(address: str, engine: Engine, title: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            ready = httpx.get(f"{address}/health/ready", timeout=5)
            break
        except httpx.TransportError:
            assert time.monotonic() < deadline, "the service did not start within a minute"
            time.sleep(0.1)
    assert ready.json()["listings"] == len(engine)
    answer = httpx.get(f"{address}/search", params={"q": title, "k": 5}, timeout=10)
    assert _plain(answer.json()) == _plain(engine.search(title, 5).to_dict())
    assert httpx.get(f"{address}/similar/nope", timeout=10).status_code == 404
