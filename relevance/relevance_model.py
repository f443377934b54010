"""What is known of a query with a listing, and what follows: a calibrated probability that the listing answers the
query, and the order in which listings stand. Both are linear in the same features; the first is a logistic model of
being relevant, the second a conditional logit of being chosen among the candidates (McFadden, 1974)."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

FEATURES = (
    "cosine",
    "cosine_within",
    "category_cosine",
    "category_log_share",
    "lexical",
    "bm25",
    "missing",
    "wanted",
    "familiar",
    "foreign",
    "nothing",
    "second_noun",
)
"""cosine: of query and listing; cosine_within: how much more than is usual of the candidates of the same category;
category_cosine: of query and the listing's category; category_log_share: logarithm of that category's probability, over
10; lexical: 1 where every word of the query, or of its correction, occurs in the listing; bm25: the score of the words
over the highest one; missing: how many of the query's qualifiers the listing does not say; wanted: how well its
attributes are what the query's words say of them, 0 or less; familiar: how well the query's words are known, 0 to 1;
foreign: the share of them that are words of the language, but of nothing here; nothing: how much nearer the query is to
the place of queries without an answer than to any category; second_noun: how much less like a thing of the catalogue
the noun is that stands behind another one."""

LESS_CERTAIN = 0.2
"""Beside a hit that reaches the threshold others are shown from this share of it on."""

LEAST_SHARE = 1e-2
"""Less probable categories are all alike: so many listings lie in one that nobody would look in."""

OF_ALL = 10
"""What is usual in a category of few candidates is mostly what is usual of all: this many of them, on average, count
beside its own. Else nothing there could be much nearer than is usual."""

Features = NDArray[np.float32]


@dataclass(frozen=True)
class RelevanceModel:
    """weights: float `[features]`, of FEATURES in their order, and a bias; ranking: float `[features]`, what each
    feature weighs in the order; threshold: a query has an answer when its most relevant candidate reaches it, chosen
    so that at most `false_abstention` of the answerable held-out queries whose words match nothing stay without one."""

    weights: tuple[float, ...]
    bias: float
    ranking: tuple[float, ...]
    threshold: float
    false_abstention: float

    def judge(self, features: Features) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Returns, for features float32 `[n, features]`, the probability of being relevant and the utility, float32
        `[n]` each: the higher the utility, the earlier in the order; comparable within one query."""
        logits, utility = self._both @ features.T
        logits += np.float32(self.bias)
        return 1 / (1 + np.exp(-logits)), utility

    def shown(self, probability: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Returns bool `[n]`, which of a query's candidates are an answer: none of them where the best does not reach
        the threshold, else also those less certain."""
        if probability.max(initial=0.0) < self.threshold:
            return np.zeros(len(probability), np.bool_)
        return np.asarray(probability >= LESS_CERTAIN * self.threshold)

    @cached_property
    def _both(self) -> NDArray[np.float32]:
        return np.array([self.weights, self.ranking], np.float32)


def pair_features(
    cosine: NDArray[np.float32],
    category: NDArray[np.integer[Any]],
    category_cosine: NDArray[np.float32],
    category_share: NDArray[np.float32],
    lexical: NDArray[np.bool_],
    bm25: NDArray[np.float32],
    missing: NDArray[np.float32] | float,
    wanted: NDArray[np.float32] | float,
    familiar: float,
    foreign: float,
    nothing: float,
    second_noun: float,
) -> Features:
    """Returns the features of one query with n listings, float32 `[n, features]`."""
    share = np.log(np.maximum(category_share, np.float32(LEAST_SHARE)))
    columns: tuple[ArrayLike, ...] = (
        cosine,
        cosine - _usual_within(cosine, category),
        category_cosine,
        share / 10,
        lexical,
        bm25 / max(float(bm25.max(initial=0.0)), 1e-9),
        missing,
        wanted,
        familiar,
        foreign,
        nothing,
        second_noun,
    )
    features = np.empty((len(columns), len(cosine)), np.float32)
    for column, values in zip(features, columns, strict=True):
        column[:] = values
    return features.T


def _usual_within(values: NDArray[np.float32], group: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
    """Returns float64 `[n]`: the mean of the values of the same group and of OF_ALL average ones."""
    total = np.bincount(group, values) + OF_ALL * float(values.sum()) / max(len(values), 1)
    return np.asarray((total / (np.bincount(group) + OF_ALL))[group], np.float64)
