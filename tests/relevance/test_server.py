"""The service as real processes: one or several workers, signals, and a worker that dies."""

import hashlib
import json
import os
import re
import shutil
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from relevance.deployment import Deployment
from relevance.engine import Engine
from relevance.events import read_behaviour
from relevance.request_heads import MAX_BYTES
from relevance.service import Settings, server
from tests import service_process
from tests.service_process import COMMAND, NotStartedError, Service, serving

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


@pytest.mark.parametrize("workers", ["1", "2"])
def test_endless_headers_are_refused(tiny_bundle: Path, tmp_path: Path, workers: str) -> None:
    with serving(tiny_bundle, tmp_path / "log", "--workers", workers) as service:
        port = int(service.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            client.sendall(b"GET / HTTP/1.1\r\n")
            time.sleep(0.2)
            client.sendall(b"X: " + b"x" * (MAX_BYTES - 18))
            assert client.recv(100).startswith(b"HTTP/1.1 431 ")


def test_a_worker_that_dies_is_replaced(tiny_bundle: Path, tmp_path: Path) -> None:
    with serving(tiny_bundle, tmp_path / "log", "--workers", "2") as service:
        before = _children(service.process.pid)
        os.kill(before[0], signal.SIGKILL)
        _wait_for(lambda: len({*_children(service.process.pid)} - {before[0]}) == 2, "new worker")
        assert service.get("/search?q=chair").status_code == 200
        assert service.stop() == 0


def test_workers_end_where_their_supervisor_is_killed(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with serving(tiny_bundle, tmp_path / "log", "--workers", "2") as service:
        assert len(list(tmp_path.glob("relevance-metrics-*"))) == 1
        service.process.kill()
        service.process.wait()
        _wait_for(lambda: not _listens(service), "free port")
        assert not list(tmp_path.glob("relevance-metrics-*"))


def test_a_stopped_worker_is_ended_too(tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sooner = "from relevance.service import supervisor; supervisor.END_SECONDS = 1; "
    monkeypatch.setattr(service_process, "COMMAND", [*COMMAND[:2], sooner + COMMAND[2], *COMMAND[3:]])
    with serving(tiny_bundle, tmp_path / "log", "--workers", "2") as service:
        stopped = _children(service.process.pid)[0]
        os.kill(stopped, signal.SIGSTOP)
        time.sleep(1)  # it is asked for a sign of life
        started = time.monotonic()
        assert service.stop() == 0
        assert time.monotonic() - started < 15


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


@pytest.mark.parametrize(("workers", "opening"), [(1, "create_app"), (2, "check")])
def test_a_signal_while_the_bundle_is_opened_ends_it(
    monkeypatch: pytest.MonkeyPatch, workers: int, opening: str
) -> None:
    def told(*_: object) -> None:
        raise InterruptedError

    before = signal.signal(signal.SIGTERM, told)
    monkeypatch.setattr("logging.config.dictConfig", lambda _: None)
    monkeypatch.setattr(server, "_listening", lambda *_: pytest.fail("it goes on"))
    monkeypatch.setattr(server, opening, lambda _: signal.raise_signal(signal.SIGTERM))
    try:
        with pytest.raises(InterruptedError):
            server.serve(Settings(Path("bundle")), "127.0.0.1", 0, workers)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_worker_that_cannot_start_again_leaves_the_others_answering(tiny_bundle: Path, tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(tiny_bundle, tmp_path / "bundle"))
    manifest = bundle / "manifest.json"
    with serving(bundle, tmp_path / "log", "--workers", "2") as service:
        _wait_for(lambda: len(_answering(service)) == 2, "two workers that answer")
        manifest.rename(bundle / "kept.json")
        os.kill(_children(service.process.pid)[0], signal.SIGKILL)
        _wait_for(lambda: "this worker cannot start" in (tmp_path / "log").read_text(), "a worker that cannot start")
        assert service.get("/search?q=chair").status_code == 200
        (bundle / "kept.json").rename(manifest)
        _wait_for(lambda: len(_answering(service)) == 3, "a third worker that answers")
        assert service.stop() == 0


def test_a_bundle_that_cannot_be_taken_in_is_a_line_in_the_log(tiny_bundle: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "bundles" / "none").mkdir(parents=True)
    (root / "bundles" / "good").symlink_to(tiny_bundle)
    (root / "current").symlink_to(Path("bundles") / "good")
    with serving(root, tmp_path / "log") as service:
        Deployment(root).switch(root / "bundles" / "none")
        _wait_for(lambda: "cannot be taken in" in (tmp_path / "log").read_text(), "line about it")
        assert service.get("/search?q=chair").status_code == 200
        assert service.stop() == 0
    levels = [line["level"] for line in service.log() if "cannot be taken in" in line["message"]]
    assert levels == ["error"]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_what_is_no_bundle_is_one_line(tmp_path: Path, workers: str) -> None:
    assert re.fullmatch(r"error: .*none: no such folder\n", _refusal(tmp_path / "none", tmp_path, workers))


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("folder", ["--live", "--events"])
def test_a_folder_that_cannot_be_used_is_one_line(tiny_bundle: Path, tmp_path: Path, workers: str, folder: str) -> None:
    (tmp_path / "file").write_text("")
    error = _refusal(tiny_bundle, tmp_path, workers, folder, str(tmp_path / "file" / "below"))
    assert re.fullmatch(r"(note: --events.*\n)?error: .*below.* cannot be .*\n", error)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_port_in_use_is_one_line(tiny_bundle: Path, tmp_path: Path, workers: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        error = _refusal(tiny_bundle, tmp_path, workers, "--port", port)
    assert re.fullmatch(rf"error: cannot listen: Address already in use .*{port}.*\n", error)


def test_workers_that_cannot_start_end_it(tiny_bundle: Path, tmp_path: Path) -> None:
    """For a reason that only shows when all is opened."""
    bundle = Path(shutil.copytree(tiny_bundle, tmp_path / "bundle"))
    content = (bundle / "calibration.json").read_text().replace('"format": 1', '"format": 9').encode()
    (bundle / "calibration.json").write_bytes(content)
    manifest = json.loads((bundle / "manifest.json").read_text())
    manifest["files"]["calibration.json"] = hashlib.sha256(content).hexdigest()
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    assert _refusal(bundle, tmp_path, "2") == "error: the workers cannot start; the log says why\n"
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    reasons = [line["message"] for line in lines if "cannot start" in line["message"]]
    assert reasons
    assert all("calibration format 9, this version reads 1" in reason for reason in reasons)
    assert all("exception" not in line for line in lines)


def _refusal(bundle: Path, folder: Path, workers: str, *options: str) -> str:
    """What a service that does not start says on stderr, without what the model runtime says there."""
    with pytest.raises(NotStartedError) as refused, serving(bundle, folder / "log", "--workers", workers, *options):
        pass
    assert refused.value.code == 2
    lines = refused.value.errors.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("INFO: Created TensorFlow Lite"))


def _listens(service: Service) -> bool:
    try:
        service.get("/health/live")
    except httpx.ConnectError:
        return False
    except httpx.TransportError:
        return True
    return True


def _answering(service: Service) -> set[int]:
    """The processes that have said in the log that they run."""
    found = re.findall(r"Started server process \[(\d+)\]", service.log_path.read_text())
    return {int(pid) for pid in found}


def _wait_for(told: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 120
    while not told():
        assert time.monotonic() < deadline, f"no {what} within two minutes"
        time.sleep(0.1)
