"""What the service refuses or cannot do: errors of one sentence, which give away nothing of the inside."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient

from relevance.engine import Engine
from relevance.errors import BundleError, DataError
from relevance.live.engine import LiveEngine
from relevance.service import Settings, create_app
from relevance.service.settings import MAX_BODY_BYTES, MAX_QUERY_BYTES


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("GET", "/search", None, 422, "query.q"),
        ("GET", "/search?q=x&k=many", None, 422, "query.k"),
        ("GET", "/search?q=x&k=0", None, 400, "k: expected 1 to 1000, got 0"),
        ("GET", "/search?q=x&k=1001", None, 400, "k: expected 1 to 1000"),
        ("GET", "/search?q=x&price_max=10", None, 422, "query.price_max: no such parameter; expected q, k, query_id,"),
        ("GET", "/fallback?q=x&category=1", None, 422, "filters go into the body of POST"),
        ("GET", "/category-filter?q=x&k=5", None, 422, "query.k: no such parameter; expected q"),
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
        ("GET", "/category-filter/?q=x", None, 404, "Not Found"),
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


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/search", {"GET", "POST"}),
        ("/upsert", {"POST"}),
        ("/", {"GET", "HEAD"}),
        ("/health/live", {"GET", "HEAD"}),
    ],
)
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


def test_too_much_at_once_is_turned_away_and_too_slow_is_ended(
    tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app(Settings(tiny_bundle, queue=1, deadline=0.2))
    monkeypatch.setattr(LiveEngine, "similar", lambda *_, **__: time.sleep(0.5))

    async def asked() -> tuple[httpx.Response, httpx.Response]:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            first = asyncio.create_task(client.post("/similar", content=b"photo"))
            await asyncio.sleep(0.05)
            watched = [await client.get(path) for path in ("/health/live", "/health/ready", "/metrics")]
            assert [answer.status_code for answer in watched] == [200, 200, 200]
            second = await client.get("/search?q=x")
            counted = (await client.get("/metrics")).text
            assert 'endpoint="/search",status="503"' in counted.replace('", ', '",')
            return await first, second

    late, busy = asyncio.run(asked())
    assert (late.status_code, late.json()) == (504, {"error": "no answer within 0.2 seconds"})
    assert (busy.status_code, busy.headers["retry-after"]) == (503, "1")
    assert list(busy.json()) == ["error"]


def test_who_may_not_write_is_told_before_the_body_is_there(tiny_bundle: Path, tmp_path: Path) -> None:
    app = create_app(Settings(tiny_bundle, live=tmp_path, token="sesame", deadline=30))

    async def asked(headers: dict[str, str]) -> httpx.Response:
        async def never() -> AsyncIterator[bytes]:
            yield b"{"
            await asyncio.sleep(30)

        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=5) as client:
            return await asyncio.wait_for(client.post("/upsert", content=never(), headers=headers), 5)

    for headers, reason in (({}, "expected the header"), ({"Authorization": "Bearer no"}, "not the token")):
        answer = asyncio.run(asked(headers))
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert reason in answer.json()["error"]


@pytest.mark.parametrize("token", ["tökén", "a\nb", " x", "x "])
def test_a_token_that_no_header_holds_is_refused_at_the_start(tiny_bundle: Path, token: str) -> None:
    with pytest.raises(DataError, match="the token: expected ASCII letters, digits"):
        create_app(Settings(tiny_bundle, token=token))


@pytest.mark.parametrize("kind", [{}, {"content-type": "application/x-www-form-urlencoded"}])
def test_a_body_of_another_kind_is_told_what_is_missing(client: TestClient, kind: dict[str, str]) -> None:
    answer = client.post("/search", content=b'{"query": "x"}', headers=kind)
    told = "body: expected JSON, with the header Content-Type: application/json"
    assert (answer.status_code, answer.json()) == (422, {"error": told})


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
