"""Fits on the calibration span of the behaviour what turns scores into probabilities.

Three things: the temperature and the conformal thresholds of the category filter, the weights of the relevance model,
and the threshold below which the fallback abstains. None of these searches was trained on, none is evaluated on.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from sklearn.linear_model import LogisticRegression
from tqdm import tqdm

from index.absent import absent_queries
from relevance.bundle import Calibration
from relevance.category_filter import CategoryCalibration
from relevance.engine import Engine, Query
from relevance.events import Behaviour
from relevance.interactions import Interactions, interactions
from relevance.ontology import Ontology
from relevance.relevance_model import FEATURES, RelevanceModel
from relevance.splits import time_split

COVERAGE = 0.95
FALSE_ABSTENTION = 0.10
LEAST_DEMANDING, MOST_DEMANDING = 0.05, 0.5
"""The threshold stays between these. What is more likely relevant than not is shown, also where held-out searches are
so easy that a higher threshold would lose few of them; what almost certainly is not, is never shown."""

MOST_QUERIES = 3000
FEWEST_QUERIES = 30
MEANT = 0.2
"""Share of a query's choices from which on a category counts as what it meant."""

STRANGE = 0.02
"""Share of the held-out queries that are farther from every category than a query with a filter may be."""

CERTAIN = 1.5
"""Weight of choices from which on a query is taken to have an answer: more than one click, which may be a stray one."""

_POOL = 20


def provisional(ontology: Ontology, temperature: float) -> Calibration:
    """Returns an uncalibrated start: sets that hold everything, relevance by cosine alone."""
    levels = int(ontology.depth.max())
    weights = tuple(10.0 if name == "cosine" else 0.0 for name in FEATURES)
    return Calibration(
        CategoryCalibration(temperature, -1.0, (1.0,) * levels, COVERAGE),
        RelevanceModel(weights, -5.0, 0.5, FALSE_ABSTENTION),
        {"queries": 0},
    )


class Votes(NamedTuple):
    """Which categories were chosen for which query: query int64 `[n]` rows of `queries`; category int64 `[n]`
    positions; weight float64 `[n]`, of the clicks and messages; total float64 `[queries]`, of each query."""

    queries: list[str]
    query: NDArray[np.int64]
    category: NDArray[np.int64]
    weight: NDArray[np.float64]
    total: NDArray[np.float64]

    @classmethod
    def tally(cls, pairs: Interactions, listing_category: NDArray[np.int32], categories: int) -> "Votes":
        """Sums the pairs' weights by query and category."""
        keys = pairs.query.astype(np.int64) * categories + listing_category[pairs.listing]
        distinct, place = np.unique(keys, return_inverse=True)
        weight = np.zeros(len(distinct))
        np.add.at(weight, place, pairs.weight)
        query = distinct // categories
        total = np.zeros(len(pairs.queries))
        np.add.at(total, query, weight)
        return cls(pairs.queries, query, distinct % categories, weight, total)

    def meant(self) -> "Votes":
        """Returns the votes less the stray ones: of queries with more than one click, for categories that got a fifth
        or more of them. A site's own categories are wrong for some listings, and people click beside what they want:
        a set made to hold that as well would be of no use."""
        kept = (self.weight >= MEANT * self.total[self.query]) & (self.total[self.query] >= CERTAIN)
        return self._replace(query=self.query[kept], category=self.category[kept], weight=self.weight[kept])

    def chosen(self, query: int) -> NDArray[np.int64]:
        """Returns the categories that got a fifth or more of a query's choices: one stray click counts little."""
        return np.asarray(self.category[(self.query == query) & (self.weight >= MEANT * self.total[query])])


def calibrate(engine: Engine, behaviour: Behaviour, rows: dict[str, int], seed: int = 0) -> Calibration:
    """Returns the calibration fitted on the queries of the calibration span with a chosen listing; `rows` maps listing
    ids to the engine's rows. With fewer than 30 queries of more than one click the provisional one stays."""
    pairs = interactions(behaviour, time_split(behaviour.query_times) == 1, rows)
    start = provisional(engine.ontology, engine.categories.calibration.temperature)
    votes = Votes.tally(pairs, engine.columns.category, len(engine.ontology))
    meant = votes.meant()
    if len(np.unique(meant.query)) < FEWEST_QUERIES:
        return start
    category = _fit_categories(engine, meant)
    engine.categories.calibration = category
    rng = np.random.default_rng(seed)
    relevance, measured = _fit_relevance(engine, votes, rng)
    return Calibration(category, relevance, {"queries": len(pairs.queries), **measured})


