"""Towers small enough to be trained in a second: four listings, each chosen three times, for its title."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from relevance.featuriser import Featuriser
from relevance.towers import PATH_WIDTHS, QUERY_WIDTHS, TEXT_WIDTHS
from training.towers.bags import Bags
from training.towers.examples import Examples
from training.towers.model import Towers
from training.towers.options import Options
from training.towers.retrieval import Features, RetrievalModel

TITLES = ["red sofa", "blue sofa", "red bike", "blue bike"]
CATEGORY = np.array([0, 0, 1, 1], np.int32)
STEPS = 3
"""Of an epoch: twelve pairs, four a step."""

OPTIONS = Options(dim=8, epochs=3, batch=4, hard=False, absent=0, seed=1)


def make_examples() -> Examples:
    """Twelve pairs, no query that nothing answers."""
    rows = np.tile(np.arange(4, dtype=np.int32), 3)
    nobody = np.empty(0, np.int32)
    return Examples(TITLES, rows[:, None].repeat(5, axis=1), rows, np.ones(12, np.float32), np.full(4, 0.25), nobody)


def make_model(
    options: Options = OPTIONS,
    queries: Sequence[str] = TITLES,
    pieces: Sequence[str] = (),
    price: Any = 0.0,
    visual: Any = 0.0,
    table: int = 0,
) -> RetrievalModel:
    """Towers before their first step. price, visual: of all listings; pieces: of a text prior; table: seed of the
    starting vectors."""
    import tensorflow as tf
    import tf_keras

    tf_keras.utils.set_random_seed(options.seed)
    tf.config.experimental.enable_op_determinism()
    known = [*TITLES, "sofas", "bikes", "sofas", "bikes"]
    featuriser = Featuriser.fit(known, buckets=20, pieces=pieces, sizes=options.ngram_sizes)
    arrays = {
        "listing_category": CATEGORY,
        "visual": np.full((4, 1), visual, np.float32),
        "price": np.full((4, 2), price, np.float32),
    }
    widths = ((queries, QUERY_WIDTHS), (TITLES, TEXT_WIDTHS), (["sofas", "bikes"], PATH_WIDTHS))
    features = Features(*(Bags(featuriser, texts, width) for texts, width in widths), arrays)
    vectors = np.random.default_rng(table).normal(size=(featuriser.size, options.dim)).astype(np.float32)
    prior = np.eye(len(pieces), dtype=np.float32)
    return RetrievalModel(Towers(vectors, prior, options.prior_share), features, options)
