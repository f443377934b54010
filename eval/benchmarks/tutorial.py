"""The two-tower model of TensorFlow Recommenders' tutorial "Recommending movies: retrieval"
(https://www.tensorflow.org/recommenders/examples/basic_retrieval), with queries for users and listings for movies.

An embedding of 32 for each query text and each listing id, `tfrs.tasks.Retrieval` with FactorizedTopK metrics,
Adagrad at 0.1, batches of 8192. All queries that training has not seen share one embedding, which is not trained; a
listing that nobody chose keeps its starting vector.
"""

import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"  # before TensorFlow: TensorFlow Recommenders needs tf-keras
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs
import tf_keras
from numpy.typing import NDArray

from relevance.timing import Seconds, Stopwatch

DIM = 32
BATCH = 8192
RATE = 0.1
EPOCHS = 3
"""As many as the tutorial trains."""


class Tutorial(tfrs.Model):  # type: ignore[misc]  # TensorFlow Recommenders has no types
    """metrics: whether recall over all listings is computed at every training step, as the tutorial does."""

    def __init__(self, queries: Sequence[str], listings: Sequence[str], metrics: bool) -> None:
        super().__init__()
        self.queries = _embedding(sorted(set(queries)))
        self.listings = _embedding(listings)
        self.compute_metrics = metrics
        candidates = tf.data.Dataset.from_tensor_slices(list(listings)).batch(128).map(self.listings)
        self.task = tfrs.tasks.Retrieval(metrics=tfrs.metrics.FactorizedTopK(candidates=candidates))

    def compute_loss(self, inputs: dict[str, Any], training: bool = False) -> Any:
        """inputs: texts of queries and ids of the listings chosen for them, both `[b]`."""
        query, listing = self.queries(inputs["query"]), self.listings(inputs["listing"])
        return self.task(query, listing, compute_metrics=self.compute_metrics)

    def encode(
        self, queries: Sequence[str], listings: Sequence[str]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Returns the embeddings of query texts and listing ids, float32 `[n, DIM]` each."""
        towers = ((self.queries, queries), (self.listings, listings))
        first, second = (np.asarray(tower(tf.constant(list(names))).numpy(), np.float32) for tower, names in towers)
        return first, second


def _embedding(vocabulary: Sequence[str]) -> Any:
    layers = tf_keras.layers
    lookup = layers.StringLookup(vocabulary=list(vocabulary), mask_token=None)
    return tf_keras.Sequential([lookup, layers.Embedding(len(vocabulary) + 1, DIM)])


def train(
    queries: Sequence[str], chosen: Sequence[str], listings: Sequence[str], *, metrics: bool, seed: int = 0
) -> Iterator[tuple[Tutorial, Seconds]]:
    """Trains on the pairs (queries, chosen), both `[n]`, and yields the model after each epoch, for ever, with the time
    that training has taken so far; what the caller does in between is not counted."""
    tf_keras.utils.disable_interactive_logging()
    tf_keras.utils.set_random_seed(seed)
    watch = Stopwatch()
    model = Tutorial(queries, listings, metrics)
    model.compile(optimizer=tf_keras.optimizers.Adagrad(learning_rate=RATE))
    pairs = tf.data.Dataset.from_tensor_slices({"query": list(queries), "listing": list(chosen)})
    batches = pairs.shuffle(100_000).batch(BATCH).cache()
    while True:
        model.fit(batches, epochs=1, verbose=0)
        seconds = watch.seconds
        with watch.paused():
            yield model, seconds
