"""What the towers learn: to find the chosen listing, the chosen category, and that there is nothing to find."""

from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs
from numpy.typing import NDArray

from training.towers.bags import KINDS, Bags
from training.towers.model import Tensors, Towers
from training.towers.options import Options

_READINGS = np.array([[1, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1], [1, 1, 1, 0], [1, 1, 0, 1]], np.float32)
_SHARES = np.array([0.5, 0.7, 0.8, 0.9], np.float32)
"""How a training query is read: which kinds of its features are left (words, pairs, n-grams, pieces), and where the
shares of these readings end on [0, 1). Half of the queries are read in full; of the others only n-grams and pieces are
left (they have to do where a word is misspelt), or only pieces (a word never seen), or all but pieces, or all but
n-grams."""

_SPARED = _READINGS[[1, 0]]
"""What is read of a query of which its reading would leave nothing, as there is no text prior or it has none of its
words: n-grams, and where there are none, all. The gradient of an empty query would be larger than all others."""


class Features:
    """Everything the towers read, as constants indexed by row: no string is touched in a training step."""

    def __init__(self, queries: Bags, texts: Bags, paths: Bags, arrays: dict[str, NDArray[Any]]) -> None:
        """arrays: listing_category int32 `[listings]`, visual float32 `[listings, visual_dim]`, price float32
        `[listings, 2]`."""
        self.queries, self.texts, self.paths = queries, texts, paths
        self.categories = len(paths)
        self._arrays = {name: tf.constant(array) for name, array in arrays.items()}
        self.listing_category = self._arrays.pop("listing_category")

    @property
    def arrays(self) -> list[NDArray[Any]]:
        """All of it."""
        texts = [array for bags in (self.queries, self.texts, self.paths) for array in bags.arrays]
        return [*texts, self.listing_category.numpy(), *(values.numpy() for values in self._arrays.values())]

    def listing(self, rows: Any) -> Tensors:
        """Photo and price of the listings at rows int32 `[b]`."""
        return {name: tf.gather(values, rows) for name, values in self._arrays.items()}


class RetrievalModel(tfrs.Model):
    """Query→listing through the sampled softmax of TensorFlow Recommenders (logQ-corrected, accidental hits removed),
    query→category and listing→category through a full softmax over the ontology and one place more, for queries that
    nothing answers.

    The candidates of a batch are its own listings, uniformly drawn ones (mixed negatives, Yang et al., WWW 2020)
    and mined hard ones (Huang et al., "Embedding-based Retrieval in Facebook Search", KDD 2020).
    """

    def __init__(self, towers: Towers, features: Features, options: Options) -> None:
        super().__init__()
        self.towers = towers
        self.features = features
        self.options = options
        self.retrieval = tfrs.tasks.Retrieval(temperature=options.temperature, remove_accidental_hits=True)

    def compute_loss(self, inputs: Tensors, training: bool = False) -> Any:
        """inputs: rows int32 of query `[b]`, listing `[b]`, negative `[m]` (listings) and absent `[a]` (queries that
        nothing answers), weight float32 `[b]`, probability float32 `[b + m]` of each candidate to be one; step int64,
        the number by which this step's draws are told from others'."""
        features, towers, options = self.features, self.towers, self.options
        candidates = tf.concat([inputs["listing"], inputs["negative"]], axis=0)
        labels = tf.gather(features.listing_category, candidates)
        seed = tf.stack([np.int64(options.seed), inputs["step"]]) if training else None
        queries = tf.concat([inputs["query"], inputs["absent"]], axis=0)
        query, text, paths = self._texts(queries, candidates, seed if options.readings else None)
        own = tf.gather(paths, tf.maximum(labels, 0)) * tf.cast(labels >= 0, tf.float32)[:, None]
        listing = towers.listing(text, own, features.listing(candidates), seed if options.dropout else None)
        category = tf.concat([towers.category_head(paths), towers.nothing_vector()], axis=0)
        query, absent = tf.split(towers.query_head(query), [tf.shape(inputs["query"])[0], -1])
        retrieval = self.retrieval(
            query,
            listing,
            sample_weight=inputs["weight"],
            candidate_sampling_probability=_scaled(inputs["probability"]) if options.log_q else None,
            candidate_ids=candidates,
            compute_metrics=False,
            compute_batch_metrics=False,
        )
        by_query = self._category_loss(query, category, labels[: tf.shape(query)[0]], inputs["weight"])
        by_listing = self._category_loss(listing, category, labels)
        nothing = self._category_loss(absent, category, tf.fill(tf.shape(absent)[:1], features.categories))
        # The retrieval task sums over the batch; the category losses are summed alike.
        categories = options.by_query * by_query + options.by_listing * by_listing
        return retrieval + categories + options.absent_weight * nothing

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)])
    def encode_queries(self, rows: Any) -> Any:
        """What was learned of queries at rows int32 `[b]` -> `[b, dim]`."""
        return self.towers.query_head(self.towers.text(self.features.queries.take(rows)))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)])
    def encode_listings(self, rows: Any) -> Any:
        """What was learned of listings at rows int32 `[b]` -> `[b, dim]`."""
        features, towers = self.features, self.towers
        labels = tf.gather(features.listing_category, rows)
        paths = towers.text(features.paths.take(tf.maximum(labels, 0))) * tf.cast(labels >= 0, tf.float32)[:, None]
        return towers.listing(towers.text(features.texts.take(rows)), paths, features.listing(rows))

    def _texts(self, queries: Any, candidates: Any, seed: Any) -> Any:
        """The bags of queries, listings and all categories `[b, dim]`, from one lookup: one gradient for the table.
        The words of each category are summed once, and not again for each of its listings."""
        features = self.features
        n, m, k = tf.shape(queries)[0], tf.shape(candidates)[0], features.categories
        bags = (features.queries.take(queries), features.texts.take(candidates), features.paths.take(tf.range(k)))
        together = [tf.concat(parts, axis=0) for parts in zip(*bags, strict=True)]
        kept = None if seed is None else tf.concat([_kept(*bags[0], seed), tf.ones((m + k, KINDS + 1))], axis=0)
        return tf.split(self.towers.text(together, kept), [n, m, k])

    def _category_loss(self, embeddings: Any, category: Any, labels: Any, weight: Any = 1.0) -> Any:
        logits = tf.matmul(embeddings, category, transpose_b=True) / self.options.temperature
        known = tf.cast(labels >= 0, tf.float32)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.maximum(labels, 0), logits)
        return tf.reduce_sum(losses * known * weight)


def _scaled(probability: Any) -> Any:
    """In proportion, and at most 1, which leaves the softmax as it is: the retrieval task takes whatever is below 1e-6
    for that, as it would be in a catalogue of a million."""
    return probability / tf.reduce_max(probability)


def _kept(features: Any, pieces: Any, seed: Any) -> Any:
    """A reading for each of the queries whose bags these are (see `Bags.take`), float32 `[n, KINDS + 1]`: 0 for a kind
    that is left out."""
    lengths = tf.concat([tf.reshape(features.row_lengths(), [-1, KINDS]), pieces.row_lengths()[:, None]], axis=1)
    there = tf.cast(lengths > 0, tf.float32)
    drawn = tf.random.stateless_uniform(tf.shape(there)[:1], seed)
    kept = tf.gather(tf.constant(_READINGS), tf.searchsorted(tf.constant(_SHARES), drawn, side="right"))
    for spared in _SPARED:
        kept = tf.where(tf.reduce_any(kept * there > 0, axis=1, keepdims=True), kept, spared)
    return kept
