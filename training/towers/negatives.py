"""Hard negatives: listings near a query in the space learned so far, but in a category nobody chose for it.

They are found with ScaNN through TensorFlow Recommenders, in ranks 50 to 200 (nearer ones are too often right
answers that were never shown: Huang et al., KDD 2020).
"""

import numpy as np
import tensorflow_recommenders as tfrs
from numpy.typing import NDArray

FIRST_RANK, LAST_RANK = 50, 200


def hard_negatives(
    queries: NDArray[np.float32],
    listings: NDArray[np.float32],
    positive_category: NDArray[np.int32],
    listing_category: NDArray[np.int32],
    rng: np.random.Generator,
) -> NDArray[np.int32]:
    """Returns one listing row for each query, int32 `[q]`.

    queries float32 `[q, dim]`, listings float32 `[n, dim]`, unit vectors; positive_category int32 `[q]`, a category
    chosen for the query. Where every near listing is of that category, a uniformly drawn one stands in.
    """
    last = min(LAST_RANK, len(listings))
    leaves = max(1, int(np.sqrt(len(listings))))
    index = tfrs.layers.factorized_top_k.ScaNN(
        k=last,
        num_leaves=leaves,
        num_leaves_to_search=max(min(leaves, 25), leaves // 4),
        num_reordering_candidates=last,
    )
    index.index(listings)
    drawn = rng.integers(0, len(listings), len(queries)).astype(np.int32)
    for start in range(0, len(queries), 1024):
        rows = slice(start, start + 1024)
        scores, near = (part.numpy()[:, min(FIRST_RANK, last // 2) :] for part in index(queries[rows]))
        # Where too few lie in the leaves searched, ScaNN fills up with NaN.
        other = np.isfinite(scores) & (listing_category[near] != positive_category[rows, None])
        # A random one of the allowed ranks: the largest of random keys that are 0 where it is not allowed.
        keys = rng.random(near.shape) * other
        best = keys.argmax(axis=1)
        found = keys.max(axis=1) > 0
        drawn[rows] = np.where(found, near[np.arange(len(near)), best], drawn[rows])
    return drawn
