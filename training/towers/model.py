"""The towers: a query, a listing and a category each become one unit vector of the same space.

All text goes through one embedding table; a tower adds what else it knows (category words, photo, price), then one
residual layer, then L2 normalisation. Needs tf-keras: TensorFlow Recommenders refuses Keras 3.
"""

from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras
from numpy.typing import NDArray

from relevance.towers import PATH_WIDTHS, QUERY_WIDTHS, TEXT_WIDTHS
from training.towers.text_bag import TextBag

Tensors = dict[str, Any]


class Head(tf_keras.layers.Layer):
    """x -> L2(x + W2 relu(W1 x)); W2 starts at zero, so that training starts from the plain sum."""

    def __init__(self, dim: int, name: str) -> None:
        super().__init__(name=name)
        self.inner = tf_keras.layers.Dense(2 * dim, activation="relu")
        self.outer = tf_keras.layers.Dense(dim, kernel_initializer="zeros", use_bias=False)

    def call(self, x: Any) -> Any:
        return tf.math.l2_normalize(self.unscaled(x), axis=-1)

    def unscaled(self, x: Any) -> Any:
        """What is normalised, `[b, dim]`."""
        return x + self.outer(self.inner(x))


class Towers(tf_keras.Model):
    """The three towers over one text table. Where there is a text prior, what it says alone stands beside what was
    learned, as further dimensions: training damages its knowledge of words that behaviour never shows."""

    def __init__(self, table: NDArray[np.float32], prior: NDArray[np.float32], prior_share: float) -> None:
        super().__init__(name="towers")
        dim = table.shape[1]
        self.text = TextBag(table, prior)
        self.prior_share = prior_share if prior.shape[1] else 0.0
        self.query_head = Head(dim, "query_head")
        self.listing_head = Head(dim, "listing_head")
        self.category_head = Head(dim, "category_head")
        self.visual = tf_keras.layers.Dense(dim, use_bias=False, name="visual")
        self.price = tf_keras.layers.Dense(dim, use_bias=False, name="price")
        self.nothing = self.add_weight(name="nothing", shape=[dim], initializer="random_normal")

    def listing(self, text: Any, category: Any, features: Tensors, seed: Any = None) -> Any:
        """The bags of a listing's text and of its category's words `[b, dim]`, its photo and its price -> `[b, dim]`.
        With a seed (int64 `[2]`), in training, each part is left out now and then, because in the catalogue each part
        is missing now and then; of one of which nothing would be left, nothing is."""
        return self.listing_head(self._listing_sum(text, category, features, seed))

    def _listing_sum(self, text: Any, category: Any, features: Tensors, seed: Any = None) -> Any:
        visual, price = self.visual(features["visual"]), self.price(features["price"])
        whole = text + category + visual + price
        if seed is None:
            return whole
        text = _omit(text, 0.1, tf.add(seed, [1, 0]))
        category = _omit(category, 0.25, tf.add(seed, [2, 0]))
        visual = _omit(visual, 0.25, tf.add(seed, [3, 0]))
        left = text + category + visual + price
        return tf.where(tf.reduce_any(left != 0, axis=-1, keepdims=True), left, whole)

    def nothing_vector(self) -> Any:
        """The place of queries that nothing answers, `[1, dim]`."""
        return tf.math.l2_normalize(self.nothing[None], axis=-1)

    # The vectors of the joint space, from the arrays of `relevance.towers`: what was learned, and the prior's meaning.

    def joint_query(self, ids: Any, weights: Any) -> Any:
        """ids, weights of the query's text -> `[b, joint_dim]`."""
        text, meaning = self.text.padded(ids, weights, QUERY_WIDTHS.pieces)
        return self._joint(self.query_head(text), meaning)

    def joint_category(self, ids: Any, weights: Any) -> Any:
        """ids, weights of the path's words -> `[b, joint_dim]`."""
        text, meaning = self.text.padded(ids, weights, PATH_WIDTHS.pieces)
        return self._joint(self.category_head(text), meaning)

    def joint_listing(self, features: Tensors) -> Any:
        """The arrays of `relevance.towers.listing_arrays` -> `[b, joint_dim]`."""
        (text, said), (category, meant) = self._listing_bags(features)
        return self._joint(self.listing(text, category, features), said + meant)

    def listing_norms(self, features: Tensors) -> Any:
        """The arrays of `relevance.towers.listing_arrays` -> `[b]`, how long what was learned of a listing is before it
        is scaled to length 1."""
        (text, _), (category, _) = self._listing_bags(features)
        return tf.norm(self.listing_head.unscaled(self._listing_sum(text, category, features)), axis=-1)

    def _listing_bags(self, features: Tensors) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
        return (
            self.text.padded(features["text_ids"], features["text_weights"], TEXT_WIDTHS.pieces),
            self.text.padded(features["category_ids"], features["category_weights"], PATH_WIDTHS.pieces),
        )

    def joint_nothing(self) -> Any:
        """The place of queries that nothing answers, `[1, joint_dim]`."""
        return self._joint(self.nothing_vector(), tf.zeros((1, self.text.prior_dim)))

    def _joint(self, learned: Any, meaning: Any) -> Any:
        if not self.prior_share:
            return learned
        share = self.prior_share
        meaning = tf.math.l2_normalize(meaning, axis=-1)
        return tf.concat([learned * np.float32((1 - share) ** 0.5), meaning * np.float32(share**0.5)], axis=-1)


def _omit(x: Any, rate: float, seed: Any) -> Any:
    kept = tf.random.stateless_uniform(tf.shape(x)[:1], seed) >= rate
    return x * tf.cast(kept, x.dtype)[:, None]
