"""Several devices and several machines: the same training as on one."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from relevance.errors import DataError
from training.classifier.distribution import Distribution, open_distribution, read_worker

SCRIPT = Path(__file__).parent / "distributed_run.py"
Result = dict[str, Any]


def free_ports(n: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def start(mode: str, work: Path, **environment: str) -> subprocess.Popen[str]:
    work.mkdir(exist_ok=True)
    pipe = subprocess.PIPE
    command = [sys.executable, str(SCRIPT), mode, str(work)]
    return subprocess.Popen(command, env=os.environ | environment, stdout=pipe, stderr=pipe, text=True)


def config(ports: list[int], index: int) -> str:
    cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
    return json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}})


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    """What each of four processes printed: one device, two devices, and two workers that share a folder."""
    root, ports = tmp_path_factory.mktemp("distribution"), free_ports(2)
    started = {mode: start(mode, root / mode) for mode in ("none", "mirrored")}
    for index in range(2):
        started[f"worker {index}"] = start("workers", root / "workers", TF_CONFIG=config(ports, index))
    found = {}
    try:
        for name, process in started.items():
            out, error = process.communicate(timeout=600)
            assert process.returncode == 0, f"{name}: {error[-2000:]}"
            found[name] = json.loads(out.splitlines()[-1])
            found[name]["bars"] = error.count("head:")
    finally:
        for process in started.values():
            process.kill()
    return found


def losses(result: Result, phase: str) -> list[list[float]]:
    """Training and validation loss of every step."""
    return [[step["loss"], step["val_loss"], step["val_accuracy"]] for step in result["rounds"][phase]]


@pytest.mark.parametrize("name", ["mirrored", "worker 0", "worker 1"])
def test_each_step_is_that_of_one_device(results: dict[str, Result], name: str) -> None:
    one, several = results["none"], results[name]
    assert (one["replicas"], several["replicas"]) == (1, 2)
    assert [len(one["rounds"][phase]) for phase in ("head", "whole")] == [3, 6]  # 53 photos, 16 a step
    # The first phase reads features in half precision, whose last bit may differ.
    np.testing.assert_allclose(losses(several, "head"), losses(one, "head"), rtol=1e-4)
    np.testing.assert_allclose(losses(several, "whole"), losses(one, "whole"), rtol=1e-4)
    for ours, theirs in zip(several["weights"], one["weights"], strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_training_got_somewhere(results: dict[str, Result]) -> None:
    first, *_, last = results["none"]["rounds"]["whole"]
    assert last["loss"] < 0.8 * first["loss"]


@pytest.mark.parametrize("name", ["mirrored", "worker 0", "worker 1"])
def test_all_read_what_the_chief_wrote(results: dict[str, Result], name: str) -> None:
    """Begun again from other starting values, the finished phases give the weights they ended with."""
    assert results[name]["again"] == results[name]["weights"]
    assert results[name]["weights"] == results["mirrored" if name == "mirrored" else "worker 0"]["weights"]


def test_only_the_chief_shows_progress(results: dict[str, Result]) -> None:
    assert results["worker 0"]["bars"] > 0
    assert results["worker 1"]["bars"] == 0


def test_a_worker_is_told_by_the_configuration() -> None:
    cluster = {"chief": ["a:1"], "worker": ["b:1", "c:1"]}
    found = [
        read_worker(json.dumps({"cluster": cluster, "task": {"type": kind, "index": i}}))
        for kind, i in (("chief", 0), ("worker", 0), ("worker", 1))
    ]
    assert found == [(0, 3), (1, 3), (2, 3)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"cluster": {"worker": ["a:1"]}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
        '{"cluster": {"worker": ["a:1"], "ps": ["b:1"]}, "task": {"type": "ps", "index": 0}}',
    ],
)
def test_a_configuration_that_does_not_say_who_one_is(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(DataError, match=r"--distribute workers: expected \$TF_CONFIG like .* found ") as caught:
        open_distribution("workers")
    assert "\n" not in str(caught.value)


def test_other_names_are_refused() -> None:
    with pytest.raises(DataError, match="--distribute: expected one of none, mirrored, workers, found 'tpu'"):
        open_distribution("tpu")


def test_the_batch_of_all_devices_has_equal_slices() -> None:
    class Three(Distribution):
        replicas = 3

    assert [Three().shared(64, 1000), Three().shared(64, 10), Three().shared(2, 1000)] == [63, 9, 3]
    assert Distribution().shared(64, 10) == 10
    with pytest.raises(DataError, match="at least 3 photos for as many devices, found 2"):
        Three().shared(64, 2)
