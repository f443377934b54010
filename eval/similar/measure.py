"""Recall of co-clicked listings, and NDCG by what listings truly are, among the nearest listings by look."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from eval.grades import Grader
from eval.metrics import CUTOFF, ideal_dcg, ndcg
from eval.similar.held_out import Asked, Rows

RECALL_AT = (10, 50)
DEPTH = max(RECALL_AT)
Column = NDArray[np.float64]


def recalls(asked: Asked, nearest: Rows) -> dict[str, Column]:
    """Returns for each k of RECALL_AT float64 `[len(asked)]`: which share of the others chosen for the query is among
    the anchor's k nearest. nearest: int64 `[len(asked), ≥ DEPTH]`."""
    return {
        f"recall@{k}": np.array(
            [np.isin(others, own[:k]).mean() for others, own in zip(asked.others, nearest, strict=True)], np.float64
        )
        for k in RECALL_AT
    }


def popular_neighbours(asked: Asked, popular: Rows) -> Rows:
    """Returns for each anchor the most chosen listings, itself left out: int64 `[len(asked), len(popular) - 1]`."""
    width = len(popular) - 1
    return np.array([popular[popular != row][:width] for row in asked.anchor], np.int64).reshape(len(asked), width)


def truth_ndcg(grader: Grader, rows: Rows, nearest: Sequence[Rows]) -> list[Column]:
    """Returns float64 `[len(rows)]` for each of `nearest` (int64 `[len(rows), ≥ CUTOFF]`): NDCG@10, where one like
    the row's own is wished for. A listing of its category and with all of its attributes has grade 3, one attribute
    less 2, more less, or a sibling category, 1. NaN where no other listing has a grade."""
    columns = [np.full(len(rows), np.nan) for _ in nearest]
    for i, row in enumerate(rows.tolist()):
        grades = grader.like(row)
        grades[row] = 0
        ideal = ideal_dcg(grades)
        for column, found in zip(columns, nearest, strict=True):
            ranked = found[i, :CUTOFF]
            column[i] = ndcg(grades[ranked[ranked >= 0]], ideal)
    return columns
