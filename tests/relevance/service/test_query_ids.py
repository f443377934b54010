"""Every query has an id, by which its answer, its line in the log and its events belong together."""

import json

import pytest
from fastapi.testclient import TestClient

from relevance.service.logs import LOGGER, JsonFormatter


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
