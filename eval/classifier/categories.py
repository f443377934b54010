"""How each category fares, as a table for a spreadsheet."""

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eval.classifier.measured import Predictions
from relevance.artifacts import writing_file

HEADER = (
    "category_id", "path", "is_class", "photos", "test_photos", "top_1", "top_5", "mean_distance", "taken_for",
)  # fmt: skip


def write_categories(path: Path, predictions: Predictions, photos: NDArray[np.int64]) -> None:
    """Writes a row for every category that has photos, most first. photos: int64 `[categories]`, of the whole dataset;
    the columns after `test_photos` are empty where there are none."""
    with writing_file(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(_rows(predictions, photos))


def _rows(predictions: Predictions, photos: NDArray[np.int64]) -> Iterator[tuple[object, ...]]:
    tree, by_label = predictions.ontology, np.argsort(predictions.labels, kind="stable")
    distance = tree.distance(predictions.best, predictions.labels)
    is_class = np.isin(np.arange(len(tree)), predictions.classes)
    for category in np.argsort(-photos, kind="stable")[: np.count_nonzero(photos)].tolist():
        begin, end = np.searchsorted(predictions.labels[by_label], (category, category + 1))
        rows = by_label[begin:end]
        name = (tree.ids[category], tree.path_text(category), bool(is_class[category]), int(photos[category]))
        yield (*name, len(rows), *(_figures(predictions, rows, distance) if len(rows) else [""] * 4))


def _figures(
    predictions: Predictions, rows: NDArray[np.int64], distance: NDArray[np.int32]
) -> tuple[float, float, float, str]:
    answers, counts = np.unique(predictions.best[rows][~predictions.hits[rows]], return_counts=True)
    taken_for = predictions.ontology.ids[answers[counts.argmax()]] if len(answers) else ""
    top_5 = float((predictions.ranks[rows] < min(5, len(predictions.classes))).mean())
    top_1 = float(predictions.hits[rows].mean())
    return round(top_1, 4), round(top_5, 4), round(float(distance[rows].mean()), 4), taken_for
