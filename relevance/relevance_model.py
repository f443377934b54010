"""The calibrated probability that a listing answers a query: a logistic model over what is known of the pair."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FEATURES = ("cosine", "category", "lexical", "familiar", "cosine_unfamiliar", "best_cosine")
"""cosine: of query and listing; category: log-probability of the listing's category for the query, from -1 (least) to
0; lexical: 1 where every word of the query, or of its correction, occurs in the listing; familiar: how well the
query's words are known, 0 to 1; cosine_unfamiliar: cosine * (1 - familiar); best_cosine: of its nearest listing."""

_LOWEST_LOG = 12.0


@dataclass(frozen=True)
class RelevanceModel:
    """weights float `[6]` over FEATURES, and a bias; threshold: below it a semantic hit is not shown, chosen so that
    at most `false_abstention` of the answerable held-out queries are left without an answer."""

    weights: tuple[float, ...]
    bias: float
    threshold: float
    false_abstention: float

    def probability(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns float32 `[n]` for features float32 `[n, 6]`."""
        logits = features @ np.array(self.weights, np.float32) + np.float32(self.bias)
        return np.asarray(1 / (1 + np.exp(-logits)), np.float32)


def pair_features(
    cosine: NDArray[np.float32],
    category_probability: NDArray[np.float32],
    lexical: NDArray[np.bool_],
    familiar: float,
    best_cosine: float,
) -> NDArray[np.float32]:
    """Returns the features of one query with n listings, float32 `[n, 6]`."""
    logs = np.log(np.maximum(category_probability, np.exp(-_LOWEST_LOG))) / _LOWEST_LOG
    n = len(cosine)
    columns = (
        cosine, logs, lexical, np.full(n, familiar), cosine * (1 - familiar), np.full(n, best_cosine)
    )  # fmt: skip
    return np.stack(columns, axis=1).astype(np.float32)
