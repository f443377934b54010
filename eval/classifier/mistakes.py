"""How bad mistakes are: their distance in the category tree, and what is taken for what.

The distance of a mistake is the number of edges between answer and truth (Bertinetto et al., "Making better mistakes",
CVPR 2020): 2 for a sibling.
"""

from typing import Any

import numpy as np

from eval.bootstrap import estimates
from eval.classifier.measured import Collapsed, Predictions
from relevance.ontology import Ontology

PAIRS = 20
"""How many pairs of confused categories are listed."""

LARGEST = 15
"""How many categories the confusion matrix tells apart; the rest is one row and column."""

REST = "all others"


def mistakes(predictions: Predictions, seed: int = 0) -> dict[str, Any]:
    """Returns severity for two ways to decide, `argmax` and `crm` (least expected distance), and `difference`, crm -
    argmax on the same photos."""
    answers = {"argmax": predictions.best, "crm": predictions.decider.crm(predictions.probabilities).nodes}
    columns, by_distance = {}, {}
    for name, answer in answers.items():
        edges = predictions.ontology.distance(answer, predictions.labels)
        columns[f"{name} top_1"] = np.asarray(edges == 0, np.float64)
        columns[f"{name} distance"] = edges.astype(np.float64)
        columns[f"{name} distance_of_mistakes"] = np.where(edges > 0, edges, np.nan)
        values, counts = np.unique(edges, return_counts=True)
        by_distance[name] = {str(value): int(count) for value, count in zip(values, counts, strict=True)}
    for column in ("top_1", "distance"):
        columns[f"difference {column}"] = columns[f"crm {column}"] - columns[f"argmax {column}"]
    found: dict[str, Any] = {"argmax": {}, "crm": {}, "difference": {}}
    for name, estimate in estimates(columns, predictions.titles, seed=seed).items():
        way, column = name.split(" ")
        found[way][column] = estimate
    for way, counted in by_distance.items():
        found[way]["by_distance"] = counted
    return found


def confused(predictions: Predictions) -> list[dict[str, Any]]:
    """Returns the most frequent pairs of true and predicted category: how many photos, which share that is of the true
    category's, and how far the two lie apart."""
    wrong = ~predictions.hits
    truth, totals = np.unique(predictions.labels, return_counts=True)
    total = dict(zip(truth.tolist(), totals.tolist(), strict=True))
    pairs = np.stack([predictions.labels[wrong], predictions.best[wrong]], axis=1)
    found, counts = np.unique(pairs, axis=0, return_counts=True)
    tree = predictions.ontology
    return [
        {
            "truth": tree.path_text(label),
            "predicted": tree.path_text(answer),
            "photos": count,
            "share": round(count / total[label], 6),
            "distance": int(tree.distance(label, answer)),
        }
        for (label, answer), count in (
            (found[i].tolist(), int(counts[i])) for i in np.argsort(-counts, kind="stable")[:PAIRS]
        )
    ]


def confusion(predictions: Predictions) -> dict[str, Any]:
    """Returns the confusion matrix of the highest level that has several categories: `level`, `categories` (paths) and
    `counts`, rows for the truth and columns for the most probable category."""
    for level in predictions.levels:
        collapsed = predictions.collapsed(level)
        if len(np.union1d(collapsed.labels, collapsed.best)) > 1:
            break
    return {"level": level, **_matrix(predictions.ontology, collapsed)}


def _matrix(ontology: Ontology, collapsed: Collapsed) -> dict[str, Any]:
    found, sizes = np.unique(np.concatenate([collapsed.labels, collapsed.best]), return_counts=True)
    kept = np.sort(found[np.argsort(-sizes, kind="stable")[:LARGEST]])
    names = [ontology.path_text(i) for i in kept.tolist()]
    column = np.full(len(ontology), len(kept))
    column[kept] = np.arange(len(kept))
    size = len(kept) + (len(found) > len(kept))
    counts = np.zeros((size, size), np.int64)
    np.add.at(counts, (column[collapsed.labels], column[collapsed.best]), 1)
    return {"categories": names + [REST] * (size - len(kept)), "counts": counts.tolist()}
