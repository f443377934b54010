"""What it buys to leave a photo unanswered, or to answer a category further up."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.bootstrap import estimates
from eval.classifier.measured import Positions, Predictions
from relevance.classification import risk_coverage
from relevance.decisions import ROOT
from relevance.splits import group_split

ACCURACIES = (0.9, 0.95, 0.99)
THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.975, 0.99, 1.0)
_CURVE = 200
"""Points of a curve that are kept."""


def abstention(predictions: Predictions) -> dict[str, Any]:
    """Returns the curve of accuracy over coverage for the most probable class or no answer, its area `aurc`, and how
    much can be answered at some accuracies. `curve`: [coverage, accuracy, least probability that is answered]."""
    cuts = risk_coverage(predictions.confidence, predictions.hits)
    kept = np.unique(np.linspace(0, len(cuts.coverage) - 1, _CURVE).round().astype(np.int64))
    columns = (cuts.coverage[kept], cuts.accuracy[kept], cuts.threshold[kept])
    return {
        "aurc": round(cuts.aurc, 6),
        "coverage_at": {str(accuracy): round(cuts.coverage_at(accuracy), 6) for accuracy in ACCURACIES},
        "curve": np.round(np.stack(columns, axis=1).astype(np.float64), 6).tolist(),
    }


def hedging(predictions: Predictions, seed: int = 0) -> dict[str, Any]:
    """Returns what comes of answering a category further up where the photo does not tell more: `curve` over
    thresholds, and `stated`, with thresholds chosen for an accuracy on one half of the titles and measured on the
    other, and the other way round."""
    return {
        "curve": [_curve_point(predictions, threshold) for threshold in THRESHOLDS],
        "stated": [_stated(predictions, accuracy, seed) for accuracy in ACCURACIES],
    }


def right(predictions: Predictions, nodes: Positions) -> NDArray[np.bool_]:
    """Returns whether the label lies under each answer, bool `[n]`; no answer is never wrong."""
    return np.asarray((nodes == ROOT) | predictions.ontology.is_under(predictions.labels, nodes))


def depth(predictions: Predictions, nodes: Positions) -> NDArray[np.int32]:
    """Returns the level of each answer, int32 `[n]`, 0 for none."""
    return np.where(nodes == ROOT, 0, predictions.ontology.depth[nodes]).astype(np.int32)


def _curve_point(predictions: Predictions, threshold: float) -> dict[str, Any]:
    nodes = predictions.decider.hedged(predictions.probabilities, threshold).nodes
    # The same threshold for the most probable class or nothing.
    plain = np.where(predictions.confidence > threshold, predictions.best, ROOT)
    return {
        "threshold": threshold,
        "accuracy": round(float(right(predictions, nodes).mean()), 6),
        "mean_depth": round(float(depth(predictions, nodes).mean()), 6),
        "levels": _levels(predictions, nodes),
        "class_or_nothing": {
            "accuracy": round(float(right(predictions, plain).mean()), 6),
            "mean_depth": round(float(depth(predictions, plain).mean()), 6),
        },
    }


def _stated(predictions: Predictions, accuracy: float, seed: int) -> dict[str, Any]:
    nodes, thresholds = _chosen_on_the_other_half(predictions, accuracy, seed)
    hits, answered = right(predictions, nodes), nodes != ROOT
    columns = {
        "accuracy": hits.astype(np.float64),
        "accuracy_of_answers": np.where(answered, hits, np.nan),
        "answered": answered.astype(np.float64),
        "mean_depth": depth(predictions, nodes).astype(np.float64),
    }
    return {
        "stated": accuracy,
        "thresholds": [round(threshold, 6) for threshold in thresholds],
        **estimates(columns, predictions.titles, seed=seed),
        "levels": _levels(predictions, nodes),
    }


def _chosen_on_the_other_half(predictions: Predictions, accuracy: float, seed: int) -> tuple[Positions, list[float]]:
    # By another name, or these would all be in the half that the test part was taken from.
    half = group_split([f"half\0{title}" for title in predictions.titles], 0.5, seed)
    nodes = np.empty(len(predictions), np.int32)
    thresholds = []
    for inside in (half, ~half):
        chosen_on, applied_to = np.flatnonzero(~inside), np.flatnonzero(inside)
        threshold = predictions.decider.choose_threshold(
            predictions.probabilities[chosen_on], predictions.labels[chosen_on], accuracy
        )
        nodes[applied_to] = predictions.decider.hedged(predictions.probabilities[applied_to], threshold).nodes
        thresholds.append(threshold)
    return nodes, thresholds


def _levels(predictions: Predictions, nodes: Positions) -> list[float]:
    """The share of photos that is answered at each level, from 0 (none) to the deepest class."""
    deepest = int(predictions.decider.depth[-1])
    counts = np.bincount(depth(predictions, nodes), minlength=deepest + 1)
    return [round(float(share), 6) for share in counts / len(nodes)]
