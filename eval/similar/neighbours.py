"""Each listing's nearest listings by look: exact, by cosine (FAISS inner product over unit vectors)."""

import numpy as np
from numpy.typing import NDArray

from relevance.errors import RelevanceError

Rows = NDArray[np.int64]


def neighbours(embeddings: NDArray[np.float32], rows: Rows, k: int, threads: int) -> Rows:
    """Returns int64 `[len(rows), k]`: the rows nearest to each of `rows`, without itself, nearest first; -1 where there
    are fewer. embeddings: `[n, dim]`; a row of zeros has no photo and is nobody's neighbour.

    Raises RelevanceError where FAISS is not installed.
    """
    try:
        import faiss
    except ImportError:
        raise RelevanceError("FAISS is not installed: pip install 'relevance[cpu]' (or 'relevance[gpu]')") from None
    faiss.omp_set_num_threads(threads)
    there = np.flatnonzero(embeddings.any(axis=1))
    vectors = np.ascontiguousarray(embeddings[there], np.float32)
    queries = np.ascontiguousarray(embeddings[rows], np.float32)
    found = np.full((len(rows), k + 1), -1, np.int64)
    wanted = min(k + 1, len(there))
    if wanted and len(rows):
        _, nearest = faiss.knn(queries, vectors, wanted, metric=faiss.METRIC_INNER_PRODUCT)
        found[:, :wanted] = there[nearest]
    return _without(found, rows, k)


def _without(found: Rows, rows: Rows, k: int) -> Rows:
    """`found` less each row itself, and the last where it was not there (k photos that look the same are before it)."""
    own = found == rows[:, None]
    own[~own.any(axis=1), -1] = True
    return np.asarray(found[~own].reshape(len(rows), k))
