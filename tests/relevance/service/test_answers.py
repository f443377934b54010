"""The engine's answers over HTTP."""

import json
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

import relevance
from relevance.engine import Engine
from relevance.service.settings import Settings
from relevance.service.state import State
from relevance.written import WrittenWords


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


def test_past_its_deadline_a_search_answers_less(client: TestClient, title: str) -> None:
    answer = client.get("/search", params={"q": title, "deadline_ms": 0}).json()
    assert (answer["timed_out"], answer["hits"], answer["abstained"]) == (True, [], False)
    assert client.get("/search", params={"q": title, "deadline_ms": 10_000}).json()["timed_out"] is False


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


def test_suggestions_are_shown_as_the_bundle_in_use_writes_them(tiny_bundle: Path) -> None:
    state = State(Settings(tiny_bundle))
    word = next(word for word in state.engine.current.towers.featuriser.words if state.suggester.suggest(word))
    current = state.engine.current  # of another build by the same models
    current.written = WrittenWords({word: f"{word}\u0301"})
    current.versions = {**current.versions, "bundle": "another"}
    assert f"{word}\u0301" in [each.text for each in state.suggester.suggest(word, k=20)]
    state.close()


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


def test_health(client: TestClient, engine: Engine) -> None:
    assert client.get("/health/live").json() == {"status": "live"}
    ready = client.get("/health/ready").json()
    assert (ready["status"], ready["listings"]) == ("ready", len(engine))


def _plain(answer: Any) -> Any:
    """What JSON makes of an answer, without what differs from call to call."""
    values = json.loads(json.dumps(answer))
    if isinstance(values, dict):
        values.pop("timings", None)
        values.pop("query_id", None)
    return values
