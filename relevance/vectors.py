"""Exact nearest neighbours (FAISS) over memory-mapped vectors whose rows lie in ontology order, so that a category is
one slice. One thread a call: a server's workers are the parallelism, and OpenMP threads would multiply under them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relevance.errors import RelevanceError

try:
    import faiss
except ImportError:
    # Said when it is needed, so that `relevance --help` works and the command line can say it in one line.
    faiss = None  # type: ignore[assignment]

Rows = NDArray[np.int64]
Scores = NDArray[np.float32]
Slices = Sequence[tuple[int, int]]
"""Ranges of rows [first, end), none of which overlap."""

_GATHER_SHARE = 0.25
"""Below this share of rows left by a mask, the survivors are gathered and scanned alone."""


class VectorIndex:
    """Unit vectors float32 `[rows, dim]`; a score is a cosine."""

    def __init__(self, embeddings: NDArray[np.float32]) -> None:
        if faiss is None:
            raise RelevanceError(
                "FAISS is not installed: pip install 'relevance[cpu]' (or 'relevance[gpu]', never both)"
            )
        # As a plain array over the same memory: each look into a `memmap` costs microseconds.
        self.embeddings = np.asarray(embeddings)

    @classmethod
    def open(cls, path: Path) -> "VectorIndex":
        """Maps a .npy file of float32 vectors."""
        return cls(np.load(path, mmap_mode="r"))

    def __len__(self) -> int:
        return len(self.embeddings)

    def cosines(self, query: NDArray[np.float32], rows: Rows) -> Scores:
        """Returns the cosine of `query` (float32 `[dim]`) with each of `rows` (not looked at: all have to be there),
        float32 `[n]`."""
        found = np.empty(len(rows), np.float32)
        library: Any = faiss  # whose stubs lack this function
        library.omp_set_num_threads(1)
        # Where the rows lie: a copy of them would push as much else out of the processor's cache.
        arrays = map(library.swig_ptr, (found, query, self.embeddings, rows))
        library.fvec_inner_products_by_idx(*arrays, self.embeddings.shape[1], 1, len(rows))
        return found

    def all_cosines(self, query: NDArray[np.float32]) -> Scores:
        """Returns the cosine of `query` (float32 `[dim]`) with each row, float32 `[rows]`."""
        found = np.empty(len(self), np.float32)
        library: Any = faiss
        arrays = map(library.swig_ptr, (found, query, self.embeddings))
        library.fvec_inner_products_ny(*arrays, self.embeddings.shape[1], len(self))
        return found

    def search(
        self,
        query: NDArray[np.float32],
        k: int,
        mask: NDArray[np.bool_] | None = None,
        slices: Slices | None = None,
    ) -> tuple[Rows, Scores]:
        """Returns the `k` rows nearest to `query` (float32 `[dim]`) and their cosines, best first; fewer only where
        fewer rows pass. mask: bool `[rows]`; slices: rows to look in, all when None."""
        if slices is None:
            return self._slice(query, k, 0, len(self), mask)
        parts = [self._slice(query, k, first, end, mask) for first, end in [*slices, (0, 0)]]
        return _best(np.concatenate([rows for rows, _ in parts]), np.concatenate([own for _, own in parts]), k)

    def around(
        self, query: NDArray[np.float32], k: int, mask: NDArray[np.bool_], slices: Slices
    ) -> tuple[Rows, Scores]:
        """Returns the `k` rows of `mask` nearest to `query` and the `k` of them nearest within `slices`, once each and
        in no order, and their cosines."""
        nearest, scores = self.search(query, k, mask)
        inside, inside_scores = self.search(query, k, mask, slices)
        # Those of the nearest that lie in the slices are the nearest there, too.
        others = ~within(nearest, slices)
        return np.concatenate([inside, nearest[others]]), np.concatenate([inside_scores, scores[others]])

    def _slice(
        self, query: NDArray[np.float32], k: int, first: int, end: int, mask: NDArray[np.bool_] | None
    ) -> tuple[Rows, Scores]:
        if mask is None:
            return _nearest(query, self.embeddings[first:end], k, first)
        passing = int(np.count_nonzero(mask[first:end]))
        if passing == end - first:
            return _nearest(query, self.embeddings[first:end], k, first)
        if passing <= _GATHER_SHARE * (end - first):
            survivors = np.flatnonzero(mask[first:end]) + first
            found, scores = _nearest(query, self.embeddings[survivors], k, 0)
            return survivors[found], scores
        wanted = min(k, passing)
        looked = wanted
        # Most rows pass: look at more than k and drop the rest, until k survive. Exact, and nothing is copied.
        while True:
            rows, scores = _nearest(query, self.embeddings[first:end], looked, first)
            kept = mask[rows]
            if np.count_nonzero(kept) >= wanted:
                return rows[kept][:k], scores[kept][:k]
            looked = min(4 * looked, end - first)


def within(rows: NDArray[np.integer[Any]], slices: Slices) -> NDArray[np.bool_]:
    """Returns bool `[n]`: which of `rows` lie in one of the slices."""
    if len(slices) == 1:
        return np.asarray((rows >= slices[0][0]) & (rows < slices[0][1]))
    inside = np.zeros(len(rows), np.bool_)
    for first, end in slices:
        inside |= (rows >= first) & (rows < end)
    return inside


def highest(scores: Scores, k: int, among: NDArray[np.bool_]) -> Rows:
    """Returns the `k` rows of the highest scores (float32 `[rows]`) among those marked, in no order; all where there
    are no more."""
    rows = among.nonzero()[0]
    return rows if len(rows) <= k else rows[np.argpartition(-scores[rows], k - 1)[:k]]


def _best(rows: Rows, scores: Scores, k: int) -> tuple[Rows, Scores]:
    """The `k` rows of the highest scores, best first."""
    order = np.argsort(-scores, kind="stable")[:k]
    return rows[order], scores[order]


def _nearest(query: NDArray[np.float32], embeddings: NDArray[np.float32], k: int, first: int) -> tuple[Rows, Scores]:
    k = min(k, len(embeddings))
    if k <= 0:
        return np.empty(0, np.int64), np.empty(0, np.float32)
    faiss.omp_set_num_threads(1)
    scores, rows = faiss.knn(query[None], embeddings, k, metric=faiss.METRIC_INNER_PRODUCT)
    return rows[0] + first, scores[0]
