"""The relevance model by hand: features of a pair, and the logistic function over them."""

import math

import numpy as np
import pytest

from relevance.relevance_model import FEATURES, RelevanceModel, pair_features


def test_features_by_hand() -> None:
    cosine = np.array([0.8, -0.2], np.float32)
    category_cosine = np.array([0.6, 0.1], np.float32)
    features = pair_features(cosine, category_cosine, np.array([True, False]), familiar=0.75)
    assert features.dtype == np.float32
    assert features.shape == (2, len(FEATURES))
    by_name = dict(zip(FEATURES, features.T.tolist(), strict=True))
    assert by_name["cosine"] == pytest.approx([0.8, -0.2])
    assert by_name["category_cosine"] == pytest.approx([0.6, 0.1])
    assert by_name["lexical"] == [1.0, 0.0]
    assert by_name["familiar"] == [0.75, 0.75]
    assert by_name["cosine_unfamiliar"] == pytest.approx([0.2, -0.05])
    assert by_name["category_unfamiliar"] == pytest.approx([0.15, 0.025])


def test_no_pairs() -> None:
    features = pair_features(np.empty(0, np.float32), np.empty(0, np.float32), np.empty(0, bool), 1.0)
    assert features.shape == (0, len(FEATURES))
    assert RelevanceModel((1.0,) * len(FEATURES), 0.0, 0.5, 0.05).probability(features).shape == (0,)


def test_probability_by_hand() -> None:
    weights = (2.0, 0.0, 1.0, 0.0, 0.0, 0.0)
    model = RelevanceModel(weights, bias=-1.5, threshold=0.5, false_abstention=0.05)
    features = np.array([[1.0, 9, 1, 9, 9, 9], [0.25, 9, 1, 9, 9, 9], [0, 0, 0, 0, 0, 0]], np.float32)
    expected = [1 / (1 + math.exp(-1.5)), 0.5, 1 / (1 + math.exp(1.5))]
    found = model.probability(features)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_probability_stays_between_zero_and_one() -> None:
    model = RelevanceModel((80.0, 0, 0, 0, 0, 0), 0.0, 0.5, 0.05)
    features = np.array([[1.0, 0, 0, 0, 0, 0], [-1.0, 0, 0, 0, 0, 0]], np.float32)
    np.testing.assert_allclose(model.probability(features), [1.0, 0.0], atol=1e-30)
