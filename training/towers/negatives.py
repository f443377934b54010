"""Hard negatives: listings near a query in the space learned so far, but in another category than was chosen for it.

They are found with ScaNN, in ranks 50 to 200 (nearer ones are too often right answers that were never shown: Huang et
al., KDD 2020).
"""

from typing import Any

import numpy as np
import scann
from numpy.typing import NDArray

FIRST_RANK, LAST_RANK = 50, 200
_EXACT_TO = 10_000
"""Up to so many listings a scan of all costs less than training a tree."""


def hard_negatives(
    queries: NDArray[np.float32],
    listings: NDArray[np.float32],
    positive_category: NDArray[np.int32],
    listing_category: NDArray[np.int32],
    rng: np.random.Generator,
) -> NDArray[np.int32]:
    """Returns one listing row for each query, int32 `[q]`.

    queries float32 `[q, dim]`, listings float32 `[n, dim]`, unit vectors; positive_category int32 `[q]`, a category
    chosen for the query: of several one, so that a listing of the others may be returned. Where every near listing is
    of that category, a uniformly drawn one stands in.
    """
    last = min(LAST_RANK, len(listings))
    searcher = _searcher(listings, last)
    drawn = rng.integers(0, len(listings), len(queries)).astype(np.int32)
    for start in range(0, len(queries), 1024):
        rows = slice(start, start + 1024)
        near, scores = (part[:, min(FIRST_RANK, last // 2) :] for part in searcher.search_batched(queries[rows]))
        # Where too few lie in the leaves searched, ScaNN fills up with NaN.
        there = np.isfinite(scores)
        near = np.where(there, near, 0)
        other = there & (listing_category[near] != positive_category[rows, None])
        # A random one of the allowed ranks: the largest of random keys that are 0 where it is not allowed.
        keys = rng.random(near.shape) * other
        best = keys.argmax(axis=1)
        found = keys.max(axis=1) > 0
        drawn[rows] = np.where(found, near[np.arange(len(near)), best], drawn[rows])
    return drawn


def _searcher(listings: NDArray[np.float32], k: int) -> Any:
    builder = scann.scann_ops_pybind.builder(listings, k, "dot_product")
    if len(listings) <= _EXACT_TO:
        return builder.score_brute_force().build()
    leaves = int(np.sqrt(len(listings)))
    builder = builder.tree(leaves, leaves // 4, training_sample_size=len(listings)).score_ah(2).reorder(k)
    # Trained by several threads, the tree differs from run to run. TensorFlow Recommenders' layer cannot set this.
    return builder.set_n_training_threads(1).build()
