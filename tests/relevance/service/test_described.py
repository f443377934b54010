"""The OpenAPI description, and answers that are as it says."""

import json

from fastapi.testclient import TestClient

from relevance.engine import Engine


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


def test_a_fallback_is_as_described_and_takes_no_deadline(client: TestClient, title: str) -> None:
    answer = client.get("/fallback", params={"q": f"{title} zzzz", "k": 3}).json()
    described = client.get("/openapi.json").json()["components"]["schemas"]
    assert answer.keys() == described["FallbackAnswer"]["properties"].keys()
    refused = client.post("/fallback", json={"query": "x", "deadline_ms": 5})
    assert (refused.status_code, "body.deadline_ms" in refused.json()["error"]) == (422, True)
