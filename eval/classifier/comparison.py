"""Two classifiers on the same photos: the differences, and how sure these are."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.bootstrap import estimates
from eval.classifier.accuracy import hit_columns, macro_estimates
from eval.classifier.measured import Positions, Predictions, TestPhotos, measure
from relevance.classifier import Classifier
from relevance.dataset import Listings
from relevance.errors import ArtifactError

WAYS = ("this", "other", "difference")
DISTANCE = "distance"
"""Name of the mean distance in the tree between answer and truth, the one figure of which less is better."""


def on_the_same_photos(
    folder: Path,
    own: Classifier,
    measured: tuple[Predictions, TestPhotos],
    listings: Listings,
    labels: Positions,
    root: Path,
    threads: int,
    everything: bool = False,
) -> tuple[Predictions, Predictions]:
    """Runs another classifier over the test photos, or over `everything`, where both were trained on none of it;
    returns the predictions of both, on what both could use.

    Raises ArtifactError where it was held out from other listings: it would be measured on what it has learned from.
    """
    other = Classifier.open(folder, own.ontology)
    differs = 0 if everything else int((other.test_part(listings.split_by) != own.test_part(listings.split_by)).sum())
    if differs:
        raise ArtifactError(
            f"{folder}: expected a classifier tested on the same listings, found another test part ({differs} of "
            f"{len(listings)} listings are in one of the two only); train both with the same --seed and --test-share"
        )
    predictions, photos = measure(other, root, listings, labels, threads, everything)
    _, mine, theirs = np.intersect1d(measured[1].rows, photos.rows, assume_unique=True, return_indices=True)
    return measured[0].take(mine), predictions.take(theirs)


def compare(this: Predictions, other: Predictions, seed: int = 0) -> dict[str, Any]:
    """Returns `photos` and, by metric, `this`, `other` and `difference` (this - other): accuracy over photos (`top_1`,
    `level_1`, …) and over categories (`macro`, `macro level_1`, …), and the mean distance of the answers.

    Row by row the predictions are of the same photos. Titles are drawn anew for both together.
    """
    values = {"this": _values(this), "other": _values(other)}
    values["difference"] = {name: one - values["other"][name] for name, one in values["this"].items()}
    groups = {name: labels for name, (_, labels) in hit_columns(this).items() if not name.startswith("top")}
    groups["top_1"] = this.labels
    over_photos = {f"{way} {name}": column for way in WAYS for name, column in values[way].items()}
    over_categories = {
        f"{way} {_macro(name)}": (values[way][name], labels) for way in WAYS for name, labels in groups.items()
    }
    figures = estimates(over_photos, this.titles, seed=seed) | macro_estimates(over_categories, this.titles, seed=seed)
    metrics: dict[str, dict[str, Any]] = {}
    for name, estimate in figures.items():
        way, metric = name.split(" ", 1)
        metrics.setdefault(metric, {})[way] = estimate
    return {"photos": len(this), "metrics": metrics}


def verdict(metric: str, figures: Mapping[str, Any]) -> str:
    """Returns "better", "worse", or "" where the interval of the difference holds 0."""
    difference = figures["difference"]
    if difference.low <= 0 <= difference.high:
        return ""
    return "better" if (difference.value > 0) != (metric == DISTANCE) else "worse"


def _values(predictions: Predictions) -> dict[str, NDArray[np.float64]]:
    edges = predictions.ontology.distance(predictions.best, predictions.labels)
    hits = {name: np.asarray(column, np.float64) for name, (column, _) in hit_columns(predictions).items()}
    return hits | {DISTANCE: edges.astype(np.float64)}


def _macro(name: str) -> str:
    return "macro" if name == "top_1" else f"macro {name}"
