"""Fits on the calibration span of the behaviour what turns scores into probabilities.

Three things: the temperature and the conformal thresholds of the category filter, the weights of the relevance model,
and the threshold below which the fallback abstains. None of these searches was trained on, none is evaluated on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from sklearn.linear_model import LogisticRegression
from tqdm import tqdm

from index.composed import composed_choices, misspelt_names
from index.ranking import Choice, fit_ranking
from index.votes import CERTAIN, Votes
from relevance.absent import AbsentWords, made_up_words
from relevance.bundle import Calibration
from relevance.candidates import features_of
from relevance.category_filter import CategoryCalibration
from relevance.engine import Engine
from relevance.events import Behaviour
from relevance.interactions import interactions
from relevance.ontology import Ontology
from relevance.query import Query
from relevance.relevance_model import FEATURES, RelevanceModel
from relevance.seen import NO_MEMORY, SeenQueries, Shares, query_key
from relevance.splits import CALIBRATION, TRAIN

COVERAGE = 0.95
FALSE_ABSTENTION = 0.04
LEAST_DEMANDING, MOST_DEMANDING = 0.05, 0.5
"""The threshold stays between these. What is more likely relevant than not is shown, also where held-out searches are
so easy that a higher threshold would lose few of them; what almost certainly is not, is never shown."""

MISSPELT = 4
"""For so many held-out queries one more is made up: a name of a thing with a typing error nobody may have made."""

MOST_QUERIES = 3000
FEWEST_QUERIES = 30
STRANGE = 0.02
"""Share of the held-out queries that are farther from every category than a query with a filter may be."""

SEEN_OFTEN = 3.0
"""Weight of choices from which on a query is remembered."""

PRIORS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
"""Weights of the towers' prediction, in choices, to choose from."""

REMEMBERED = (1.0, 0.3, 0.1, 0.0)
"""Shares of an older memory's weight to choose from: what people mean by a query may have changed since."""

_POOL = 20

FIRST_DAY = {"cosine": 3.0, "lexical": 5.0, "bm25": 30.0, "missing": -1.0}
"""The order before there is behaviour to learn one from."""


def provisional(ontology: Ontology, temperature: float) -> Calibration:
    """Returns an uncalibrated start, as a marketplace has it on its first day: sets that hold everything, relevance by
    cosine and by words, listings with all the words first."""
    levels = int(ontology.depth.max())
    weights = tuple({"cosine": 10.0, "bm25": 2.0}.get(name, 0.0) for name in FEATURES)
    ranking = tuple(FIRST_DAY.get(name, 0.0) for name in FEATURES)
    return Calibration(
        CategoryCalibration(temperature, -1.0, (1.0,) * levels, COVERAGE),
        RelevanceModel(weights, -5.0, ranking, 0.5, FALSE_ABSTENTION),
        {"queries": 0},
    )


class Calibrated(NamedTuple):
    """calibration, and the memory of the queries seen often: weights by query key and category id, the weight of the
    prediction beside them, and how much of an older memory's weight is in them."""

    calibration: Calibration
    seen: Shares
    prior: float
    remembered: float


def calibrate(
    engine: Engine,
    behaviour: Behaviour,
    span: NDArray[np.int8],
    rows: dict[str, int],
    absent: AbsentWords,
    memory: Shares = NO_MEMORY,
    seed: int = 0,
) -> Calibrated | None:
    """Returns what is fitted on the queries of the calibration span with a chosen listing, None where fewer than 30
    queries of more than one click fall into it. The engine is left with what was fitted, but for the relevance model.

    span: int8 `[queries]`, the part of each query as `time_split` has it, another number for those to leave out; rows:
    the engine's row of each listing id; memory: what was chosen before this behaviour.
    """
    votes = tallied(engine, behaviour, span == CALIBRATION, rows)
    meant = votes.meant()
    if len(np.unique(meant.query)) < FEWEST_QUERIES:
        return None
    earlier = tallied(engine, behaviour, span == TRAIN, rows)
    shares = REMEMBERED if memory else (1.0,)
    before = [seen_shares(earlier, engine.ontology, faded(memory, share)) for share in shares]
    category, prior, best = _fit_categories(engine, meant, before)
    engine.categories.calibration = category
    engine.reader.seen = SeenQueries(engine.ontology, before[best], prior)
    relevance, measured = _fit_relevance(engine, votes, absent, seed)
    calibration = Calibration(category, relevance, {"queries": len(votes.queries), **measured})
    both = tallied(engine, behaviour, (span == TRAIN) | (span == CALIBRATION), rows)
    seen = seen_shares(both, engine.ontology, faded(memory, shares[best]))
    return Calibrated(calibration, seen, prior, shares[best])


