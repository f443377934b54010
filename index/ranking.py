"""The order of the hits: a conditional logit of what was chosen among the candidates (McFadden, 1974)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from relevance.relevance_model import FEATURES

RIDGE = 0.02
"""Pull of each weight, on its own scale, towards the relevance model's."""

OF_THE_QUERY = ("familiar", "foreign", "nothing", "second_noun")
"""Features that are the same for all candidates of a query: the order does not depend on them."""

BETTER = ("cosine", "cosine_within", "category_cosine", "category_log_share", "lexical", "bm25", "wanted")
WORSE = ("missing",)
"""Features of which more is never worse, or never better: a few choices that happen to say otherwise are no reason to
put what is nearer behind."""


class Choice(NamedTuple):
    """The candidates of one query: features float32 `[n, features]`; chosen float64 `[n]`, the weight of the clicks and
    messages on each."""

    features: NDArray[np.float32]
    chosen: NDArray[np.float64]


def fit_ranking(choices: Sequence[Choice], start: NDArray[np.float64]) -> tuple[float, ...]:
    """Returns what each feature weighs in the order: the weights of the highest likelihood of what was chosen, a query
    counting once. start: the relevance model's weights, which stay where nothing was chosen, but for
    those that would count what is nearer against a listing."""
    free = np.array([name not in OF_THE_QUERY for name in FEATURES])
    lower = np.where(np.isin(FEATURES, BETTER), 0.0, -np.inf)
    upper = np.where(np.isin(FEATURES, WORSE), 0.0, np.inf)
    if not choices:
        return tuple(np.where(free, start.clip(lower, upper), 0.0).round(6).tolist())
    features = np.concatenate([choice.features for choice in choices]).astype(np.float64)
    scale = np.maximum(features.std(axis=0), 1e-6)
    features = features / scale * free
    begin = np.where(free, start * scale, 0.0)
    share = np.concatenate([choice.chosen / choice.chosen.sum() for choice in choices])
    sizes = np.array([len(choice.chosen) for choice in choices])
    first = np.concatenate([[0], np.cumsum(sizes)[:-1]])

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        utility = features @ weights
        utility -= np.repeat(np.maximum.reduceat(utility, first), sizes)
        exponents = np.exp(utility)
        total = np.add.reduceat(exponents, first)
        probability = exponents / np.repeat(total, sizes)
        pull = weights - begin
        value = np.log(total).sum() - share @ utility + RIDGE * len(choices) * (pull @ pull) / 2
        gradient = features.T @ (probability - share) + RIDGE * len(choices) * pull
        return float(value) / len(choices), gradient / len(choices)

    fitted = minimize(loss, begin, jac=True, method="L-BFGS-B", bounds=np.stack([lower, upper], axis=1))
    return tuple((fitted.x / scale * free).round(6).tolist())
