"""All figures on similar listings, of one listing index or of two on the same photos."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.bootstrap import Estimate, estimates
from eval.grades import Grader
from eval.metrics import CUTOFF
from eval.similar.held_out import Choices, Rows, asked, popular
from eval.similar.measure import DEPTH, popular_neighbours, recalls, truth_ndcg
from eval.similar.neighbours import neighbours
from relevance.interactions import Interactions

THIS, OTHER, POPULAR, DIFFERENCE = "this", "other", "popular", "difference"
Figures = dict[str, dict[str, dict[str, Estimate]]]
"""slice -> system -> metric -> estimate."""


@dataclass(frozen=True)
class Catalogue:
    """What is measured. embeddings: by system (THIS, or both THIS and OTHER) float32 `[n, dim]`, zero rows without a
    usable photo; unseen: bool `[n]`, listings whose photo no system was trained on; titles `[n]`, see `title_clusters`;
    grader: None where the dataset does not tell what listings are."""

    embeddings: Mapping[str, NDArray[np.float32]]
    unseen: NDArray[np.bool_]
    titles: list[str]
    grader: Grader | None


def recall_figures(
    catalogue: Catalogue, choices: Choices, before: Choices, early: Interactions, seed: int, threads: int
) -> Figures:
    """Returns the recall of held-out co-clicks by slice; queries are drawn anew for the intervals.

    choices, before: what was chosen in the test span and before it; early: the latter with weights.
    """
    every = asked(choices, seed=seed)
    rows = np.unique(every.anchor)
    nearest = {name: neighbours(own, rows, DEPTH, threads) for name, own in catalogue.embeddings.items()}
    most_chosen = popular(early, DEPTH + 1)
    slices = {
        "all": every,
        "never together before": asked(choices, before, seed),
        "photo not trained on": every.take(np.flatnonzero(catalogue.unseen[every.anchor])),
    }
    figures = {}
    for part, own in slices.items():
        found = {name: recalls(own, near[np.searchsorted(rows, own.anchor)]) for name, near in nearest.items()}
        found[POPULAR] = recalls(own, popular_neighbours(own, most_chosen))
        figures[part] = _estimated(found, own.query, seed)
    return figures


def grade_figures(catalogue: Catalogue, sample: int, seed: int, threads: int) -> Figures:
    """Returns NDCG by true category and attributes for `sample` photos drawn at random; titles are drawn anew for the
    intervals. {} where what listings are is not told."""
    if catalogue.grader is None:
        return {}
    rows = _sample(catalogue, sample, seed)
    nearest = {name: neighbours(own, rows, CUTOFF, threads) for name, own in catalogue.embeddings.items()}
    columns = truth_ndcg(catalogue.grader, rows, list(nearest.values()))
    unseen = catalogue.unseen[rows]
    titles = [catalogue.titles[row] for row in rows]
    figures = {}
    for part, kept in (("all", np.ones(len(rows), np.bool_)), ("photo not trained on", unseen)):
        found = {
            name: {f"ndcg@{CUTOFF}": np.where(kept, column, np.nan)}
            for name, column in zip(nearest, columns, strict=True)
        }
        figures[part] = _estimated(found, titles, seed)
    return figures


def _sample(catalogue: Catalogue, sample: int, seed: int) -> Rows:
    usable = np.flatnonzero(np.all([own.any(axis=1) for own in catalogue.embeddings.values()], axis=0))
    rng = np.random.default_rng(seed)
    return usable if len(usable) <= sample else np.sort(rng.choice(usable, sample, replace=False))


def _estimated(
    found: dict[str, dict[str, NDArray[np.float64]]], clusters: list[str], seed: int
) -> dict[str, dict[str, Estimate]]:
    """Adds the paired difference where there are two indexes."""
    if OTHER in found:
        found[DIFFERENCE] = {name: column - found[OTHER][name] for name, column in found[THIS].items()}
    columns = {f"{system}\0{name}": column for system, own in found.items() for name, column in own.items()}
    flat = estimates(columns, clusters, seed=seed)
    return {system: {name: flat[f"{system}\0{name}"] for name in own} for system, own in found.items()}
