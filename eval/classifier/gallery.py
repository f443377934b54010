"""Photos to look at: right and wrong, where the classifier is sure and where it is not."""

from dataclasses import dataclass

import numpy as np

from eval.classifier.measured import Predictions, TestPhotos
from relevance.dataset import Listings

SHOWN = 10
"""Photos of each kind."""


@dataclass(frozen=True)
class Example:
    """image: path in the dataset's folder; truth and predicted: paths of categories."""

    image: str
    title: str
    truth: str
    predicted: str
    probability: float


def galleries(predictions: Predictions, photos: TestPhotos, listings: Listings) -> dict[str, list[Example]]:
    """Returns up to ten photos of each kind, no title and no pair of categories twice."""
    wrong, falling = ~predictions.hits, np.argsort(-predictions.confidence, kind="stable")
    kinds = {
        "Wrong, and sure of it": falling[wrong[falling]],
        "Wrong, and unsure": falling[wrong[falling]][::-1],
        "Right, but unsure": falling[~wrong[falling]][::-1],
        "Right, and sure": falling[~wrong[falling]],
    }
    return {
        kind: [_example(predictions, photos, listings, i) for i in _varied(predictions, rows.tolist())]
        for kind, rows in kinds.items()
    }


def _varied(predictions: Predictions, rows: list[int]) -> list[int]:
    chosen: list[int] = []
    seen: set[object] = set()
    for row in rows:
        known = {predictions.titles[row], (int(predictions.labels[row]), int(predictions.best[row]))}
        if not known & seen:
            chosen.append(row)
            seen |= known
        if len(chosen) == SHOWN:
            break
    return chosen


def _example(predictions: Predictions, photos: TestPhotos, listings: Listings, i: int) -> Example:
    tree = predictions.ontology
    return Example(
        image=photos.images[i],
        title=listings.titles[photos.rows[i]],
        truth=tree.path_text(int(predictions.labels[i])),
        predicted=tree.path_text(int(predictions.best[i])),
        probability=float(predictions.confidence[i]),
    )