def tallied(engine: Engine, behaviour: Behaviour, selected: NDArray[np.bool_], rows: dict[str, int]) -> Votes:
    """Returns what was chosen for the queries marked in `selected`, bool `[queries]`."""
    pairs = interactions(behaviour, selected, rows)
    return Votes.tally(pairs, engine.columns.category, len(engine.ontology))


def faded(memory: Shares, share: float) -> Shares:
    """Returns a memory with so much of its weight."""
    return {
        query: {name: round(weight * share, 2) for name, weight in own.items()}
        for query, own in memory.items()
        if share > 0
    }


def seen_shares(votes: Votes, ontology: Ontology, older: Shares = NO_MEMORY) -> Shares:
    """Returns the weight of each category for the queries chosen from often, by query key and category id; what is in
    `older` counts as well."""
    shares: dict[str, dict[str, float]] = {query: dict(own) for query, own in older.items()}
    for query, category, weight in zip(
        votes.query.tolist(), votes.category.tolist(), votes.weight.tolist(), strict=True
    ):
        own = shares.setdefault(query_key(votes.queries[query]), {})
        name = ontology.ids[category]
        own[name] = round(own.get(name, 0.0) + weight, 2)
    return {query: own for query, own in sorted(shares.items()) if sum(own.values()) >= SEEN_OFTEN}


def _fit_categories(engine: Engine, votes: Votes, memories: Sequence[Shares]) -> tuple[CategoryCalibration, float, int]:
    """The calibration of the filter, the weight of the prediction beside the memory, and which memory is the best."""
    distinct, place = np.unique(votes.query, return_inverse=True)
    embeddings = np.stack([engine.read(votes.queries[query]).embedding for query in distinct.tolist()])[place]
    cosines = (embeddings @ engine.towers.category_embeddings.T).astype(np.float64)
    cosines[:, engine.categories.empty] = -np.inf
    temperature = _temperature(cosines, votes.category, votes.weight)
    predicted = _softmax(cosines / temperature).astype(np.float32)
    prior, best, probabilities = _fit_prior(engine.ontology, votes, predicted, memories)
    levels = range(1, int(engine.ontology.depth.max()) + 1)
    thresholds = tuple(
        conformal_threshold(*_collapse(probabilities, votes.category, engine.ontology.ancestor_at(level)), votes.weight)
        for level in levels
    )
    least = float(np.quantile(cosines.max(axis=1), STRANGE))
    return CategoryCalibration(temperature, least, thresholds, COVERAGE), prior, best


def _fit_prior(
    ontology: Ontology, votes: Votes, predicted: NDArray[np.float32], memories: Sequence[Shares]
) -> tuple[float, int, NDArray[np.float64]]:
    """The weight of the prediction beside what was chosen before, and which of the memories of that, by the likelihood
    of what was chosen then; and the probabilities with them."""
    words = [query_key(query).split() for query in votes.queries]

    def blended(prior: float, seen: Shares) -> NDArray[np.float64]:
        memory = SeenQueries(ontology, seen, prior)
        rows = zip(votes.query.tolist(), predicted, strict=True)
        return np.stack([memory.blend(words[query], row) for query, row in rows]).astype(np.float64)

    def loss(probabilities: NDArray[np.float64]) -> float:
        own = probabilities[np.arange(len(votes.category)), votes.category]
        return float(-(votes.weight * np.log(np.maximum(own, 1e-6))).sum())

    losses = {(prior, at): loss(blended(prior, seen)) for at, seen in enumerate(memories) for prior in PRIORS}
    prior, best = min(losses, key=lambda pair: losses[pair])
    return prior, best, blended(prior, memories[best])


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


