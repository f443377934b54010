"""What a training step makes of its queries and listings."""

import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.training.sofas import OPTIONS, TITLES, make_model
from training.towers.retrieval import RetrievalModel

FULL, SPELT, PIECES, OWN, WHOLE = (
    (1, 1, 1, 1), (0, 0, 1, 1), (0, 0, 0, 1), (1, 1, 1, 0), (1, 1, 0, 1),
)  # fmt: skip
"""Words, pairs, n-grams and pieces that a reading keeps."""


def read(model: RetrievalModel, draws: int = 400) -> Any:
    """The bags of the first query, float32 `[draws, dim]`, as steps read it."""
    rows = tf.zeros(draws, tf.int32)
    return model._texts(rows, tf.range(4), tf.constant([0, 1], tf.int64))[0].numpy()


def shares(model: RetrievalModel, readings: list[tuple[int, ...]]) -> list[float]:
    """How often the first query is read as each of these; together that is always."""
    bags = model.features.queries.take(tf.zeros(len(readings), tf.int32))
    expected = model.towers.text(bags, tf.constant(readings, tf.float32)).numpy()
    assert (np.abs(expected).max(axis=1) > 0.1).all()
    found = read(model)
    same = np.abs(found[:, None] - expected).max(axis=2) < 1e-5
    assert (same.sum(axis=1) == 1).all()
    return [float(share) for share in same.mean(axis=0)]


def test_without_a_prior_no_query_is_left_without_features() -> None:
    """Of ten queries one would be read by its pieces alone, and there are none: by its n-grams, like two others."""
    assert shares(make_model(), [FULL, SPELT, WHOLE]) == pytest.approx([0.6, 0.3, 0.1], abs=0.07)


def test_without_ngrams_either_queries_are_read_in_full() -> None:
    assert shares(make_model(replace(OPTIONS, ngram_sizes=())), [FULL]) == [1.0]


def test_with_a_prior_some_queries_are_read_by_their_pieces_alone() -> None:
    model = make_model(pieces=("red", "sofa", "bike"))
    found = shares(model, [FULL, SPELT, PIECES, OWN, WHOLE])
    assert found == pytest.approx([0.5, 0.2, 0.1, 0.1, 0.1], abs=0.07)


def test_a_query_that_the_prior_does_not_know_is_read_by_its_ngrams() -> None:
    model = make_model(queries=["blue bike", *TITLES[1:]], pieces=("red", "sofa"))
    assert shares(model, [FULL, SPELT, WHOLE]) == pytest.approx([0.6, 0.3, 0.1], abs=0.07)


def test_a_query_without_features_stays_one() -> None:
    assert not read(make_model(queries=["", *TITLES[1:]]), 20).any()


@pytest.mark.parametrize("price", [0.0, 1.0])
def test_nothing_is_left_out_of_a_listing_of_which_nothing_would_be_left(price: float) -> None:
    towers = make_model().towers
    n = 2000
    features = {"visual": tf.zeros((n, 1)), "price": tf.fill((n, 2), price)}
    text, category = tf.tile([[1.0] + [0.0] * 7], [n, 1]), tf.tile([[0.0, 1.0] + [0.0] * 6], [n, 1])
    found = towers._listing_sum(text, category, features, tf.constant([0, 1], tf.int64)).numpy()
    whole = towers._listing_sum(text, category, features).numpy()
    left = np.abs(found - whole) < 1e-6
    # One text in ten and one category in four are left out, but both at once (one in forty) only beside a price.
    both = 0.025 if price else 0.0
    assert (1 - left[:, 0].mean(), 1 - left[:, 1].mean()) == pytest.approx((0.075 + both, 0.225 + both), abs=0.03)
    assert (~left[:, :2].any(axis=1)).mean() == pytest.approx(both, abs=0.015)
    assert found.any(axis=1).all()


@pytest.mark.parametrize("q", [[0.4, 0.1, 0.2], [2e-3, 4e-7, 1e-8]], ids=["few listings", "millions"])
def test_log_q_tells_candidates_apart_however_rare_they_are(q: list[float]) -> None:
    """Against a softmax written out by hand. Of millions, both the second and the third come less than once in one."""
    options = replace(OPTIONS, by_query=0.0, by_listing=0.0, temperature=0.5)
    model = make_model(options)
    rows, nobody = tf.constant([0, 1]), tf.constant([], tf.int32)
    inputs = {"query": rows, "listing": rows, "negative": tf.constant([2]), "absent": nobody, "weight": tf.ones(2)}
    inputs |= {"probability": tf.constant(q), "step": tf.constant(0, tf.int64)}
    found = float(model.compute_loss(inputs))
    cosines = model.encode_queries(rows).numpy() @ model.encode_listings(tf.range(3)).numpy().T
    logits = cosines.astype(np.float64) / 0.5 - np.log(q)
    expected = sum(np.log(np.exp(logits[row]).sum()) - logits[row, row] for row in range(2))
    assert found == pytest.approx(expected, rel=1e-4)
