"""The category filter, fitted on held-out choices: temperature, the memory's weight, conformal thresholds."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from index.votes import Votes
from relevance.category_filter import CategoryCalibration
from relevance.engine import Engine
from relevance.seen import SeenQueries, Shares, query_key

COVERAGE = 0.95
"""Share of what people choose that the sets are to hold: 1 - alpha."""

ASSURED = 0.8
"""A set has more of the probability than this, however well fewer categories held what was chosen: what people ask
again and again is easier than what they ask for the first time."""

STRANGE = 0.02
"""Share of the held-out queries that are farther from every category than a query with a filter may be."""

MOST_CELLS = 2**25
"""Votes times categories that are calibrated on: beyond that memory grows (eight bytes each, several times over) and
little is gained."""

PRIORS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
"""Weights of the towers' prediction, in choices, to choose from."""


def fit_categories(engine: Engine, votes: Votes, memories: Sequence[Shares]) -> tuple[CategoryCalibration, float, int]:
    """The calibration of the filter, the weight of the prediction beside the memory, and which memory is the best."""
    votes = votes.some(MOST_CELLS // len(engine.ontology))
    distinct, place = np.unique(votes.query, return_inverse=True)
    embeddings = np.stack([engine.read(votes.queries[query]).embedding for query in distinct.tolist()])[place]
    cosines = (embeddings @ engine.towers.category_embeddings.T).astype(np.float64)
    cosines[:, engine.categories.empty] = -np.inf
    temperature = fit_temperature(cosines, votes.category, votes.weight)
    predicted = _softmax(cosines / temperature).astype(np.float32)
    prior, best, probabilities = _fit_prior(engine, votes, predicted, memories)
    levels = range(1, int(engine.ontology.depth.max()) + 1)
    collapsed = (_collapse(probabilities, votes.category, engine.ontology.ancestor_at(level)) for level in levels)
    thresholds = tuple(max(ASSURED, conformal_threshold(*level, votes.weight)) for level in collapsed)
    least = float(np.quantile(cosines.max(axis=1), STRANGE))
    return CategoryCalibration(temperature, least, thresholds, COVERAGE), prior, best


def _fit_prior(
    engine: Engine, votes: Votes, predicted: NDArray[np.float32], memories: Sequence[Shares]
) -> tuple[float, int, NDArray[np.float64]]:
    """The weight of the prediction beside what was chosen before, and which of the memories of that, by the likelihood
    of what was chosen then; and the probabilities with them."""
    words, empty = [query_key(query).split() for query in votes.queries], engine.categories.empty

    def blended(prior: float, seen: Shares) -> NDArray[np.float64]:
        memory = SeenQueries(engine.ontology, seen, prior)
        rows = zip(votes.query.tolist(), predicted, strict=True)
        return np.stack([memory.blend(words[query], row, empty) for query, row in rows]).astype(np.float64)

    def loss(probabilities: NDArray[np.float64]) -> float:
        own = probabilities[np.arange(len(votes.category)), votes.category]
        return float(-(votes.weight * np.log(np.maximum(own, 1e-6))).sum())

    losses = {(prior, at): loss(blended(prior, seen)) for at, seen in enumerate(memories) for prior in PRIORS}
    prior, best = min(losses, key=lambda pair: losses[pair])
    return prior, best, blended(prior, memories[best])


def fit_temperature(cosines: NDArray[np.float64], labels: NDArray[np.int64], weight: NDArray[np.float64]) -> float:
    """The temperature of the highest likelihood (Guo et al., "On calibration of modern neural networks", ICML 2017)."""

    def loss(log_temperature: float) -> float:
        chosen = _softmax(cosines / np.exp(log_temperature))[np.arange(len(labels)), labels]
        return float(-(weight * np.log(np.maximum(chosen, 1e-12))).sum())

    return float(np.exp(minimize_scalar(loss, bounds=(np.log(0.005), np.log(1.0)), method="bounded").x))


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(exponents / exponents.sum(axis=1, keepdims=True))


def _collapse(
    probabilities: NDArray[np.float64], labels: NDArray[np.int64], ancestors: NDArray[np.int32]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    collapsed = np.zeros_like(probabilities)
    np.add.at(collapsed.T, ancestors, probabilities.T)
    return collapsed, ancestors[labels].astype(np.int64)


def conformal_threshold(
    probabilities: NDArray[np.float64],
    labels: NDArray[np.int64],
    weight: NDArray[np.float64],
    coverage: float = COVERAGE,
) -> float:
    """Returns the probability that may lie before a member of this level's sets: the least at which labels with a
    share of `coverage` of the weight are in, one unit of weight being kept for the query to come.

    probabilities `[n, categories]`, labels int `[n]`, weight `[n]`.
    """
    own = probabilities[np.arange(len(labels)), labels]
    scores = np.where(probabilities > own[:, None], probabilities, 0.0).sum(axis=1)
    order = np.argsort(scores)
    reached = np.cumsum(weight[order]) / (weight.sum() + 1)
    place = int(np.searchsorted(reached, coverage - 1e-12))
    return float(min(1.0, scores[order[place]])) if place < len(labels) else 1.0
