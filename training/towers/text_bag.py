"""Text to one vector: an embedding for each feature, and the vectors of a text prior through one projection."""

from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras
from numpy.typing import NDArray

from training.towers.bags import KINDS

PRIOR_GAIN = 0.5
"""Length at which the prior's vectors enter the sum, beside 1 for a known word."""


class TextBag(tf_keras.layers.Layer):
    """The sum of a text's feature embeddings, each weighing 1/sqrt(number of its kind), and of its pieces' prior
    vectors through one projection, with a learned weight for each piece. The prior's vectors stay as they are."""

    def __init__(self, table: NDArray[np.float32], prior: NDArray[np.float32]) -> None:
        super().__init__(name="text_bag")
        constant = tf_keras.initializers.Constant
        self.table = self.add_weight(name="table", shape=table.shape, initializer=constant(table))
        padded = np.concatenate([np.zeros((1, prior.shape[1]), np.float32), prior])
        self.prior = self.add_weight(name="prior", shape=padded.shape, initializer=constant(padded), trainable=False)
        self.prior_dim = prior.shape[1]
        if self.prior_dim:
            self.prior_weight = self.add_weight(name="prior_weight", shape=[len(padded)], initializer="zeros")
            projection = np.eye(self.prior_dim, table.shape[1], dtype=np.float32) * PRIOR_GAIN
            self.projection = self.add_weight(
                name="projection", shape=projection.shape, initializer=constant(projection)
            )
        self.built = True  # no weight waits for an input

    def call(self, bags: Any, kept: Any = None) -> Any:
        """(features, pieces) as `Bags.take` gives them -> `[b, dim]`. kept: float32 `[b, KINDS + 1]`, 0 for a kind that
        is left out of a text, the pieces last."""
        features, pieces = bags
        # Each row of the table that the step reads is fetched once: the gradient has those rows and no others.
        rows, places = tf.unique(features.values)
        sums = tf.sparse.segment_sqrt_n(
            tf.gather(self.table, rows), places, features.value_rowids(), num_segments=features.nrows()
        )
        by_kind = tf.reshape(sums, [-1, KINDS, self.table.shape[1]])
        if kept is not None:
            by_kind *= kept[:, :KINDS, None]
        own = tf.reduce_sum(by_kind, axis=1)
        if not self.prior_dim:
            return own
        known = self._pieces(pieces)
        if kept is not None:
            known *= kept[:, KINDS:]
        return own + tf.matmul(known, self.projection)

    def _pieces(self, pieces: Any) -> Any:
        text = pieces.value_rowids()
        weights = tf.exp(tf.gather(self.prior_weight, pieces.values))
        weights *= tf.math.rsqrt(tf.cast(tf.gather(pieces.row_lengths(), text), tf.float32))
        vectors = tf.gather(self.prior, pieces.values) * weights[:, None]
        return tf.math.unsorted_segment_sum(vectors, text, pieces.nrows())

    def padded(self, ids: Any, weights: Any, pieces: int) -> tuple[Any, Any]:
        """ids int32, weights float32 `[b, pieces + features]`, as `Featuriser.batch` gives them -> the same sum
        `[b, dim]`, and what the prior alone says `[b, prior_dim]`."""
        own = tf.reduce_sum(tf.gather(self.table, ids[:, pieces:]) * weights[:, pieces:, None], axis=1)
        if not self.prior_dim:
            return own, tf.zeros((tf.shape(ids)[0], 0))
        ids, weights = ids[:, :pieces], weights[:, :pieces]
        vectors = tf.gather(self.prior, ids) * weights[:, :, None]
        weighted = tf.reduce_sum(vectors * tf.exp(tf.gather(self.prior_weight, ids))[:, :, None], axis=1)
        return own + tf.matmul(weighted, self.projection), tf.reduce_sum(vectors, axis=1)
