"""The towers: a query, a listing and a category each become one unit vector of the same space.

All text goes through one embedding table; a tower adds what else it knows (category words, photo, price), then one
residual layer, then L2 normalisation. Needs tf-keras: TensorFlow Recommenders refuses Keras 3.
"""

from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs
import tf_keras
from numpy.typing import NDArray

Tensors = dict[str, Any]


class TextBag(tf_keras.layers.Layer):
    """The weighted sum of a text's feature embeddings: (ids int32 `[b, l]`, weights float32 `[b, l]`) -> `[b, dim]`."""

    def __init__(self, table: NDArray[np.float32]) -> None:
        super().__init__(name="text_bag")
        self.table = self.add_weight(name="table", shape=table.shape, initializer=tf_keras.initializers.Constant(table))

    def call(self, ids: Any, weights: Any) -> Any:
        return tf.reduce_sum(tf.gather(self.table, ids) * weights[:, :, None], axis=1)


class Head(tf_keras.layers.Layer):
    """x -> L2(x + W2 relu(W1 x)); W2 starts at zero, so that training starts from the plain sum."""

    def __init__(self, dim: int, name: str) -> None:
        super().__init__(name=name)
        self.inner = tf_keras.layers.Dense(2 * dim, activation="relu")
        self.outer = tf_keras.layers.Dense(dim, kernel_initializer="zeros", use_bias=False)

    def call(self, x: Any) -> Any:
        return tf.math.l2_normalize(x + self.outer(self.inner(x)), axis=-1)


class Towers(tf_keras.Model):
    """The three towers over one text table."""

    def __init__(self, table: NDArray[np.float32]) -> None:
        super().__init__(name="towers")
        dim = table.shape[1]
        self.text = TextBag(table)
        self.query_head = Head(dim, "query_head")
        self.listing_head = Head(dim, "listing_head")
        self.category_head = Head(dim, "category_head")
        self.visual = tf_keras.layers.Dense(dim, use_bias=False, name="visual")
        self.price = tf_keras.layers.Dense(dim, use_bias=False, name="price")

    def query(self, ids: Any, weights: Any) -> Any:
        """ids, weights `[b, query_features]` -> `[b, dim]`."""
        return self.query_head(self.text(ids, weights))

    def category(self, ids: Any, weights: Any) -> Any:
        """ids, weights of the path's words `[b, category_features]` -> `[b, dim]`."""
        return self.category_head(self.text(ids, weights))

    def listing(self, features: Tensors, training: bool = False, category: Any = None) -> Any:
        """A listing's text, category words, photo and price -> `[b, dim]`. In training each part is left out now and
        then, because in the catalogue each part is missing now and then. category: the bags of the listings' category
        words `[b, dim]`, where they are at hand already."""
        text = self.text(features["text_ids"], features["text_weights"])
        if category is None:
            category = self.text(features["category_ids"], features["category_weights"])
        visual = self.visual(features["visual"])
        if training:
            text, category, visual = _omit(text, 0.1), _omit(category, 0.25), _omit(visual, 0.25)
        return self.listing_head(text + category + visual + self.price(features["price"]))


def _omit(x: Any, rate: float) -> Any:
    kept = tf.random.uniform(tf.shape(x)[:1]) >= rate
    return x * tf.cast(kept, x.dtype)[:, None]


class RetrievalModel(tfrs.Model):
    """Query→listing through the sampled softmax of TensorFlow Recommenders (logQ-corrected, accidental hits removed),
    query→category and listing→category through a full softmax over the ontology.

    The candidates of a batch are its own listings, uniformly drawn ones (mixed negatives, Yang et al., WWW 2020)
    and mined hard ones (Huang et al., "Embedding-based Retrieval in Facebook Search", KDD 2020).
    """

    def __init__(self, towers: Towers, features: "Features", temperature: float) -> None:
        super().__init__()
        self.towers = towers
        self.features = features
        self.temperature = temperature
        self.retrieval = tfrs.tasks.Retrieval(temperature=temperature, remove_accidental_hits=True)

    def compute_loss(self, inputs: Tensors, training: bool = False) -> Any:
        features, towers = self.features, self.towers
        candidates = tf.concat([inputs["listing"], inputs["negative"]], axis=0)
        labels = tf.gather(features.listing_category, candidates)
        ids, weights = features.query(inputs["query"])
        query = towers.query(ids, self._forget_words(ids, weights) if training else weights)
        # The words of each category are summed once, and not again for each of its listings.
        paths = towers.text(features.category_ids, features.category_weights)
        known = tf.cast(labels >= 0, tf.float32)[:, None]
        own = tf.gather(paths, tf.maximum(labels, 0)) * known
        listing = towers.listing(features.listing(candidates), training=training, category=own)
        category = towers.category_head(paths)
        retrieval = self.retrieval(
            query,
            listing,
            sample_weight=inputs["weight"],
            candidate_sampling_probability=inputs["probability"],
            candidate_ids=candidates,
            compute_metrics=False,
            compute_batch_metrics=False,
        )
        batch = tf.shape(query)[0]
        by_query = self._category_loss(query, category, labels[:batch], inputs["weight"])
        by_listing = self._category_loss(listing, category, labels, tf.ones_like(labels, tf.float32))
        # The retrieval task sums over the batch; the category losses are summed alike.
        return retrieval + by_query + 0.3 * by_listing

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)])
    def encode_queries(self, rows: Any) -> Any:
        """Rows of queries int32 `[b]` -> `[b, dim]`."""
        return self.towers.query(*self.features.query(rows))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)])
    def encode_listings(self, rows: Any) -> Any:
        """Rows of listings int32 `[b]` -> `[b, dim]`."""
        return self.towers.listing(self.features.listing(rows, path=True))

    def _forget_words(self, ids: Any, weights: Any) -> Any:
        """For a quarter of the queries only the n-grams are left of the known words: they have to do alone where a
        word is misspelt."""
        forgotten = tf.random.uniform(tf.shape(ids)[:1]) < 0.25
        word = ids < self.features.first_ngram
        return tf.where(word & forgotten[:, None], 0.0, weights)

    def _category_loss(self, embeddings: Any, category: Any, labels: Any, weight: Any) -> Any:
        logits = tf.matmul(embeddings, category, transpose_b=True) / self.temperature
        known = tf.cast(labels >= 0, tf.float32)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.maximum(labels, 0), logits)
        return tf.reduce_sum(losses * known * weight)


class Features:
    """Everything the towers read, as constants indexed by row: no string is touched in a training step. Ids below
    `first_ngram` are words and word pairs."""

    def __init__(self, arrays: dict[str, NDArray[Any]], first_ngram: int) -> None:
        constants = {name: tf.constant(array) for name, array in arrays.items()}
        self.query_ids, self.query_weights = constants["query_ids"], constants["query_weights"]
        self.category_ids, self.category_weights = constants["path_ids"], constants["path_weights"]
        self.listing_category = constants["listing_category"]
        self.first_ngram = first_ngram
        self._listing = {name: constants[name] for name in ("text_ids", "text_weights", "visual", "price")}
        self._path = {name: constants[name] for name in ("category_ids", "category_weights")}

    def query(self, rows: Any) -> tuple[Any, Any]:
        return tf.gather(self.query_ids, rows), tf.gather(self.query_weights, rows)

    def listing(self, rows: Any, *, path: bool = False) -> Tensors:
        parts = self._listing | self._path if path else self._listing
        return {name: tf.gather(values, rows) for name, values in parts.items()}
