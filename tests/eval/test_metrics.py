"""Expected values are worked out by hand, or by scikit-learn."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import dcg_score

from eval.metrics import dcg, ideal_dcg, ndcg, recall


def test_dcg_by_hand() -> None:
    # 2^3-1 = 7 at rank 1, 2^0-1 = 0 at rank 2, 2^2-1 = 3 at rank 3 with log2(4) = 2.
    assert dcg(np.array([3, 0, 2])) == pytest.approx(7 + 3 / 2)
    assert dcg(np.array([], int)) == 0


def test_ndcg_ideal_counts_what_was_not_found() -> None:
    judged = np.array([0, 3, 2, 0, 1])
    ideal = 7 + 3 / math.log2(3) + 1 / 2
    assert ideal_dcg(judged) == pytest.approx(ideal)
    assert ndcg(np.array([2, 0, 3]), ideal_dcg(judged)) == pytest.approx((3 + 7 / 2) / ideal)
    assert ndcg(np.array([3, 2, 1, 0]), ideal_dcg(judged)) == pytest.approx(1)
    assert ndcg(np.array([], int), ideal_dcg(judged)) == 0


def test_ndcg_looks_at_the_first_ten() -> None:
    judged = np.full(12, 3)
    assert ndcg(np.array([0] * 10 + [3, 3]), ideal_dcg(judged)) == 0
    assert ndcg(judged, ideal_dcg(judged)) == pytest.approx(1)


def test_without_anything_relevant_there_is_no_ndcg_and_no_recall() -> None:
    assert math.isnan(ndcg(np.array([0, 0]), ideal_dcg(np.array([0, 0]))))
    assert math.isnan(recall(np.array([0]), 0, 10, relevant=2))


def test_recall_counts_grades_from_relevant_on_among_the_first_k() -> None:
    ranked = np.array([3, 1, 2, 2])
    assert recall(ranked, total=4, k=3, relevant=2) == 2 / 4
    assert recall(ranked, total=4, k=4, relevant=1) == 4 / 4
    assert recall(np.array([], int), total=4, k=3, relevant=2) == 0


@given(st.lists(st.integers(0, 3), min_size=2, max_size=30))
def test_dcg_as_scikit_learn(grades: list[int]) -> None:
    gains = 2.0 ** np.array(grades) - 1
    ranks = -np.arange(len(grades), dtype=float)
    expected = dcg_score([gains], [ranks], k=10, ignore_ties=True)
    assert dcg(np.array(grades)[:10]) == pytest.approx(expected)
    assert ideal_dcg(np.array(grades)) == pytest.approx(dcg_score([gains], [gains], k=10, ignore_ties=True))
