"""How good class probabilities are, at the categories themselves and at every level above them.

Hits are boolean arrays, one value a photo: a mean is an accuracy, and a bootstrap can resample them.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from relevance.ontology import Ontology

Hits = NDArray[np.bool_]


def top_k_hits(
    probabilities: NDArray[np.float32], classes: NDArray[np.int32], labels: NDArray[np.int32], k: int
) -> Hits:
    """Whether the label is among the k most probable classes, bool `[n]`.

    probabilities: `[n, c]`; classes: `[c]` and labels: `[n]`, ontology positions. A label that is no class is a miss.
    """
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :k]
    return np.asarray((classes[best] == labels[:, None]).any(axis=1))


def level_hits(
    ontology: Ontology,
    probabilities: NDArray[np.float32],
    classes: NDArray[np.int32],
    labels: NDArray[np.int32],
    level: int,
) -> tuple[Hits, NDArray[np.int32]]:
    """Hits after collapsing to `level` (1 = top), bool `[n]`, and the collapsed labels, int32 `[n]`.

    The probabilities of the classes under one category of the level are added before the best is taken.
    """
    ancestor = ontology.ancestor_at(level)
    nodes, column = np.unique(ancestor[classes], return_inverse=True)
    member = np.zeros((len(classes), len(nodes)), np.float32)
    member[np.arange(len(classes)), column] = 1
    predicted = nodes[(probabilities @ member).argmax(axis=1)]
    truth = ancestor[labels]
    return np.asarray(predicted == truth), truth


def macro(hits: Hits, labels: NDArray[np.int32]) -> float:
    """Mean over the labels that occur of the share of hits on each (macro recall)."""
    _, label = np.unique(labels, return_inverse=True)
    return float(np.mean(np.bincount(label, weights=hits) / np.bincount(label)))


def expected_calibration_error(confidence: NDArray[np.float32], hits: Hits, bins: int = 15) -> float:
    """Mean gap between confidence and accuracy over equal-width bins, weighted by their photos (Guo et al., 2017)."""
    slot = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    gap = np.bincount(slot, confidence, bins) - np.bincount(slot, hits, bins)
    return float(np.abs(gap).sum() / len(hits))


def scores(
    ontology: Ontology,
    probabilities: NDArray[np.float32],
    classes: NDArray[np.int32],
    labels: NDArray[np.int32],
) -> dict[str, Any]:
    """All of the above for n ≥ 1 photos, as JSON values; shapes as in :func:`top_k_hits`."""
    first = top_k_hits(probabilities, classes, labels, 1)
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
        "top_3": float(top_k_hits(probabilities, classes, labels, 3).mean()),
        "top_5": float(top_k_hits(probabilities, classes, labels, 5).mean()),
        "macro": macro(first, labels),
        "levels": levels,
        "expected_calibration_error": expected_calibration_error(probabilities.max(axis=1), first),
    }
