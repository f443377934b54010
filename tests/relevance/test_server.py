"""The service as real processes: one or several workers, signals, and a worker that dies."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from relevance.engine import Engine
from relevance.events import read_behaviour
from tests.service_process import Service, serving

EVENT = {
    "action_name": "click",
    "timestamp": "2026-01-01T00:00:00Z",
    "event_attributes": {"object": {"object_id": "7"}},
}
TOKEN = {"Authorization": "Bearer sesame"}


def _searches(service: Service) -> float:
    lines = service.get("/metrics").text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith("relevance_searches_total{"))


def _children(pid: int) -> list[int]:
    """The worker processes; multiprocessing's own helper is none."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def test_one_process_answers_logs_json_and_ends_well(tiny_bundle: Path, tmp_path: Path) -> None:
    engine = Engine(tiny_bundle)
    title = engine.store.rows([0])[0].title
    with serving(tiny_bundle, tmp_path / "log") as service:
        answer = service.get("/search", params={"q": title, "k": 5, "query_id": "q-1"}).json()
        assert [hit["listing_id"] for hit in answer["hits"]] == [h.listing_id for h in engine.search(title, 5).hits]
        assert service.get("/similar/nope").status_code == 404
        assert service.stop() == 0
    requests = [line for line in service.log() if line["message"] == "request"]
    assert ("q-1", 200) in [(line.get("query_id"), line["status"]) for line in requests]
    assert all("exception" not in line for line in service.log())


def test_several_workers_count_together_and_lose_no_event(tiny_bundle: Path, tmp_path: Path) -> None:
    events = tmp_path / "events"
    options = ("--workers", "2", "--events", str(events))
    with serving(tiny_bundle, tmp_path / "log", *options, token="sesame") as service:
        assert len(_children(service.process.pid)) == 2
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda i: service.get("/search", params={"q": f"chair {i}"}), range(40)))
            written = list(pool.map(lambda _: service.post("/ubi/events", json=EVENT, headers=TOKEN), range(20)))
        assert {answer.status_code for answer in (*answers, *written)} == {200}
        assert _searches(service) == 40
        assert service.stop() == 0
    assert len(read_behaviour(events).actions) == 20
    assert all("exception" not in line for line in service.log())


def test_a_worker_that_dies_is_replaced(tiny_bundle: Path, tmp_path: Path) -> None:
    with serving(tiny_bundle, tmp_path / "log", "--workers", "2") as service:
        before = _children(service.process.pid)
        os.kill(before[0], signal.SIGKILL)
        deadline = time.monotonic() + 120
        while before[0] in (now := _children(service.process.pid)) or len(now) < 2:
            assert time.monotonic() < deadline, "no new worker within two minutes"
            time.sleep(0.1)
        assert service.get("/search?q=chair").status_code == 200
        assert service.stop() == 0


def test_a_request_that_runs_is_answered_before_the_end(tiny_bundle: Path, tmp_path: Path) -> None:
    with serving(tiny_bundle, tmp_path / "log") as service, httpx.Client(base_url=service.url, timeout=30) as client:

        def body() -> Iterator[bytes]:
            yield b'{"query":'
            service.process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            yield b'"chair"}'

        answer = client.post("/search", content=body(), headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["query"]) == (200, "chair")
        assert service.process.wait(timeout=40) == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_what_is_no_bundle_is_one_line(tmp_path: Path, workers: str) -> None:
    with (
        pytest.raises(AssertionError, match=r"^error: .*none: no such folder\n"),
        serving(tmp_path / "none", tmp_path / "log", "--workers", workers),
    ):
        pass
