"""Accuracies on a tree of two branches, against values worked out by hand."""

import numpy as np
import pytest

from relevance.classification import (
    expected_calibration_error,
    label_ranks,
    level_hits,
    level_probabilities,
    macro,
    reliability,
    risk_coverage,
    scores,
    top_k_hits,
)
from relevance.ontology import Ontology

TREE = Ontology.from_paths(["a", "a1", "a2", "b", "b1"], [("a",), ("a", "1"), ("a", "2"), ("b",), ("b", "1")])
A, A1, A2, B, B1 = range(5)
CLASSES = np.array([A1, A2, B1], np.int32)
PROBABILITIES = np.array(
    [
        [0.5, 0.3, 0.2],  # best a1
        [0.3, 0.3, 0.4],  # best b1, but a has 0.6
        [0.1, 0.2, 0.7],  # best b1
        [0.1, 0.8, 0.1],  # best a2
    ],
    np.float32,
)


def test_top_k() -> None:
    labels = np.array([A2, A1, B1, A1], np.int32)
    assert top_k_hits(PROBABILITIES, CLASSES, labels, 1).tolist() == [False, False, True, False]
    assert top_k_hits(PROBABILITIES, CLASSES, labels, 2).tolist() == [True, True, True, True]
    no_class = np.array([A, A, B, B], np.int32)
    assert not top_k_hits(PROBABILITIES, CLASSES, no_class, 3).any()


def test_levels_add_up_probabilities_before_the_best_is_taken() -> None:
    labels = np.array([A2, A1, B, B1], np.int32)
    hits, truth = level_hits(TREE, PROBABILITIES, CLASSES, labels, 1)
    assert hits.tolist() == [True, True, True, False]
    assert truth.tolist() == [A, A, B, B]
    hits, truth = level_hits(TREE, PROBABILITIES, CLASSES, labels, 2)
    assert hits.tolist() == [False, False, False, False]  # b itself is no class: b1 is not b
    assert truth.tolist() == labels.tolist()


def test_macro_weighs_categories_alike() -> None:
    hits = np.array([True, True, True, False, False])
    labels = np.array([7, 7, 7, 7, 9], np.int32)
    assert macro(hits, labels) == pytest.approx((0.75 + 0.0) / 2)


def test_calibration_error() -> None:
    confidence = np.array([0.9, 0.9, 0.9, 0.9, 0.3, 1.0], np.float32)
    hits = np.array([True, True, True, False, False, True])
    # Bins of 1/10: 0.9 holds four with 0.75 right, and 1.0 falls into the same last bin; 0.3 holds one, wrong.
    expected = (abs(4 * 0.9 + 1.0 - 4) + 0.3) / 6
    assert expected_calibration_error(confidence, hits, bins=10) == pytest.approx(expected, abs=1e-6)


def test_calibration_error_of_shares_by_weight() -> None:
    # 0.61 and 0.65 share a bin (9 of 15, from 0.6 on), where what was said and what came to be differ by
    # 3 x (0.61 - 0.2) + (0.65 - 1); 1.0 lies in the last bin.
    found = expected_calibration_error(
        np.array([0.61, 0.65, 1.0]), np.array([0.2, 1.0, 0.5]), np.array([3.0, 1.0, 2.0])
    )
    assert found == pytest.approx((abs(3 * 0.41 - 0.35) + 2 * 0.5) / 6)
    assert np.isnan(expected_calibration_error(np.empty(0), np.empty(0)))


def test_scores_together() -> None:
    result = scores(TREE, PROBABILITIES, CLASSES, np.array([A1, A1, B1, A2], np.int32))
    assert (result["photos"], result["top_1"], result["top_3"]) == (4, 0.75, 1.0)
    assert result["macro"] == pytest.approx((0.5 + 1 + 1) / 3)
    assert result["levels"]["1"] == {"micro": 1.0, "macro": 1.0, "categories": 2}
    assert result["levels"]["2"]["categories"] == 3


def test_ranks_of_equals_and_of_no_class() -> None:
    probabilities = np.array([[0.25, 0.5, 0.25]], np.float32).repeat(4, axis=0)
    assert label_ranks(probabilities, CLASSES, np.array([A2, A1, B1, A], np.int32)).tolist() == [0, 1, 2, 3]
    # The same classes in another order.
    backwards = probabilities[:, ::-1]
    assert label_ranks(backwards, CLASSES[::-1], np.array([A2, A1, B1, B], np.int32)).tolist() == [0, 2, 1, 3]


def test_more_guesses_than_classes_do_not_find_what_is_no_class() -> None:
    one = np.ones((2, 1), np.float32)
    assert top_k_hits(one, CLASSES[:1], np.array([A1, B], np.int32), 5).tolist() == [True, False]


def test_collapsed_probabilities() -> None:
    nodes, collapsed = level_probabilities(TREE, PROBABILITIES[:, [2, 0, 1]], CLASSES[[2, 0, 1]], 1)
    assert nodes.tolist() == [A, B]
    assert collapsed == pytest.approx(np.array([[0.8, 0.2], [0.6, 0.4], [0.3, 0.7], [0.9, 0.1]]), abs=1e-6)
    # A class above the level stays itself.
    nodes, collapsed = level_probabilities(TREE, PROBABILITIES[:1], np.array([A, A2, B1], np.int32), 2)
    assert nodes.tolist() == [A, A2, B1]
    assert collapsed[0].tolist() == PROBABILITIES[0].tolist()


def test_reliability_bins() -> None:
    found = reliability(np.array([0.0, 0.05, 0.55, 1.0], np.float32), np.array([False, True, True, True]), bins=10)
    assert found.photos.tolist() == [2, 1, 1]
    assert found.confidence == pytest.approx([0.025, 0.55, 1.0])
    assert found.accuracy.tolist() == [0.5, 1, 1]
    assert not len(reliability(np.empty(0, np.float32), np.empty(0, np.bool_)).photos)


def test_risk_and_coverage() -> None:
    confidence = np.array([0.2, 0.9, 0.5, 0.5], np.float32)
    found = risk_coverage(confidence, np.array([False, True, True, False]))
    # 0.9 right; then the two of 0.5 come together, one right; then 0.2, wrong.
    assert found.threshold == pytest.approx([0.9, 0.5, 0.2])
    assert found.coverage.tolist() == [0.25, 0.75, 1.0]
    assert found.accuracy == pytest.approx([1, 2 / 3, 0.5])
    assert found.aurc == pytest.approx(0.25 * 0 + 0.5 / 3 + 0.25 * 0.5)
    assert [found.coverage_at(a) for a in (0.4, 0.6, 0.9)] == [1.0, 0.75, 0.25]
    assert risk_coverage(confidence, np.zeros(4, np.bool_)).coverage_at(0.1) == 0


def test_nothing_to_answer() -> None:
    found = risk_coverage(np.empty(0, np.float32), np.empty(0, np.bool_))
    assert np.isnan(found.aurc)
    assert found.coverage_at(0.5) == 0
