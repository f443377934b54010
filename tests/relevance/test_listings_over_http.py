"""Listings written over HTTP: found at once, refused one by one, in every worker, and across a swap of bundles."""

import base64
import json
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from relevance.deployment import Deployment
from relevance.engine import Engine
from relevance.live.engine import LiveEngine
from relevance.live.listing import NewListing
from relevance.live.results import UpsertResult
from relevance.live.store import _SCHEMA
from relevance.service import Settings, create_app
from relevance.service.settings import MAX_BATCH
from relevance.service.state import State
from tests.live_engines import eventually
from tests.photos import encoded
from tests.service_process import serving

TOKEN = {"Authorization": "Bearer sesame"}
PHOTO = encoded(Image.new("RGB", (60, 40), "red"), "JPEG")


@pytest.fixture
def client(tiny_bundle: Path, tmp_path: Path) -> Iterator[TestClient]:
    settings = Settings(tiny_bundle, live=tmp_path / "live", token="sesame")
    with TestClient(create_app(settings), headers=TOKEN, raise_server_exceptions=False) as client:
        yield client


def _upsert(client: TestClient, *listings: Any) -> Any:
    answer = client.post("/upsert", json={"listings": listings})
    assert answer.status_code == 200, answer.text
    return answer.json()


def _found(client: TestClient, query: str) -> list[str]:
    """The listings that have all the words: so small a model would put others before them."""
    return [hit["listing_id"] for hit in client.get("/lexical", params={"q": query}).json()]


def test_a_listing_is_found_once_it_is_written_and_gone_once_it_is_deleted(client: TestClient) -> None:
    given = {"title": "Zanzibar hat", "price": 12.5, "attributes": {"colour": "red"}, "latitude": 52.5, "version": 7}
    listing = {"listing_id": "new/1", "longitude": 4.25, "expires_at": "2999-01-01T12:00:00.000Z", **given}
    assert _upsert(client, listing) == {"accepted": 1, "rejected": [], "ignored": []}
    assert _found(client, "zanzibar hat") == ["new/1"]
    stored = client.get("/listings/new/1").json()
    assert {name: stored[name] for name in listing} == listing
    assert (stored["created_at"], stored["locale"], stored["category_source"]) == (None, "", "text")
    assert client.post("/delete", json={"ids": ["new/1", "nobody"]}).json() == {"deleted": 1}
    assert "new/1" not in _found(client, "zanzibar hat")
    answer = client.get("/listings/new/1")
    assert (answer.status_code, answer.json()) == (404, {"error": "no listing with id 'new/1'"})
    assert client.get("/similar/new/1").status_code == 404


def test_a_category_is_suggested_while_it_has_listings(client: TestClient, engine: Engine) -> None:
    ontology = engine.ontology
    position = int(np.flatnonzero(engine.categories.empty & ontology.is_leaf)[0])
    name, path = ontology.name(position), ontology.path_text(position)

    def suggested() -> bool:
        return path in [each["category"] for each in client.get("/suggest", params={"q": name}).json()]

    assert not suggested()
    _upsert(client, {"listing_id": "first", "title": "Zanzibar hat", "category_id": ontology.ids[position]})
    assert suggested()
    client.post("/delete", json={"ids": ["first"]})
    assert not suggested()


def test_as_many_ids_as_a_batch_may_have_are_deleted_however_long_they_are(client: TestClient) -> None:
    ids = [f"{number:0200}" for number in range(MAX_BATCH)]
    _upsert(client, *({"listing_id": listing_id, "title": "Zanzibar hat"} for listing_id in ids[:3]))
    answer = client.post("/delete", json={"ids": ids})
    assert (answer.status_code, answer.json()) == (200, {"deleted": 3})


def test_a_version_counts_once(client: TestClient) -> None:
    _upsert(client, {"listing_id": "v", "title": "second", "version": 2})
    again = _upsert(client, {"listing_id": "v", "title": "first", "version": 1})
    assert (again["accepted"], [each["listing_id"] for each in again["ignored"]]) == (0, ["v"])
    assert client.get("/listings/v").json()["title"] == "second"


def test_a_photo_is_kept_shown_and_looked_for(client: TestClient) -> None:
    _upsert(client, {"listing_id": "red/1", "title": "Red thing", "image": base64.b64encode(PHOTO).decode()})
    hits = client.post("/similar", content=PHOTO).json()
    assert (hits[0]["listing_id"], hits[0]["image"]) == ("red/1", "live:red/1")
    answer = client.get("/images/live:red/1")
    assert (answer.content, answer.headers["content-type"]) == (PHOTO, "image/jpeg")
    assert answer.headers["x-content-type-options"] == "nosniff"
    client.post("/delete", json={"ids": ["red/1"]})
    assert client.get("/images/live:red/1").status_code == 404


