"""How a bundle does on behaviour that it has not seen: is what it states still true?"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from index.votes import Votes
from relevance.classification import expected_calibration_error
from relevance.engine import Engine
from relevance.results import CategoryFilter

MOST_QUERIES = 3000


@dataclass(frozen=True)
class Measured:
    """Of what was chosen for the queries, stray clicks aside, a choice counting by its weight.

    queries: how many distinct ones were asked; coverage: the share that lies in the filter or boost of its query, of
    those that have one; size: the mean number of categories in it; filtered, boosted: the share whose query has one;
    calibration_error: how far the probabilities shown are from what came true, as `expected_calibration_error` tells;
    false_abstention: the share whose query is answered by nothing. NaN where nothing tells.
    """

    queries: int
    coverage: float
    size: float
    filtered: float
    boosted: float
    calibration_error: float
    false_abstention: float


@dataclass(frozen=True)
class _Asked:
    """One query. weight: of what was chosen for it; held: the share of that inside its filter; probability, chosen:
    float64 `[categories]`, of each category of the filter, as it was said and as it came to be."""

    weight: float
    shown: CategoryFilter
    held: float
    probability: NDArray[np.float64]
    chosen: NDArray[np.float64]
    abstained: bool


def measure(engine: Engine, votes: Votes, seed: int = 0) -> Measured:
    """Asks the queries of `votes`, at most 3,000 of them drawn at random. The engine's clock should say a time at which
    no listing has expired."""
    asked = list(_ask(engine, votes.meant(), seed))
    weight = np.array([one.weight for one in asked])
    mode = np.array([one.shown.mode for one in asked])
    shown, sizes = mode != "none", [len(one.shown.categories) for one in asked]
    return Measured(
        queries=len(asked),
        coverage=_mean([one.held for one in asked], weight * shown),
        size=_mean(sizes, weight * shown),
        filtered=_mean(mode == "filter", weight),
        boosted=_mean(mode == "boost", weight),
        calibration_error=expected_calibration_error(
            np.concatenate([np.empty(0), *(one.probability for one in asked)]),
            np.concatenate([np.empty(0), *(one.chosen for one in asked)]),
            np.repeat(weight, sizes),
        ),
        false_abstention=_mean([one.abstained for one in asked], weight),
    )


def _ask(engine: Engine, votes: Votes, seed: int) -> Iterator[_Asked]:
    numbers = np.random.default_rng(seed).permutation(np.unique(votes.query))[:MOST_QUERIES]
    for number in numbers.tolist():
        own, result = votes.of(number), engine.search(votes.queries[number], k=1)
        shown = result.category_filter
        tops = np.array([engine.ontology.position(category.category_id) for category in shown.categories], np.int64)
        inside = engine.ontology.is_under(own.category[:, None], tops)
        share = own.weight / own.weight.sum()
        yield _Asked(
            weight=float(own.weight.sum()),
            shown=shown,
            held=float(share[inside.any(axis=1)].sum()),
            probability=np.array([category.probability for category in shown.categories]),
            chosen=share @ inside,
            abstained=result.abstained,
        )


def _mean(values: ArrayLike, weight: NDArray[np.float64]) -> float:
    total = float(weight.sum())
    return float((weight * np.asarray(values, np.float64)).sum()) / total if total else float("nan")
