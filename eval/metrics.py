"""Ranking metrics over graded answers. A grade is a whole number of at least 0; ranks count from 1."""

import numpy as np
from numpy.typing import NDArray

CUTOFF = 10
"""The first page, as NDCG sees it."""

Grades = NDArray[np.integer]


def dcg(grades: Grades) -> float:
    """Returns Σ (2^grade - 1) / log2(rank + 1) over grades `[n]` in ranked order (Burges et al., ICML 2005)."""
    gains = np.exp2(np.asarray(grades, np.float64)) - 1
    return float((gains / np.log2(np.arange(2, len(gains) + 2))).sum())


def ideal_dcg(judged: Grades, k: int = CUTOFF) -> float:
    """Returns the DCG of the best `k` of all `judged` grades `[m]`, found or not; 0 where nothing is relevant."""
    judged = np.asarray(judged)
    best = np.partition(judged, len(judged) - k)[-k:] if len(judged) > k else judged
    return dcg(np.sort(best)[::-1])


def ndcg(ranked: Grades, ideal: float, k: int = CUTOFF) -> float:
    """Returns DCG of the first `k` ranked grades over `ideal`, 0 to 1; NaN where nothing is relevant, and so no order
    is better than another."""
    return dcg(np.asarray(ranked)[:k]) / ideal if ideal > 0 else float("nan")


def recall(ranked: Grades, total: int, k: int, relevant: int) -> float:
    """Returns the share of the `total` listings graded `relevant` or more that is among the first `k`; NaN where
    `total` is 0."""
    return float((np.asarray(ranked)[:k] >= relevant).sum()) / total if total else float("nan")
