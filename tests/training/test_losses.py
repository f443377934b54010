"""The loss over the tree, against its formula in numpy."""

import numpy as np
import pytest

from relevance.ontology import Ontology
from training.classifier.losses import TreeCrossEntropy, levels_above

PRIOR = np.array([0.7, 0.2, 0.1])
LOGITS = np.array([[2.0, 1.0, 0.0], [0.0, 0.5, -1.0]], np.float32)
LABELS = np.array([1, 2], np.int32)
BRANCH = np.array([0, 0, 1], np.int32)  # the first two classes are siblings


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x)
    return e / e.sum(axis=1, keepdims=True)


def loss(**options: float) -> float:
    chosen = {"adjustment": 0.0, "hierarchy": 0.0} | options
    return float(TreeCrossEntropy(PRIOR, [BRANCH], **chosen)(LABELS, LOGITS))


def test_plain_cross_entropy() -> None:
    p = softmax(LOGITS)
    assert loss() == pytest.approx(-np.log([p[0, 1], p[1, 2]]).mean(), rel=1e-5)


def test_adjustment_adds_the_prior_in_training() -> None:
    """With τ = 1, logits of 0 have learned nothing but the prior: the loss is its cross-entropy."""
    p = softmax(LOGITS + 0.5 * np.log(PRIOR))
    assert loss(adjustment=0.5) == pytest.approx(-np.log([p[0, 1], p[1, 2]]).mean(), rel=1e-5)
    zeros = TreeCrossEntropy(PRIOR, [], 1.0, 0.0)(LABELS, np.zeros((2, 3), np.float32))
    assert float(zeros) == pytest.approx(-np.log(PRIOR[LABELS]).mean(), rel=1e-5)


def test_hierarchy_adds_the_branch() -> None:
    p = softmax(LOGITS)
    leaf = -np.log([p[0, 1], p[1, 2]])
    branch = -np.log([p[0, 0] + p[0, 1], p[1, 2]])
    assert loss(hierarchy=0.5) == pytest.approx(((leaf + 0.5 * branch) / 1.5).mean(), rel=1e-5)


def test_a_mistake_within_the_branch_costs_less() -> None:
    tree = TreeCrossEntropy(PRIOR, [BRANCH], 0.0, 1.0)
    label = np.array([0], np.int32)
    near, far = np.array([[0.0, 4.0, 0.0]], np.float32), np.array([[0.0, 0.0, 4.0]], np.float32)
    assert float(tree(label, near)) < float(tree(label, far))


def test_smoothing_spreads_the_label() -> None:
    p = softmax(LOGITS)
    expected = -0.9 * np.log([p[0, 1], p[1, 2]]) - 0.1 * np.log(p).mean(axis=1)
    assert loss(smoothing=0.1) == pytest.approx(expected.mean(), rel=1e-5)


def test_levels_that_tell_nothing_are_left_out() -> None:
    paths = [("goods", "a", "x"), ("goods", "a", "y"), ("goods", "b"), ("goods", "c", "z")]
    ontology = Ontology.from_paths(["x", "y", "b", "z"], paths)
    classes = np.array(sorted(ontology.position(name) for name in ("x", "y", "b", "z")), np.int32)
    (level,) = levels_above(ontology, classes)  # the first joins all; the third parts all
    assert level.tolist() == [0, 0, 1, 2]
    assert levels_above(ontology, classes[:2]) == []
