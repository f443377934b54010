"""Fits on the calibration span of the behaviour what turns scores into probabilities.

Three things: the temperature and the conformal thresholds of the category filter, the weights of the relevance model,
and the threshold below which the fallback abstains. None of these searches was trained on, none is evaluated on.
"""

from collections import defaultdict
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.filter_fit import COVERAGE, fit_categories
from index.relevance_fit import FALSE_ABSTENTION, fit_relevance
from index.votes import CERTAIN, Votes
from relevance.absent import AbsentWords
from relevance.bundle import Calibration
from relevance.category_filter import CategoryCalibration
from relevance.engine import Engine
from relevance.events import Behaviour
from relevance.interactions import interactions
from relevance.ontology import Ontology
from relevance.relevance_model import FEATURES, RelevanceModel
from relevance.seen import NO_MEMORY, SeenQueries, Shares, query_key
from relevance.splits import CALIBRATION, TRAIN

FEWEST_QUERIES = 30
REMEMBERED = (1.0, 0.3, 0.1, 0.0)
"""Shares of an older memory's weight to choose from: what people mean by a query may have changed since."""

FIRST_DAY = {"cosine": 3.0, "lexical": 5.0, "bm25": 30.0, "missing": -1.0}
"""The order before there is behaviour to learn one from."""


_NEVER = 2.0
"""A cosine that no query has: as long as nobody has told how near is near, none is about a category."""


def provisional(ontology: Ontology, temperature: float) -> Calibration:
    """Returns an uncalibrated start, as a marketplace has it on its first day: no category filter, relevance by cosine
    and by words, listings with all the words first."""
    levels = int(ontology.depth.max())
    weights = tuple({"cosine": 10.0, "bm25": 2.0}.get(name, 0.0) for name in FEATURES)
    ranking = tuple(FIRST_DAY.get(name, 0.0) for name in FEATURES)
    return Calibration(
        CategoryCalibration(temperature, _NEVER, (1.0,) * levels, COVERAGE),
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
    queries fall into it. The engine is left with what was fitted, but for the relevance model.

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
    category, prior, best = fit_categories(engine, meant, before)
    engine.categories.calibration = category
    engine.reader.learn(seen=SeenQueries(engine.ontology, before[best], prior))
    relevance, measured = fit_relevance(engine, votes, absent, seed)
    calibration = Calibration(category, relevance, {"queries": len(votes.queries), **measured})
    both = tallied(engine, behaviour, (span == TRAIN) | (span == CALIBRATION), rows)
    seen = seen_shares(both, engine.ontology, faded(memory, shares[best]))
    return Calibrated(calibration, seen, prior, shares[best])


def tallied(engine: Engine, behaviour: Behaviour, selected: NDArray[np.bool_], rows: dict[str, int]) -> Votes:
    """Returns what was chosen for the queries marked in `selected`, bool `[queries]`."""
    pairs = interactions(behaviour, selected, rows, engine.columns.category)
    return Votes.tally(pairs, engine.columns.category, len(engine.ontology))


def faded(memory: Shares, share: float) -> Shares:
    """Returns a memory with so much of its weight."""
    return {
        query: {name: round(weight * share, 2) for name, weight in own.items()}
        for query, own in memory.items()
        if share > 0
    }


def seen_shares(votes: Votes, ontology: Ontology, older: Shares = NO_MEMORY) -> Shares:
    """Returns the weight of each category for the queries that are CERTAIN, by query key and category id; what is in
    `older` counts as well, its weight as so many choices."""
    shares: dict[str, dict[str, float]] = {query: dict(own) for query, own in older.items()}
    often: dict[str, float] = defaultdict(float, {query: sum(own.values()) for query, own in older.items()})
    keys = [query_key(query) for query in votes.queries]
    for key, choices in zip(keys, votes.choices.tolist(), strict=True):
        often[key] += choices
    for query, category, weight in zip(
        votes.query.tolist(), votes.category.tolist(), votes.weight.tolist(), strict=True
    ):
        own = shares.setdefault(keys[query], {})
        name = ontology.ids[category]
        own[name] = round(own.get(name, 0.0) + weight, 2)
    return {query: own for query, own in sorted(shares.items()) if often[query] >= CERTAIN}