def _fit_relevance(
    engine: Engine, votes: Votes, absent: AbsentWords, seed: int
) -> tuple[RelevanceModel, dict[str, Any]]:
    """A candidate counts as relevant when it lies in a category that was chosen for the query. What is not there is
    learned from the same queries with the chosen branches of the ontology taken away, from made-up words and from words
    for other things."""
    rng = np.random.default_rng(seed)
    sample = rng.permutation(len(votes.queries))[:MOST_QUERIES]
    features: list[NDArray[np.float32]] = []
    labels: list[NDArray[np.bool_]] = []
    choices: list[Choice] = []
    unmatched: list[NDArray[np.float32]] = []
    for number in tqdm(sample.tolist(), desc="calibrate", unit="query"):
        asked = engine.read(votes.queries[number])
        categories = votes.chosen(number)
        present, relevant, choice = _present(engine, asked, categories, votes.listings(number))
        gone = _absent(engine, asked, categories)
        features += [present, gone]
        labels += [relevant, np.zeros(len(gone), bool)]
        choices += [choice] if choice.chosen.any() else []
        matched = present[:, FEATURES.index("lexical")].any()
        if not matched and votes.total[number] >= CERTAIN:
            unmatched.append(present)
    answerable = unmatched if len(unmatched) >= FEWEST_QUERIES else features[::2]
    made_up = AbsentWords(tuple(made_up_words(engine.reader.speller.words, len(sample) // 4, Random(seed))))
    strange = [*made_up.queries(len(sample) // 4, Random(seed)), *absent.queries(len(sample) // 2, Random(seed))]
    for query in strange:
        found, _, _ = _present(engine, engine.read(query), np.empty(0, np.int64), {})
        features.append(found)
        labels.append(np.zeros(len(found), bool))
    if not any(found.any() for found in labels):
        return engine.relevance, {"relevance_pairs": sum(map(len, labels)), "relevant_share": 0.0}
    fitted = LogisticRegression(C=10.0, max_iter=1000).fit(np.concatenate(features), np.concatenate(labels))
    weights = tuple(round(float(w), 6) for w in fitted.coef_[0])
    # What people chose says how they ask, but also what the words had brought before them: the order is learned from
    # what would have met the wish.
    composed = composed_choices(engine, votes, MOST_QUERIES, _POOL, rng)
    ranking = fit_ranking(composed or choices, np.array(weights))
    model = RelevanceModel(weights, round(float(fitted.intercept_[0]), 6), ranking, 0.0, FALSE_ABSTENTION)
    # The fallback answers where the words match nothing: its threshold is chosen on such queries, and on some rarer
    # ones.
    for query in misspelt_names(engine, votes, len(answerable) // MISSPELT, Random(seed)):
        answerable.append(_present(engine, engine.read(query), np.empty(0, np.int64), {})[0])
    best = np.array([model.judge(rows)[0].max() for rows in answerable if len(rows)])
    threshold = float(np.clip(np.quantile(best, FALSE_ABSTENTION), LEAST_DEMANDING, MOST_DEMANDING))
    final = replace(model, threshold=round(threshold, 6))
    return final, {"relevance_pairs": sum(map(len, labels)), "relevant_share": float(np.concatenate(labels).mean())}


def _present(
    engine: Engine, asked: Query, categories: NDArray[np.int64], listings: Mapping[int, float]
) -> tuple[NDArray[np.float32], NDArray[np.bool_], Choice]:
    """The features of the query's first candidates, which of them lie in a chosen category, and which were chosen."""
    found = engine.candidates(asked, _POOL, np.ones(len(engine), bool))
    chosen = np.array([listings.get(row, 0.0) for row in found.rows.tolist()])
    choice = Choice(found.features, chosen)
    order = np.argsort(-found.features[:, FEATURES.index("cosine")], kind="stable")[:_POOL]
    return found.features[order], np.isin(engine.columns.category[found.rows[order]], categories), choice


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
    shares = np.where(gone, np.float32(0), asked.shares)
    asked = asked._replace(
        shares=np.asarray(shares / max(float(shares.sum()), 1e-9), np.float32),
        nothing=asked.nothing + float(asked.categories.max() - asked.categories[~gone].max()),
    )
    rows, cosine = engine.vectors.search(asked.embedding, _POOL, left)
    # The lexical engine would still find what has the words.
    matching, scores = engine.lexical.search(asked.text, 1000)
    found = dict(zip(matching.tolist(), scores.tolist(), strict=True))
    bm25 = np.array([found.get(row, 0.0) for row in rows.tolist()], np.float32)
    return features_of(engine.catalogue, asked, rows, cosine, bm25 > 0, bm25)