@pytest.mark.parametrize(
    ("listing", "message"),
    [
        ({}, "listing_id: expected some text"),
        ({"listing_id": "x"}, "title: expected some text"),
        ({"listing_id": "x", "title": " "}, "title: expected some text"),
        ({"listing_id": "x", "title": "y", "colour": "red"}, "colour: no such field; expected attributes"),
        ({"listing_id": "x", "title": "y", "price": -1}, "price: expected a price of at least 0"),
        ({"listing_id": "x", "title": "y", "price": "dear"}, "price"),
        ({"listing_id": "x", "title": "y", "category_id": "nope"}, "category_id"),
        ({"listing_id": "x", "title": "y", "image": "%"}, "image: expected a photo in base 64"),
        ({"listing_id": "x", "title": "y", "image": 3}, "image: expected a photo in base 64"),
        ({"listing_id": "x", "title": "y", "image": "aGFsbG8="}, "not an image"),
        ({"listing_id": "x", "title": "y", "version": "2"}, "version: expected a whole number"),
    ],
)
def test_one_bad_listing_is_refused_by_itself(client: TestClient, listing: Any, message: str) -> None:
    result = _upsert(client, {"listing_id": "good", "title": "Zanzibar hat"}, listing)
    assert result["accepted"] == 1
    ((refused),) = result["rejected"]
    assert (refused["index"], refused["listing_id"]) == (1, listing.get("listing_id", ""))
    assert message in refused["reason"]
    assert _found(client, "zanzibar hat") == ["good"]


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("/upsert", {"listings": []}, "body.listings"),
        ("/upsert", {"listings": [{}] * (MAX_BATCH + 1)}, "body.listings"),
        ("/upsert", {"listings": [3]}, "body.listings.0"),
        ("/upsert", {}, "body.listings"),
        ("/delete", {"ids": []}, "body.ids"),
        ("/delete", {"ids": [3]}, "body.ids.0"),
    ],
)
def test_a_body_of_another_shape_is_refused_whole(client: TestClient, path: str, body: Any, message: str) -> None:
    answer = client.post(path, json=body)
    assert (answer.status_code, list(answer.json())) == (422, ["error"])
    assert message in answer.json()["error"]


def test_writing_is_off_without_a_token_or_a_folder(tiny_bundle: Path, tmp_path: Path) -> None:
    body = {"ids": ["x"]}
    with TestClient(create_app(Settings(tiny_bundle, live=tmp_path / "live"))) as client:
        assert client.post("/delete", json=body, headers=TOKEN).status_code == 403
    with TestClient(create_app(Settings(tiny_bundle, token="sesame"))) as client:
        answer = client.post("/delete", json=body, headers=TOKEN)
        assert (answer.status_code, "--live DIR" in answer.json()["error"]) == (403, True)
        answer = client.post("/delete", json=body)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_metrics_count_what_was_written(client: TestClient) -> None:
    _upsert(client, {"listing_id": "a", "title": "b"}, {"listing_id": "c", "title": "d"})
    client.post("/delete", json={"ids": ["a"]})
    text = client.get("/metrics").text
    assert 'relevance_written_total{kind="listing"} 2.0' in text
    assert 'relevance_written_total{kind="deletion"} 1.0' in text
    assert "relevance_fresh_listings 2.0" in text
    share = next(line for line in text.splitlines() if line.startswith("relevance_tombstone_share "))
    assert float(share.split()[1]) == pytest.approx(1 / 302)


