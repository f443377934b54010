"""The two retrieval layers of TensorFlow Recommenders, as its tutorial "Efficient serving" builds and saves them
(https://www.tensorflow.org/recommenders/examples/efficient_serving).

The query model is of the tutorial's form too, an embedding for each query text, and holds the vectors that the towers
give: so the layers answer from the text what they answer from its vector, with the cheapest model there is. It knows
these texts alone. Called are signatures, which take two thirds of the time of a call of the loaded object.
"""

import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"  # before TensorFlow: TensorFlow Recommenders needs tf-keras
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs
import tf_keras
from numpy.typing import NDArray
from scann import scann_ops


def brute_force(vectors: NDArray[np.float32], k: int) -> Any:
    """Returns the layer that multiplies a query with all `vectors`, `[n, dim]`."""
    return tfrs.layers.factorized_top_k.BruteForce(k=k).index(tf.constant(vectors))


def scann(vectors: NDArray[np.float32], k: int, **settings: int) -> Any:
    """Returns the ScaNN layer over `vectors`, `[n, dim]`; settings: those of the layer, its defaults for the others."""
    return tfrs.layers.factorized_top_k.ScaNN(k=k, **settings).index(tf.constant(vectors))


def search_leaves(layer: Any, queries: NDArray[np.float32], k: int, leaves: int) -> NDArray[np.int64]:
    """Returns rows `[q, k]` as a ScaNN layer would find them that searched so many leaves."""
    # The layer itself only searches as many as it was built with.
    searcher = scann_ops.searcher_from_module(layer._serialized_searcher)
    found = searcher.search_batched(tf.constant(queries), final_num_neighbors=k, leaves_to_search=leaves)
    return np.asarray(found.indices.numpy(), np.int64)


class Served(tf.Module):  # type: ignore[misc]  # TensorFlow has no types
    """A layer that answers from query texts and from vectors: both give the rows nearest to each."""

    def __init__(self, layer: Any, texts: Sequence[str], queries: NDArray[np.float32]) -> None:
        super().__init__()
        dim = queries.shape[1]
        unknown_first = np.concatenate([np.zeros((1, dim), np.float32), queries])
        lookup = tf_keras.layers.StringLookup(vocabulary=list(texts), mask_token=None)
        embedding = tf_keras.layers.Embedding(*unknown_first.shape, weights=[unknown_first])
        self.layer = layer
        self.model = tf_keras.Sequential([lookup, embedding])
        texts_in, vectors_in = tf.TensorSpec([None], tf.string), tf.TensorSpec([None, dim], tf.float32)
        self.vector = tf.function(lambda query: {"rows": layer(query)[1]}, input_signature=[vectors_in])
        self.text = tf.function(lambda query: {"rows": layer(self.model(query))[1]}, input_signature=[texts_in])


def save(layer: Any, folder: Path, texts: Sequence[str], queries: NDArray[np.float32]) -> None:
    """Writes a layer as a SavedModel that knows the query texts by their vectors, `[q, dim]`."""
    served = Served(layer, texts, queries)
    options = tf.saved_model.SaveOptions(namespace_whitelist=["Scann"])
    signatures = {"text": served.text, "vector": served.vector}
    tf.saved_model.save(served, str(folder), signatures=signatures, options=options)


class Saved:
    """What `save` wrote."""

    def __init__(self, folder: Path) -> None:
        self._model = tf.saved_model.load(str(folder))  # signatures do not keep it alive
        self._text, self._vector = (self._model.signatures[name] for name in ("text", "vector"))

    def from_text(self, text: str) -> NDArray[np.int32]:
        """Returns the rows nearest to a query."""
        return self._rows(self._text, tf.constant([text]))

    def from_vector(self, query: NDArray[np.float32]) -> NDArray[np.int32]:
        """Returns the rows nearest to a vector, `[dim]`."""
        return self._rows(self._vector, tf.constant(query[None]))

    def _rows(self, signature: Any, queries: Any) -> NDArray[np.int32]:
        rows: NDArray[np.int32] = signature(query=queries)["rows"][0].numpy()
        return rows
