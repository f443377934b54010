"""The relevance model by hand: features of a pair, and the logistic function over them."""

import math

import numpy as np
import pytest

from relevance.relevance_model import FEATURES, OF_ALL, RelevanceModel, pair_features


def _model(weights: tuple[float, ...], bias: float = 0.0) -> RelevanceModel:
    padded = (*weights, *(0.0,) * (len(FEATURES) - len(weights)))
    return RelevanceModel(padded, bias, padded[::-1], threshold=0.5, false_abstention=0.05)


def _rows(*rows: list[float]) -> np.ndarray:
    return np.array([[*row, *[0.0] * (len(FEATURES) - len(row))] for row in rows], np.float32)


def test_the_order_has_weights_of_its_own() -> None:
    model = _model((2.0,))  # in the order the last feature weighs 2
    features = np.eye(len(FEATURES), dtype=np.float32)
    assert model.judge(features)[1].tolist() == [*[0.0] * (len(FEATURES) - 1), 2.0]


def test_features_by_hand() -> None:
    cosine = np.array([0.8, -0.2], np.float32)
    category_cosine = np.array([0.6, 0.1], np.float32)
    share, missing = np.array([np.exp(-1), 0.0], np.float32), np.array([1.0, 0.0], np.float32)
    matched, bm25 = np.array([True, False]), np.array([4.0, 2.0], np.float32)
    category, wanted = np.array([4, 4], np.int32), np.array([-0.5, 0.0], np.float32)
    features = pair_features(
        cosine,
        category,
        category_cosine,
        share,
        matched,
        bm25,
        missing,
        wanted,
        familiar=0.75,
        foreign=0.5,
        nothing=-0.3,
        second_noun=0.4,
    )
    assert features.dtype == np.float32
    assert features.shape == (2, len(FEATURES))
    by_name = dict(zip(FEATURES, features.T.tolist(), strict=True))
    assert by_name["cosine"] == pytest.approx([0.8, -0.2])
    assert by_name["cosine_within"] == pytest.approx([0.5, -0.5])
    assert by_name["wanted"] == [-0.5, 0.0]
    assert by_name["category_cosine"] == pytest.approx([0.6, 0.1])
    assert by_name["lexical"] == [1.0, 0.0]
    assert by_name["bm25"] == [1.0, 0.5]
    # The logarithm over ten; from a hundredth down all alike.
    assert by_name["category_log_share"] == pytest.approx([-0.1, math.log(1e-2) / 10])
    assert by_name["missing"] == [1.0, 0.0]
    assert by_name["foreign"] == [0.5, 0.5]
    assert by_name["nothing"] == pytest.approx([-0.3, -0.3])
    assert by_name["second_noun"] == pytest.approx([0.4, 0.4])
    assert by_name["familiar"] == [0.75, 0.75]


def test_usual_in_a_category_of_few_is_mostly_what_is_usual_of_all() -> None:
    # Thirty of category 1 with cosines of 0.2 to 0.4, and one of category 0 with 0.6.
    cosine = np.array([0.6, *[0.2, 0.3, 0.4] * 10], np.float32)
    category = np.array([0, *[1] * 30], np.int32)
    nothing, unmatched = np.zeros(31, np.float32), np.zeros(31, np.bool_)
    pairs = (category, nothing, nothing, unmatched, nothing, nothing, nothing)
    within = pair_features(cosine, *pairs, 1.0, 0.0, 0.0, 0.0)[:, FEATURES.index("cosine_within")]
    average = (0.6 + 30 * 0.3) / 31
    assert within[0] == pytest.approx(0.6 - (0.6 + OF_ALL * average) / (1 + OF_ALL))
    assert within[3] == pytest.approx(0.4 - (30 * 0.3 + OF_ALL * average) / (30 + OF_ALL))
    assert within[0] > within[3] > 0


def test_no_pairs() -> None:
    nobody = np.empty(0, np.float32)
    nowhere, unmatched = np.empty(0, np.int32), np.empty(0, np.bool_)
    features = pair_features(nobody, nowhere, nobody, nobody, unmatched, nobody, nobody, nobody, 1.0, 0.0, 0.0, 0.0)
    assert features.shape == (0, len(FEATURES))
    assert _model((1.0,) * len(FEATURES)).judge(features)[0].shape == (0,)


def test_probability_by_hand() -> None:
    model = _model((2.0, 0, 0, 1.0), bias=-1.5)
    features = _rows([1.0, 9, 9, 1, 9], [0.25, 9, 9, 1, 9], [0])
    expected = [1 / (1 + math.exp(-1.5)), 0.5, 1 / (1 + math.exp(1.5))]
    found = model.judge(features)[0]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_probability_stays_between_zero_and_one() -> None:
    model = _model((80.0,))
    features = _rows([1.0], [-1.0])
    np.testing.assert_allclose(model.judge(features)[0], [1.0, 0.0], atol=1e-30)


def test_shown_is_what_the_best_hit_allows() -> None:
    model = _model((1.0,))
    assert model.shown(np.array([0.6, 0.2, 0.09], np.float32)).tolist() == [True, True, False]
    assert model.shown(np.array([0.45, 0.2], np.float32)).tolist() == [False, False]
    assert model.shown(np.empty(0, np.float32)).shape == (0,)