def test_what_is_written_after_the_time_is_up_counts_and_what_is_not_begun_is_not_written(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two large requests the first is held up, so that neither is answered in time."""
    begun, go, write = threading.Event(), threading.Event(), LiveEngine.upsert
    monkeypatch.setattr(LiveEngine, "upsert", lambda *given: begun.set() or (go.wait(20) and write(*given)))
    app = create_app(Settings(tiny_bundle, live=tmp_path / "live", token="sesame", deadline=0.5))

    def sent(start: int) -> httpx.Response:
        names = [f"n{number}" for number in range(start, start + 26)]
        return client.post("/upsert", json={"listings": [{"listing_id": name, "title": "hat"} for name in names]})

    with TestClient(app, headers=TOKEN) as client, ThreadPoolExecutor(2) as threads:
        first = threads.submit(sent, 0)
        assert begun.wait(20)
        assert [threads.submit(sent, 100).result().status_code, first.result().status_code] == [504, 504]
        go.set()
        eventually(lambda: 'relevance_written_total{kind="listing"} 26.0' in client.get("/metrics").text)
        assert [client.get(f"/listings/n{number}").status_code for number in (0, 25, 100)] == [200, 200, 404]


def test_a_large_request_is_written_alone(tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six are held up by a small one: of those waiting, small ones are written together and each large one alone."""
    begun, go, write, sizes = threading.Event(), threading.Event(), LiveEngine.upsert, []

    def held_up(engine: LiveEngine, listings: list[NewListing]) -> UpsertResult:
        begun.set()
        assert go.wait(20)
        sizes.append(len(listings))
        return write(engine, listings)

    monkeypatch.setattr(LiveEngine, "upsert", held_up)
    state = State(Settings(tiny_bundle, live=tmp_path / "live"))
    sent = iter(range(1000))

    def upsert(count: int) -> "Future[UpsertResult]":
        return state.upsert([{"listing_id": f"n{next(sent)}", "title": "hat"} for _ in range(count)])

    first = upsert(1)
    assert begun.wait(20)
    others = [upsert(count) for count in (25, 26, 25, 300, 10)]
    go.set()
    assert [each.result(20).accepted for each in (first, *others)] == [1, 25, 26, 25, 300, 10]
    assert sorted(sizes) == [1, 26, 60, 300]
    state.close()


def test_another_process_that_writes_too_long_and_a_full_disk_are_told(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relevance.live.store.BUSY_SECONDS", 0.05)
    monkeypatch.setattr("relevance.live.store._SCHEMA", f"{_SCHEMA}; PRAGMA max_page_count = 30")
    body = {"listings": [{"listing_id": f"n{number}", "title": "hat " * 300} for number in range(200)]}
    with TestClient(create_app(Settings(tiny_bundle, live=tmp_path, token="sesame")), headers=TOKEN) as client:
        other = sqlite3.connect(tmp_path / "live.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        busy = client.post("/upsert", json=body)
        assert (busy.status_code, busy.headers["retry-after"]) == (503, "1")
        assert "another process has been writing" in busy.json()["error"]
        other.execute("ROLLBACK")
        other.close()
        full = client.post("/upsert", json=body)
        assert (full.status_code, "the disk is full" in full.json()["error"]) == (507, True)
        assert client.get("/listings/n0").status_code == 404
        assert client.post("/upsert", json={"listings": body["listings"][:1]}).json()["accepted"] == 1


def test_every_worker_finds_it_within_a_second(tiny_bundle: Path, tmp_path: Path) -> None:
    options = ("--workers", "2", "--live", str(tmp_path / "live"))
    with serving(tiny_bundle, tmp_path / "log", *options, token="sesame") as service:
        body = {"listings": [{"listing_id": "new", "title": "Zanzibar hat"}]}
        assert service.post("/upsert", json=body, headers=TOKEN).json()["accepted"] == 1
        time.sleep(1)
        # A connection each: the workers take turns.
        answers = [service.get("/lexical", params={"q": "zanzibar hat"}).json() for _ in range(20)]
        assert {tuple(hit["listing_id"] for hit in answer) for answer in answers} == {("new",)}
        assert service.stop() == 0


def test_no_answer_is_lost_or_mixed_while_bundles_are_swapped(tiny_bundle: Path, tmp_path: Path) -> None:
    deployment = Deployment(tmp_path / "root")
    deployment.switch(_copy(tiny_bundle, deployment, "2026-01-01T00:00:00+00:00"))
    title = Engine(tiny_bundle).store.rows([0])[0].title
    expected = [hit.listing_id for hit in Engine(tiny_bundle).search(title).hits]
    answers: list[tuple[str, list[str]]] = []
    stop = threading.Event()
    with TestClient(create_app(Settings(deployment.root, live=tmp_path / "live"))) as client:

        def ask() -> None:
            while not stop.is_set():
                answer = client.get("/search", params={"q": title}).json()
                answers.append((answer["versions"]["bundle"], [hit["listing_id"] for hit in answer["hits"]]))

        asking = threading.Thread(target=ask)
        asking.start()
        deployment.switch(_copy(tiny_bundle, deployment, "2026-01-02T00:00:00+00:00"))
        deadline = time.monotonic() + 20
        while (not answers or answers[-1][0] != "2026-01-02T00:00:00+00:00") and time.monotonic() < deadline:
            time.sleep(0.05)
        stop.set()
        asking.join()
    versions = [version for version, _ in answers]
    assert versions == sorted(versions)
    assert versions[-1] == "2026-01-02T00:00:00+00:00"
    assert all(found == expected for _, found in answers)


def _copy(bundle: Path, deployment: Deployment, created_at: str) -> Path:
    """The bundle, as if it had been built at another time."""
    placed = deployment.place(created_at[:10])
    shutil.copytree(bundle, placed)
    manifest = json.loads((placed / "manifest.json").read_text())
    (placed / "manifest.json").write_text(json.dumps({**manifest, "created_at": created_at}))
    return placed
