"""The LiteRT wrapper, on a model with inputs (weights, ids) and outputs (total, difference), declared in that order.

`data/two_inputs.tflite`: weights float32 `[b, 2]`, ids int32 `[b, 2]`; total = sum(weights * ids) `[b]`,
difference = ids - weights `[b, 2]`. Converted from a tf.function of those two lines.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from relevance.errors import ArtifactError, DataError
from relevance.models import Model, TensorSpec

PATH = Path(__file__).parent / "data" / "two_inputs.tflite"


def inputs(b: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 9, (b, 2)).astype(np.int32), rng.random((b, 2)).astype(np.float32)


def check(model: Model, b: int, seed: int = 0) -> None:
    ids, weights = inputs(b, seed)
    difference, total = model(ids, weights)
    np.testing.assert_allclose(difference, ids - weights, rtol=1e-6)
    np.testing.assert_allclose(total, (ids * weights).sum(axis=1), rtol=1e-6)


def test_names_give_the_order() -> None:
    model = Model(PATH)
    assert model.inputs == (
        TensorSpec("ids", np.dtype(np.int32), (-1, 2)),
        TensorSpec("weights", np.dtype(np.float32), (-1, 2)),
    )
    assert [spec.name for spec in model.outputs] == ["difference", "total"]
    check(model, 1)


@pytest.mark.parametrize("source", [PATH, str(PATH), PATH.read_bytes()])
def test_any_source_and_any_batch(source: Path | str | bytes) -> None:
    model = Model(source, threads=2)
    for b in (1, 5, 5, 300, 1, 0, 7):
        check(model, b, seed=b)


def test_results_are_the_callers_own() -> None:
    model = Model(PATH)
    ids, weights = inputs(2)
    first = model(ids, weights)
    kept = [array.copy() for array in first]
    model(ids + 1, weights)
    for array, copy in zip(first, kept, strict=True):
        np.testing.assert_array_equal(array, copy)
        array[:] = 0  # writable


@pytest.mark.parametrize("threads", [0, -1, 1.5, "2", None])
def test_cores_are_counted_from_one(threads: Any) -> None:
    with pytest.raises(DataError, match=f"threads: expected a whole number of at least 1, got {threads!r}"):
        Model(PATH, threads)


def test_threads_do_not_disturb_each_other() -> None:
    model = Model(PATH)
    barrier = threading.Barrier(4)

    def work(thread: int) -> None:
        barrier.wait()
        for i in range(200):
            check(model, 1 + (i + thread) % 5, seed=i)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda ids, weights: (ids,), r"expected 2 arrays \(ids, weights\), got 1"),
        (lambda ids, weights: (ids, weights, ids), "expected 2 arrays"),
        (lambda ids, weights: (ids[:, :1], weights), r"input ids: expected shape \(-1, 2\), got \(3, 1\)"),
        (lambda ids, weights: (ids[0], weights), "input ids: expected shape"),
        (lambda ids, weights: (weights, weights), "FLOAT32 but expected type INT32"),
    ],
)
def test_wrong_inputs_are_named_and_leave_the_model_usable(change, message: str) -> None:  # type: ignore[no-untyped-def]
    model = Model(PATH)
    check(model, 3)
    with pytest.raises(ValueError, match=message):
        model(*change(*inputs(3)))
    check(model, 3)


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"absent\.tflite: cannot read the model"):
        Model(tmp_path / "absent.tflite")
    (tmp_path / "text.tflite").write_text("not a model")
    with pytest.raises(ArtifactError, match=r"text\.tflite: not a LiteRT model"):
        Model(tmp_path / "text.tflite")
    (tmp_path / "cut.tflite").write_bytes(PATH.read_bytes()[:700])
    with pytest.raises(ArtifactError, match=r"cut\.tflite"):
        Model(tmp_path / "cut.tflite")


def test_a_thread_that_comes_late_reads_the_same_model(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(PATH.read_bytes())
    model = Model(path)
    (tmp_path / "other").write_bytes(b"another model by now")
    (tmp_path / "other").replace(path)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(check, model, 3).result()
    path.unlink()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(check, model, 2).result()
