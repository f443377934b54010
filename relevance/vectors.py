"""Exact nearest neighbours (FAISS) over memory-mapped vectors whose rows lie in ontology order, so that a category is
one slice. One thread a call: a server's workers are the parallelism, and OpenMP threads would multiply under them."""

from collections.abc import Sequence
from pathlib import Path

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
_GATHER_SHARE = 0.25
"""Below this share of rows left by a mask, the survivors are gathered and scanned alone."""


class VectorIndex:
    """Unit vectors float32 `[rows, dim]`; a score is a cosine."""

    def __init__(self, embeddings: NDArray[np.float32]) -> None:
        if faiss is None:
            raise RelevanceError(
                "FAISS is not installed: pip install 'relevance[cpu]' (or 'relevance[gpu]', never both)"
            )
        self.embeddings = embeddings

    @classmethod
    def open(cls, path: Path) -> "VectorIndex":
        """Maps a .npy file of float32 vectors."""
        return cls(np.load(path, mmap_mode="r"))

    def __len__(self) -> int:
        return len(self.embeddings)

    def search(
        self,
        query: NDArray[np.float32],
        k: int,
        mask: NDArray[np.bool_] | None = None,
        slices: Sequence[tuple[int, int]] | None = None,
    ) -> tuple[Rows, Scores]:
        """Returns the `k` rows nearest to `query` (float32 `[dim]`) and their cosines, best first; fewer only where
        fewer rows pass. mask: bool `[rows]`; slices: row ranges [first, end) to look in, all rows when None."""
        ranges = [(0, len(self))] if slices is None else [*slices, (0, 0)]
        parts = [self._slice(query, k, first, end, mask) for first, end in ranges]
        rows = np.concatenate([part[0] for part in parts])
        scores = np.concatenate([part[1] for part in parts])
        best = np.argsort(-scores, kind="stable")[:k]
        return rows[best], scores[best]

    def _slice(
        self, query: NDArray[np.float32], k: int, first: int, end: int, mask: NDArray[np.bool_] | None
    ) -> tuple[Rows, Scores]:
        if mask is None:
            return _nearest(query, self.embeddings[first:end], k, first)
        passing = int(np.count_nonzero(mask[first:end]))
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


def _nearest(query: NDArray[np.float32], embeddings: NDArray[np.float32], k: int, first: int) -> tuple[Rows, Scores]:
    k = min(k, len(embeddings))
    if k <= 0:
        return np.empty(0, np.int64), np.empty(0, np.float32)
    faiss.omp_set_num_threads(1)
    scores, rows = faiss.knn(query[None], embeddings, k, metric=faiss.METRIC_INNER_PRODUCT)
    return rows[0] + first, scores[0]
