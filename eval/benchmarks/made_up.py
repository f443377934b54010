"""More vectors than a bundle has, made up from its own: for measuring what a larger catalogue costs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

_NEIGHBOURS = 10
_NOISE = 0.5
_CHUNK = 50_000


def made_up(real: NDArray[np.float32], count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Returns `count` different unit vectors, float32 `[count, dim]`, in the order of `real` (`[n, dim]`).

    Every different vector of `real` stays, or a random part of them where that is more than enough. The others are
    these again with noise of the shape of the place: a normal combination of the differences to the ten nearest, half
    as long as these. So a copy lies where listings lie, and not beside them, as noise in all directions would have it.
    """
    return varied(real, origins(real, count, rng), rng)


def origins(real: NDArray[np.float32], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Returns the row of `real` that each of `count` made-up vectors is of, ascending, int64 `[count]`."""
    first = np.sort(np.unique(real, axis=0, return_index=True)[1])
    own = first if count >= len(first) else rng.choice(first, count, replace=False)
    rows: NDArray[np.int64] = np.sort(own[np.arange(count) % len(own)])
    return rows


def varied(real: NDArray[np.float32], rows: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float32]:
    """Returns the vectors of `rows` (ascending), the second and later ones of a row with noise: see `made_up`."""
    first, of = np.unique(rows, return_inverse=True)
    own, copied = real[first], np.flatnonzero(np.diff(rows, prepend=-1) == 0)
    vectors = own[of]
    near = _neighbours(own) if len(copied) else np.empty(0, np.int64)
    for start in tqdm(range(0, len(copied), _CHUNK), "vectors"):
        chunk = copied[start : start + _CHUNK]
        weights = rng.normal(0, _NOISE / near.shape[1] ** 0.5, (len(chunk), near.shape[1])).astype(np.float32)
        base = own[of[chunk]]
        for neighbour, weight in zip(near[of[chunk]].T, weights.T, strict=True):
            vectors[chunk] += weight[:, None] * (own[neighbour] - base)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def _neighbours(vectors: NDArray[np.float32]) -> NDArray[np.int64]:
    """The rows nearest to each, without itself."""
    import faiss

    _, rows = faiss.knn(vectors, vectors, min(_NEIGHBOURS + 1, len(vectors)), metric=faiss.METRIC_INNER_PRODUCT)
    others: NDArray[np.int64] = rows[:, 1:]
    return others
