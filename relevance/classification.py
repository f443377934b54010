"""How good class probabilities are, at the categories themselves and at every level above them.

Hits are boolean arrays, one value a photo: a mean is an accuracy, and a bootstrap can resample them.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from relevance.ontology import Ontology

Hits = NDArray[np.bool_]
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


def label_ranks(probabilities: Floats, classes: NDArray[np.int32], labels: NDArray[np.int32]) -> NDArray[np.int64]:
    """How many classes come before the label, int64 `[n]`; c where the label is no class.

    probabilities: `[n, c]`; classes: `[c]` and labels: `[n]`, ontology positions. Of equals the first column leads.
    """
    order = np.argsort(classes)
    column = order[np.searchsorted(classes, labels, sorter=order).clip(max=len(classes) - 1)]
    own = np.take_along_axis(probabilities, column[:, None], axis=1)
    ahead = np.count_nonzero(probabilities > own, axis=1)
    ahead += np.count_nonzero((probabilities == own) & (np.arange(len(classes)) < column[:, None]), axis=1)
    return np.where(classes[column] == labels, ahead, len(classes))


def top_k_hits(probabilities: Floats, classes: NDArray[np.int32], labels: NDArray[np.int32], k: int) -> Hits:
    """Whether the label is among the k most probable classes, bool `[n]`; a label that is no class is a miss. Shapes as
    in :func:`label_ranks`."""
    return label_ranks(probabilities, classes, labels) < min(k, len(classes))


def level_probabilities(
    ontology: Ontology, probabilities: Floats, classes: NDArray[np.int32], level: int
) -> tuple[NDArray[np.int32], Floats]:
    """Probabilities collapsed to `level` (1 = top): its categories, int32 `[m]`, ascending, and float32 `[n, m]`.

    Those of the classes under one category of the level are added; a class above the level stays itself.
    """
    order = np.argsort(classes)
    ancestors = ontology.ancestor_at(level)[classes[order]]  # ascending, like the positions
    nodes, start = np.unique(ancestors, return_index=True)
    return nodes, np.add.reduceat(probabilities[:, order], start, axis=1)


def level_hits(
    ontology: Ontology, probabilities: Floats, classes: NDArray[np.int32], labels: NDArray[np.int32], level: int
) -> tuple[Hits, NDArray[np.int32]]:
    """Hits after collapsing to `level` (1 = top), bool `[n]`, and the collapsed labels, int32 `[n]`."""
    nodes, collapsed = level_probabilities(ontology, probabilities, classes, level)
    truth = ontology.ancestor_at(level)[labels]
    return np.asarray(nodes[collapsed.argmax(axis=1)] == truth), truth


def macro(hits: Hits, labels: NDArray[np.int32]) -> float:
    """Mean over the labels that occur of the share of hits on each (macro recall)."""
    _, label = np.unique(labels, return_inverse=True)
    return float(np.mean(np.bincount(label, weights=hits) / np.bincount(label)))


class Reliability(NamedTuple):
    """Equal-width bins of confidence that hold photos, `[b]`: how many, their mean confidence, the share of hits."""

    photos: NDArray[np.int64]
    confidence: Doubles
    accuracy: Doubles


def reliability(confidence: Floats, hits: Hits, bins: int = 15) -> Reliability:
    """What came true of probabilities, float32 `[n]`, n ≥ 0."""
    slot = _bins(confidence, bins)
    photos = np.bincount(slot, minlength=bins)
    seen = photos > 0
    sums = (np.bincount(slot, values, bins)[seen] for values in (confidence, hits))
    mean_confidence, accuracy = (total / photos[seen] for total in sums)
    return Reliability(photos[seen], mean_confidence, accuracy)


def expected_calibration_error(
    confidence: Floats | Doubles, came_true: Hits | Doubles, weight: Doubles | None = None, bins: int = 15
) -> float:
    """Mean gap between confidence and what came true (hits, or shares) over equal-width bins, by the weight in each
    (Guo et al., ICML 2017). All `[n]`, without a weight each counts alike; NaN for none."""
    weight = np.ones(len(confidence)) if weight is None else weight
    total = float(weight.sum())
    gaps = np.bincount(_bins(confidence, bins), weight * (confidence - came_true), bins)
    return float(np.abs(gaps).sum()) / total if total else float("nan")


def _bins(confidence: Floats | Doubles, bins: int) -> NDArray[np.int64]:
    return np.clip((confidence * bins).astype(np.int64), 0, bins - 1)


class RiskCoverage(NamedTuple):
    """What abstaining buys, `[m]` cuts by falling confidence: the least confidence that is answered, the share of
    photos answered, the accuracy on these."""

    threshold: Floats
    coverage: Doubles
    accuracy: Doubles

    @property
    def aurc(self) -> float:
        """Area under risk (1 - accuracy) over coverage: the lower, the better confidence tells right from wrong
        (Geifman, Uziel and El-Yaniv, ICLR 2019). NaN without photos."""
        step = np.diff(self.coverage, prepend=0.0)
        return float((step * (1 - self.accuracy)).sum()) if len(step) else float("nan")

    def coverage_at(self, accuracy: float) -> float:
        """The largest share of photos that can be answered with at least that accuracy, 0 where none can."""
        return float(self.coverage[self.accuracy >= accuracy].max(initial=0.0))


def risk_coverage(confidence: Floats, hits: Hits) -> RiskCoverage:
    """The cuts of n photos; photos of equal confidence are answered together or not at all."""
    order = np.argsort(-confidence, kind="stable")
    descending = confidence[order]
    last = np.flatnonzero(np.append(descending[1:] != descending[:-1], True)[: len(order)])
    answered = last + 1
    return RiskCoverage(descending[last], answered / len(order), np.cumsum(hits[order])[last] / answered)


def scores(
    ontology: Ontology, probabilities: Floats, classes: NDArray[np.int32], labels: NDArray[np.int32]
) -> dict[str, Any]:
    """Accuracies and calibration of n ≥ 1 photos, as JSON values; shapes as in :func:`label_ranks`."""
    ranks = label_ranks(probabilities, classes, labels)
    first = ranks == 0
    levels = {}
    for level in range(1, int(ontology.depth[labels].max()) + 1):
        hits, truth = level_hits(ontology, probabilities, classes, labels, level)
        levels[str(level)] = {
            "micro": float(hits.mean()),
            "macro": macro(hits, truth),
            "categories": len(np.unique(truth)),
        }
    return {
        "photos": len(labels),
        "top_1": float(first.mean()),
        **{f"top_{k}": float((ranks < min(k, len(classes))).mean()) for k in (3, 5)},
        "macro": macro(first, labels),
        "levels": levels,
        "expected_calibration_error": expected_calibration_error(probabilities.max(axis=1), first),
    }
