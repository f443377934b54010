"""The calibrated probability that a listing answers a query: a logistic model over what is known of the pair."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FEATURES = ("cosine", "category_cosine", "lexical", "familiar", "cosine_unfamiliar", "category_unfamiliar")
"""cosine: of query and listing; category_cosine: of query and the listing's category; lexical: 1 where every word of
the query, or of its correction, occurs in the listing; familiar: how well the query's words are known, 0 to 1; and both
cosines times (1 - familiar), since closeness says less where the words are strange."""


@dataclass(frozen=True)
class RelevanceModel:
    """weights float `[6]` over FEATURES, and a bias; threshold: below it a semantic hit is not shown, chosen so that
    at most `false_abstention` of the answerable held-out queries whose words match nothing stay without an answer."""

    weights: tuple[float, ...]
    bias: float
    threshold: float
    false_abstention: float

    def probability(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns float32 `[n]` for features float32 `[n, 6]`."""
        logits = features @ np.array(self.weights, np.float32) + np.float32(self.bias)
        return np.asarray(1 / (1 + np.exp(-logits)), np.float32)


def pair_features(
    cosine: NDArray[np.float32], category_cosine: NDArray[np.float32], lexical: NDArray[np.bool_], familiar: float
) -> NDArray[np.float32]:
    """Returns the features of one query with n listings, float32 `[n, 6]`."""
    strange = 1 - familiar
    columns = (
        cosine,
        category_cosine,
        lexical,
        np.full(len(cosine), familiar),
        cosine * strange,
        category_cosine * strange,
    )
    return np.stack(columns, axis=1).astype(np.float32)
