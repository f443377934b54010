"""The vector index against brute force in float64, whatever the filter leaves."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from relevance.vectors import VectorIndex, highest

ROWS, DIM = 3000, 16


def _unit(rows: int, seed: int) -> NDArray[np.float32]:
    vectors = np.random.default_rng(seed).normal(size=(rows, DIM))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def embeddings() -> NDArray[np.float32]:
    """Thirty clusters one after the other, as listings of thirty categories lie."""
    centres = np.repeat(_unit(30, 1), ROWS // 30, axis=0)
    noisy = centres + 0.3 * _unit(ROWS, 2)
    return (noisy / np.linalg.norm(noisy, axis=1, keepdims=True)).astype(np.float32)


def _brute_force(
    embeddings: NDArray[np.float32], query: NDArray[np.float32], k: int, passing: NDArray[np.bool_]
) -> list[int]:
    scores = embeddings.astype(np.float64) @ query.astype(np.float64)
    ranked = sorted(np.flatnonzero(passing).tolist(), key=lambda row: -scores[row])
    return ranked[:k]


def _check(
    embeddings: NDArray[np.float32],
    query: NDArray[np.float32],
    k: int,
    mask: NDArray[np.bool_] | None,
    slices: list[tuple[int, int]] | None,
) -> None:
    passing = np.ones(len(embeddings), bool) if mask is None else mask.copy()
    if slices is not None:
        inside = np.zeros(len(embeddings), bool)
        for first, end in slices:
            inside[first:end] = True
        passing &= inside
    rows, scores = VectorIndex(embeddings).search(query, k, mask, slices)
    assert (rows.dtype, scores.dtype) == (np.int64, np.float32)
    assert rows.tolist() == _brute_force(embeddings, query, k, passing)
    np.testing.assert_allclose(scores, embeddings[rows] @ query, atol=1e-6)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.01, 0.2, 0.25, 0.3, 0.9, 1.0])
@pytest.mark.parametrize("k", [1, 20, 500])
def test_unrelated_filter(embeddings: NDArray[np.float32], share: float, k: int) -> None:
    mask = np.random.default_rng(3).permutation(ROWS) < round(share * ROWS)
    for query in _unit(5, 4):
        _check(embeddings, query, k, mask, None)


@pytest.mark.parametrize("keep_nearest", [True, False])
@pytest.mark.parametrize("share", [0.01, 0.2, 0.6])
def test_filter_related_to_the_query(embeddings: NDArray[np.float32], share: float, keep_nearest: bool) -> None:
    """Only the nearest pass, or everything but those: what approximate indexes lose their recall on."""
    for query in _unit(5, 5):
        order = np.argsort(embeddings @ query)
        mask = np.zeros(ROWS, bool)
        passing = round(share * ROWS)
        mask[order[-passing:] if keep_nearest else order[:passing]] = True
        _check(embeddings, query, 20, mask, None)


@pytest.mark.parametrize(
    "slices", [[(0, ROWS)], [(100, 200)], [(2900, ROWS), (0, 100), (500, 501)], [(7, 7)], [(5, 15), (40, 40)], []]
)
@pytest.mark.parametrize("share", [None, 0.05, 0.7])
def test_slices(embeddings: NDArray[np.float32], slices: list[tuple[int, int]], share: float | None) -> None:
    mask = None if share is None else np.random.default_rng(6).random(ROWS) < share
    for query in _unit(3, 7):
        _check(embeddings, query, 20, mask, slices)


@pytest.mark.parametrize("slices", [[], [(0, ROWS)], [(100, 130)], [(2900, ROWS), (0, 400)]])
@pytest.mark.parametrize("share", [0.05, 0.7, 1.0])
def test_around_is_nearest_and_nearest_within(
    embeddings: NDArray[np.float32], slices: list[tuple[int, int]], share: float
) -> None:
    mask = np.random.default_rng(9).random(ROWS) < share
    inside = np.zeros(ROWS, bool)
    for first, end in slices:
        inside[first:end] = True
    for query in [*_unit(3, 10), embeddings[110], embeddings[2950]]:
        rows, scores = VectorIndex(embeddings).around(query, 40, mask, slices)
        expected = _brute_force(embeddings, query, 40, mask) + _brute_force(embeddings, query, 40, mask & inside)
        assert len(set(rows.tolist())) == len(rows)
        assert set(rows.tolist()) == set(expected)
        np.testing.assert_allclose(scores, embeddings[rows] @ query, atol=1e-6)


def test_fewer_rows_than_asked_for() -> None:
    embeddings = _unit(3, 8)
    _check(embeddings, embeddings[1], 10, None, None)
    rows, scores = VectorIndex(embeddings).search(embeddings[1], 10)
    assert rows[0] == 1
    assert scores[0] == pytest.approx(1.0)


def test_no_rows() -> None:
    rows, scores = VectorIndex(np.empty((0, DIM), np.float32)).search(_unit(1, 9)[0], 5)
    assert len(rows) == len(scores) == 0


def test_opens_a_file_without_reading_it_into_memory(tmp_path: Path, embeddings: NDArray[np.float32]) -> None:
    np.save(tmp_path / "vectors.npy", embeddings)
    index = VectorIndex.open(tmp_path / "vectors.npy")
    assert len(index) == ROWS
    assert isinstance(index.embeddings.base, np.memmap)
    query = _unit(1, 10)[0]
    assert index.search(query, 7)[0].tolist() == _brute_force(embeddings, query, 7, np.ones(ROWS, bool))


def test_all_cosines(embeddings: NDArray[np.float32]) -> None:
    query = embeddings[7].copy()
    np.testing.assert_allclose(VectorIndex(embeddings).all_cosines(query), embeddings @ query, atol=1e-6)
    assert len(VectorIndex(embeddings[:0]).all_cosines(query)) == 0


def test_the_highest_of_those_marked() -> None:
    scores = np.array([0.9, 0.1, 0.8, 0.7, 0.6], np.float32)
    marked = np.array([False, True, True, True, True])
    assert sorted(highest(scores, 2, marked).tolist()) == [2, 3]
    assert sorted(highest(scores, 4, marked).tolist()) == [1, 2, 3, 4]
    assert sorted(highest(scores, 9, marked).tolist()) == [1, 2, 3, 4]
    assert highest(scores, 2, np.zeros(5, bool)).tolist() == []
