"""The coded index against brute force: recall whatever the filter leaves, and never too few rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from relevance import codes
from relevance.codes import CodedIndex, open_vectors, write_codes
from relevance.vectors import VectorIndex

ROWS, DIM, CLUSTERS = 30_000, 32, 300


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float32]:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clusters of uneven size, one after the other, as listings of a category lie."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(CLUSTERS, DIM))
    cluster = np.sort((CLUSTERS * rng.random(ROWS) ** 1.5).astype(int))
    folder = tmp_path_factory.mktemp("codes")
    np.save(folder / "vectors.npy", _unit(centres[cluster] + 0.8 * rng.normal(size=(ROWS, DIM))))
    write_codes(folder / "vectors.npy", least=ROWS)
    return folder


@pytest.fixture
def index(folder: Path, monkeypatch: pytest.MonkeyPatch) -> CodedIndex:
    """So small an index would be scanned exactly."""
    monkeypatch.setattr(codes, "EXACT_ROWS", 20)
    opened = open_vectors(folder / "vectors.npy")
    assert isinstance(opened, CodedIndex)
    return opened


def _queries(folder: Path, count: int) -> NDArray[np.float32]:
    rng = np.random.default_rng(1)
    vectors = np.load(folder / "vectors.npy")
    return _unit(vectors[rng.integers(0, ROWS, count)] + 0.1 * rng.normal(size=(count, DIM)))


@pytest.fixture(scope="module")
def queries(folder: Path) -> NDArray[np.float32]:
    return _queries(folder, 12)


def _recall(
    index: CodedIndex, query: NDArray[np.float32], k: int, mask: NDArray[np.bool_], slices: list[tuple[int, int]] | None
) -> float:
    """Of the k nearest that pass; checks what holds of every answer."""
    inside = mask.copy()
    if slices is not None:
        inside[:] = False
        for first, end in slices:
            inside[first:end] = mask[first:end]
    rows, scores = index.search(query, k, mask, slices)
    assert (rows.dtype, scores.dtype) == (np.int64, np.float32)
    assert len(set(rows.tolist())) == len(rows) == min(k, inside.sum())
    assert inside[rows].all()
    np.testing.assert_allclose(scores, index.embeddings[rows] @ query, atol=1e-6)
    assert np.all(np.diff(scores) <= 0)
    exact = np.where(inside, index.embeddings @ query, -2)
    nearest = np.argsort(-exact)[: len(rows)]
    return float(np.isin(nearest, rows).mean()) if len(rows) else 1.0


@pytest.mark.parametrize("percent", [0.1, 1, 10, 50, 100])
@pytest.mark.parametrize("related", ["unrelated", "nearest pass", "nearest do not"])
@pytest.mark.parametrize("k", [10, 100])
def test_recall_under_a_filter(
    index: CodedIndex, queries: NDArray[np.float32], percent: float, related: str, k: int
) -> None:
    rng = np.random.default_rng(2)
    recalls = []
    for query in queries:
        order = rng.permutation(ROWS) if related == "unrelated" else np.argsort(-(index.embeddings @ query))
        mask = np.zeros(ROWS, np.bool_)
        passing = round(ROWS * percent / 100)
        mask[order[-passing:] if related == "nearest do not" else order[:passing]] = True
        recalls.append(_recall(index, query, k, mask, None))
    # Where what is near passes, only lists near the query are scanned: of real listings 0.97.
    only_near = percent == 100 or related == "nearest pass"
    assert np.mean(recalls) >= (0.95 if only_near else 0.98)


@pytest.mark.parametrize("slices", [[(0, ROWS)], [(5_000, 9_000)], [(100, 8_000), (20_000, 29_000)], [(7, 12)], []])
@pytest.mark.parametrize("share", [0.05, 0.7, 1.0])
def test_recall_within_slices(
    index: CodedIndex, queries: NDArray[np.float32], slices: list[tuple[int, int]], share: float
) -> None:
    mask = np.random.default_rng(3).random(ROWS) < share
    assert np.mean([_recall(index, query, 20, mask, slices) for query in queries]) >= 0.98


@pytest.mark.parametrize("slices", [[], [(0, ROWS)], [(5_000, 9_000)], [(100, 8_000), (20_000, 29_000)], [(7, 12)]])
@pytest.mark.parametrize("share", [0.05, 0.3, 0.7, 1.0])
def test_around(index: CodedIndex, queries: NDArray[np.float32], slices: list[tuple[int, int]], share: float) -> None:
    mask = np.random.default_rng(5).random(ROWS) < share
    inside = np.zeros(ROWS, np.bool_)
    for first, end in slices:
        inside[first:end] = True
    recalls = []
    for query in queries:
        rows, scores = index.around(query, 100, mask, slices)
        assert len(set(rows.tolist())) == len(rows)
        assert mask[rows].all()
        np.testing.assert_allclose(scores, index.embeddings[rows] @ query, atol=1e-6)
        exact = index.embeddings @ query
        for passing in (mask, mask & inside):
            wanted = min(100, np.count_nonzero(passing))
            nearest = np.argsort(-np.where(passing, exact, -2))[:wanted]
            recalls.append(np.isin(nearest, rows).mean() if wanted else 1.0)
            assert np.count_nonzero(passing[rows]) >= wanted
    assert np.mean(recalls) >= 0.75  # few clusters to go by here; of real listings 0.97


def test_without_a_mask(index: CodedIndex, queries: NDArray[np.float32]) -> None:
    everything = np.ones(ROWS, np.bool_)
    for query in queries[:5]:
        rows, scores = index.search(query, 50)
        expected, expected_scores = index.search(query, 50, everything)
        assert rows.tolist() == expected.tolist()
        np.testing.assert_array_equal(scores, expected_scores)
    assert len(index.search(queries[0], ROWS)[0]) == ROWS


def test_few_neighbours_are_found_as_surely_as_many(index: CodedIndex, folder: Path) -> None:
    everything = np.ones(ROWS, np.bool_)
    recalls = {
        k: np.mean([_recall(index, query, k, everything, None) for query in _queries(folder, 200)]) for k in (10, 100)
    }
    assert min(recalls.values()) >= 0.955


def test_few_rows_are_scanned_exactly(folder: Path, queries: NDArray[np.float32]) -> None:
    coded, exact = open_vectors(folder / "vectors.npy"), VectorIndex.open(folder / "vectors.npy")
    mask = np.random.default_rng(4).random(ROWS) < 0.2
    for query in queries:
        assert coded.search(query, 30, mask)[0].tolist() == exact.search(query, 30, mask)[0].tolist()


def test_a_small_index_has_no_codes(tmp_path: Path) -> None:
    np.save(tmp_path / "small.npy", np.eye(8, dtype=np.float32))
    write_codes(tmp_path / "small.npy")
    assert [path.name for path in tmp_path.iterdir()] == ["small.npy"]
    assert type(open_vectors(tmp_path / "small.npy")) is VectorIndex
    np.save(tmp_path / "odd.npy", np.ones((500, 3), np.float32))
    write_codes(tmp_path / "odd.npy", least=1)
    assert type(open_vectors(tmp_path / "odd.npy")) is VectorIndex


def test_codes_are_a_function_of_the_vectors(folder: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "vectors.npy", np.load(folder / "vectors.npy"))
    write_codes(tmp_path / "vectors.npy", least=ROWS)
    assert (tmp_path / "vectors.codes").read_bytes() == (folder / "vectors.codes").read_bytes()