def _fit_categories(engine: Engine, votes: Votes) -> CategoryCalibration:
    embeddings = engine.towers.queries(votes.queries)[votes.query]
    cosines = (embeddings @ engine.towers.category_embeddings.T).astype(np.float64)
    cosines[:, engine.categories.empty] = -np.inf
    temperature = _temperature(cosines, votes.category, votes.weight)
    probabilities = _softmax(cosines / temperature)
    levels = range(1, int(engine.ontology.depth.max()) + 1)
    thresholds = tuple(
        conformal_threshold(*_collapse(probabilities, votes.category, engine.ontology.ancestor_at(level)), votes.weight)
        for level in levels
    )
    least = float(np.quantile(cosines.max(axis=1), STRANGE))
    return CategoryCalibration(temperature, least, thresholds, COVERAGE)


def _temperature(cosines: NDArray[np.float64], labels: NDArray[np.int64], weight: NDArray[np.float64]) -> float:
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


def _fit_relevance(engine: Engine, votes: Votes, rng: np.random.Generator) -> tuple[RelevanceModel, dict[str, Any]]:
    """A candidate counts as relevant when it lies in a category that was chosen for the query. What is not there is
    learned from the same queries with the chosen branches of the ontology taken away, and from made-up words."""
    sample = rng.permutation(len(votes.queries))[:MOST_QUERIES]
    features: list[NDArray[np.float32]] = []
    labels: list[NDArray[np.bool_]] = []
    unmatched: list[NDArray[np.float32]] = []
    for number in tqdm(sample.tolist(), desc="calibrate", unit="query"):
        asked = engine.read(votes.queries[number])
        categories = votes.chosen(number)
        present, relevant = _present(engine, asked, categories)
        absent = _absent(engine, asked, categories)
        features += [present, absent]
        labels += [relevant, np.zeros(len(absent), bool)]
        matched = present[:, FEATURES.index("lexical")].any()
        if not matched and votes.total[number] >= CERTAIN:
            unmatched.append(present)
    answerable = unmatched if len(unmatched) >= FEWEST_QUERIES else features[::2]
    for query in absent_queries(engine.towers.featuriser.words, len(sample) // 4, rng):
        made_up, _ = _present(engine, engine.read(query), np.empty(0, np.int64))
        features.append(made_up)
        labels.append(np.zeros(len(made_up), bool))
    if not any(found.any() for found in labels):
        return engine.relevance, {"relevance_pairs": sum(map(len, labels)), "relevant_share": 0.0}
    fitted = LogisticRegression(C=10.0, max_iter=1000).fit(np.concatenate(features), np.concatenate(labels))
    weights = tuple(round(float(w), 6) for w in fitted.coef_[0])
    model = RelevanceModel(weights, round(float(fitted.intercept_[0]), 6), 0.0, FALSE_ABSTENTION)
    # The fallback answers where the words match nothing: its threshold is chosen on such queries.
    best = np.array([model.probability(rows).max() for rows in answerable if len(rows)])
    threshold = float(np.clip(np.quantile(best, FALSE_ABSTENTION), LEAST_DEMANDING, MOST_DEMANDING))
    final = RelevanceModel(model.weights, model.bias, round(threshold, 6), FALSE_ABSTENTION)
    return final, {"relevance_pairs": sum(map(len, labels)), "relevant_share": float(np.concatenate(labels).mean())}


def _present(
    engine: Engine, asked: Query, categories: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The features of the query's first candidates, and which of them lie in a chosen category."""
    found = engine.candidates(asked, _POOL, np.ones(len(engine), bool))
    order = np.argsort(-found.cosine, kind="stable")[:_POOL]
    found = found.take(order)
    matched = found.lexical | found.corrected
    features = engine.features(asked, found.rows, found.cosine, matched)
    return features, np.isin(engine.columns.category[found.rows], categories)


def _absent(engine: Engine, asked: Query, categories: NDArray[np.int64]) -> NDArray[np.float32]:
    """The features of what would be found, had the catalogue nothing under the parents of the chosen categories."""
    ontology = engine.ontology
    gone = np.zeros(len(ontology), bool)
    for category in categories.tolist():
        top = category if ontology.parent[category] < 0 else int(ontology.parent[category])
        gone[top : ontology.end[top]] = True
    left = ~gone[engine.columns.category]
    if gone[~engine.categories.empty].all() or not left.any():
        return np.empty((0, len(FEATURES)), np.float32)
    rows, cosine = engine.vectors.search(asked.embedding, _POOL, left)
    # The lexical engine would still find what has the words.
    matched = np.isin(rows, engine.lexical.search(asked.text, 1000)[0])
    return engine.features(asked, rows, cosine, matched)
