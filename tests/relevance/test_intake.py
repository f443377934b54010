"""The intake of behaviour: what is accepted is on disk and is read by the next training; the rest is refused."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from relevance.errors import DataError
from relevance.events import read_behaviour
from relevance.service import Settings, create_app
from relevance.service.intake import _lines
from relevance.service.settings import MAX_BATCH

QUERY = {"query_id": "q1", "user_query": "chair", "timestamp": "2026-01-01T00:00:00Z", "query_response_hit_ids": ["7"]}
EVENT = {
    "action_name": "click",
    "query_id": "q1",
    "timestamp": 1_767_225_600_500,
    "event_attributes": {"object": {"object_id": "7"}, "position": {"ordinal": 1}},
}
TOKEN = {"Authorization": "Bearer open sesame"}


@pytest.fixture
def events(tmp_path: Path) -> Path:
    return tmp_path / "events"


@pytest.fixture
def client(tiny_bundle: Path, events: Path) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(tiny_bundle, events=events, token="open sesame")), headers=TOKEN) as client:
        yield client


def _post(client: TestClient, path: str, body: Any) -> tuple[int, Any]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = client.post(path, content=content)
    return answer.status_code, answer.json()


def test_what_is_accepted_trains_the_next_model(tiny_bundle: Path, events: Path) -> None:
    message = {**EVENT, "action_name": "contact_seller"}
    with TestClient(create_app(Settings(tiny_bundle, events=events, token="open sesame")), headers=TOKEN) as client:
        assert _post(client, "/ubi/queries", QUERY) == (200, {"accepted": 1})
        assert _post(client, "/ubi/events", [EVENT, message]) == (200, {"accepted": 2})
    behaviour = read_behaviour(events)
    assert behaviour.queries == ["chair"]
    assert behaviour.hit_ids == [["7"]]
    assert (behaviour.actions, behaviour.event_listing) == (["click", "contact_seller"], ["7", "7"])


def test_accepted_is_on_disk_before_it_is_said(events: Path, client: TestClient) -> None:
    _post(client, "/ubi/events", EVENT)
    (part,) = events.iterdir()
    assert json.loads(part.read_text()) == EVENT


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("/ubi/events", b"{", "body: expected JSON"),
        ("/ubi/events", b"\xff", "body: expected JSON in UTF-8"),
        ("/ubi/events", b"[" * 5000, "body: expected JSON in UTF-8: nested too deeply"),
        ("/ubi/events", b'{"action_name": "click", "timestamp": 1767225600500, "x": 1e999}', "body: expected JSON"),
        ("/ubi/events", b'{"action_name": "\\ud800", "timestamp": 1767225600500}', "half of a surrogate pair"),
        ("/ubi/events", 7, "body, row 1: expected a JSON object"),
        ("/ubi/events", [], f"body: expected 1 to {MAX_BATCH} records, found 0"),
        ("/ubi/events", [EVENT] * (MAX_BATCH + 1), f"found {MAX_BATCH + 1}"),
        ("/ubi/events", [EVENT, {**EVENT, "timestamp": None}], "body, row 2, column timestamp: expected a time"),
        ("/ubi/events", {**EVENT, "timestamp": "yesterday"}, "row 1, column timestamp"),
        ("/ubi/events", {**EVENT, "action_name": "x" * 101}, "column action_name: expected at most 100 characters"),
        ("/ubi/events", {**EVENT, "event_attributes": 3}, "column event_attributes: expected an object"),
        (
            "/ubi/events",
            [EVENT, {**EVENT, "event_attributes": {"object": {}}}],
            "body, row 2, column event_attributes.object.object_id: expected the id of the listing of a click",
        ),
        ("/ubi/events", {**EVENT, "event_attributes": None, "object_id": "7"}, "expected the id of the listing"),
        (
            "/ubi/events",
            [EVENT, {**EVENT, "timestamp": 1_767_225_600}],
            "body, row 2, column timestamp: expected epoch milliseconds, found 1767225600 (seconds?",
        ),
        ("/ubi/events", QUERY, "body: expected event records, with an action_name"),
        ("/ubi/queries", EVENT, "body: expected query records, with user_query"),
        ("/ubi/queries", {**QUERY, "query_id": None}, "column query_id: expected an id"),
        ("/ubi/queries", {**QUERY, "query_response_hit_ids": "7"}, "expected a list of ids"),
    ],
)
def test_what_training_could_not_read_is_refused(
    events: Path, client: TestClient, path: str, body: Any, message: str
) -> None:
    status, answer = _post(client, path, body)
    assert (status, list(answer)) == (400, ["error"])
    assert message in answer["error"]
    assert list(events.iterdir()) == []


@pytest.mark.parametrize("body", [b"[" + b"{}," * MAX_BATCH + b"{}]", b"[[1, 2], 3]"])
def test_what_is_refused_at_a_glance_is_not_written_out(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Any] = []
    monkeypatch.setattr("relevance.service.intake.json", SimpleNamespace(dumps=lambda each, **_: written.append(each)))
    with pytest.raises(DataError, match="expected"):
        _lines(body, "event")
    assert written == []


def test_only_who_has_the_token_writes(tiny_bundle: Path, events: Path, client: TestClient) -> None:
    client.headers.pop("Authorization")
    for header, message in (
        ({}, "expected the header Authorization"),
        ({"Authorization": "Bearer wrong"}, "not the token"),
        ({"Authorization": "Bearer öpen"}, "not the token"),
        ({"Authorization": "Basic b3BlbiBzZXNhbWU="}, "expected the header Authorization"),
    ):
        encoded = {name: value.encode() for name, value in header.items()}
        answer = client.post("/ubi/events", json=EVENT, headers=encoded)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert message in answer.json()["error"]
    assert list(events.iterdir()) == []


def test_off_without_a_token_or_a_folder(tiny_bundle: Path, events: Path) -> None:
    answer = TestClient(create_app(Settings(tiny_bundle, events=events))).post("/ubi/events", json=EVENT, headers=TOKEN)
    assert (answer.status_code, "without a token" in answer.json()["error"]) == (403, True)
    client = TestClient(create_app(Settings(tiny_bundle, token="open sesame")))
    answer = client.post("/ubi/events", json=EVENT, headers=TOKEN)
    assert (answer.status_code, "--events DIR" in answer.json()["error"]) == (403, True)


def test_a_full_disk_is_told_and_nothing_is_half_recorded(
    events: Path, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    _post(client, "/ubi/events", EVENT)
    with monkeypatch.context() as patched:
        patched.setattr("relevance.event_log.os.write", full)
        assert _post(client, "/ubi/events", EVENT) == (
            507,
            {"error": "could not be recorded (No space left on device); send it again later"},
        )
    assert _post(client, "/ubi/events", EVENT) == (200, {"accepted": 1})
    (part,) = events.iterdir()
    assert part.read_text().count("\n") == 2
