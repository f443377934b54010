"""Accuracy at the categories themselves and at every level above, over photos and over categories; head and tail."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.bootstrap import Estimate, estimates
from eval.classifier.measured import Positions, Predictions
from relevance.classification import Hits

TOP = (1, 3, 5)
PARTS = ("head", "torso", "tail")
Column = tuple[Hits, Positions]
"""Hits, and the labels to average them over."""

PARTS_DEFINED = (
    "Categories ordered by their labelled photos in the whole dataset, most first: head holds the first third of the "
    "photos, torso the second, tail the rest"
)


def hit_columns(predictions: Predictions) -> dict[str, Column]:
    """Returns hits and what they are macro-averaged over: `top_1`, `top_3`, `top_5`, `level_1`, … ."""
    ranks, classes = predictions.ranks, len(predictions.classes)
    columns: dict[str, Column] = {f"top_{k}": (ranks < min(k, classes), predictions.labels) for k in TOP}
    for level in predictions.levels:
        collapsed = predictions.collapsed(level)
        columns[f"level_{level}"] = (collapsed.hits, collapsed.labels)
    return columns


def accuracy(predictions: Predictions, columns: Mapping[str, Column], seed: int = 0) -> dict[str, Any]:
    """Returns `top_1`, `top_3`, `top_5`, `macro` (of top 1) and, by level, `micro`, `macro` and `categories`."""
    micro = estimates(
        {name: hits.astype(np.float64) for name, (hits, _) in columns.items()}, predictions.titles, seed=seed
    )
    macro = macro_estimates(columns, predictions.titles, seed=seed)
    levels = {
        str(level): {
            "categories": len(np.unique(columns[f"level_{level}"][1])),
            "micro": micro[f"level_{level}"],
            "macro": macro[f"level_{level}"],
        }
        for level in predictions.levels
    }
    return {**{f"top_{k}": micro[f"top_{k}"] for k in TOP}, "macro": macro["top_1"], "levels": levels}


def macro_estimates(
    columns: Mapping[str, tuple[NDArray[Any], Positions]], clusters: Sequence[Hashable], seed: int = 0
) -> dict[str, Estimate]:
    """Returns for values and labels, both `[n]`, the mean over the labels of the mean on each: every photo counts for
    1 / photos of its label, also in the resamples. (The mean over the labels that a resample happens to hold would
    leave out the rare ones, and with them lie above the figure.)"""
    values = {name: np.asarray(own, np.float64) for name, (own, _) in columns.items()}
    weights = {name: _label_weights(labels) for name, (_, labels) in columns.items()}
    return estimates(values, clusters, seed=seed, weights=weights)


def _label_weights(labels: Positions) -> NDArray[np.float64]:
    _, label, counts = np.unique(labels, return_inverse=True, return_counts=True)
    return np.asarray(1 / counts[label])


def frequency(predictions: Predictions, photos: NDArray[np.int64], seed: int = 0) -> dict[str, Any]:
    """Returns accuracy on the head, torso and tail of the categories. photos: int64 `[categories]`, how many labelled
    photos the whole dataset has of each."""
    part = parts(photos)
    return {
        "defined": PARTS_DEFINED,
        **{name: _part(predictions, photos, part == i, seed) for i, name in enumerate(PARTS)},
    }


def parts(photos: NDArray[np.int64]) -> Positions:
    """Returns the part of each category, int32 `[categories]`: 0 head, 1 torso, 2 tail, -1 without a photo. A category
    is where the photos of the larger ones end."""
    part = np.full(len(photos), -1, np.int32)
    largest = np.argsort(-photos, kind="stable")[: np.count_nonzero(photos)]
    before = np.cumsum(photos[largest]) - photos[largest]
    part[largest] = len(PARTS) * before // max(int(photos.sum()), 1)
    return part


def _part(predictions: Predictions, photos: NDArray[np.int64], inside: NDArray[np.bool_], seed: int) -> dict[str, Any]:
    rows = np.flatnonzero(inside[predictions.labels])
    hits, labels = predictions.hits[rows], predictions.labels[rows]
    titles = [predictions.titles[row] for row in rows.tolist()]
    return {
        "categories": int(np.count_nonzero(inside)),
        "photos": int(photos[inside].sum()),
        "test_photos": len(rows),
        "top_1": estimates({"top_1": hits.astype(np.float64)}, titles, seed=seed)["top_1"],
        "macro": macro_estimates({"macro": (hits, labels)}, titles, seed=seed)["macro"],
    }
