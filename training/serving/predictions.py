"""A photo model as one TensorFlow function: bytes in, names out.

Mental model: what `relevance.photos.model.PhotoModel` does with arrays, as a graph, with the decoding before it.
"""

from typing import Any

import numpy as np
import tensorflow as tf

from relevance.attributes import AttributeModel, output_name
from relevance.photos.model import PhotoModel
from training.serving.decoding import decode_batch
from training.serving.networks import Networks

BAD_PHOTO = "not a photo that can be decoded"


class Predictions(tf.Module):
    """networks: those behind `model`; k: categories of an answer, at most."""

    def __init__(self, model: PhotoModel, networks: Networks, k: int) -> None:
        super().__init__(name="photos")
        self._model, self._networks = model, networks
        self._k = min(k, len(model.classifier.class_positions))
        self._saved = [networks.general, *(group.network for group in networks.groups), *networks.chains]

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="photo_bytes")])
    def serve(self, photo_bytes: Any) -> dict[str, Any]:
        """string `[n]` to `categories` and `paths` string `[n, k]`, `probabilities` float32 `[n, k]`, `embedding`
        float32 `[n, dim]`, and for each attribute `attribute_value_NAME` string `[n]` ("" where no chain was triggered)
        and `attribute_probability_NAME` float32 `[n]`. `error` string `[n]` is "" for a photo; for what is none it is
        not, and everything else is empty or 0."""
        photos, usable = decode_batch(photo_bytes, self._model.image_size)
        encoded = self._networks.encoded(photos)
        outputs = {
            **self._categories(encoded["probabilities"]),
            "embedding": encoded["embedding"],
            **self._attributes(photos, encoded),
        }
        known = {name: _blank_where_not(usable, output) for name, output in outputs.items()}
        return known | {"error": tf.where(usable, "", BAD_PHOTO)}

    def _categories(self, probabilities: Any) -> dict[str, Any]:
        ontology, classes = self._model.ontology, self._model.classifier.class_positions.tolist()
        best, columns = tf.math.top_k(probabilities, self._k)
        return {
            "categories": tf.gather(tf.constant([ontology.ids[i] for i in classes]), columns),
            "paths": tf.gather(tf.constant([ontology.path_text(i) for i in classes]), columns),
            "probabilities": best,
        }

    def _attributes(self, photos: Any, encoded: dict[str, Any]) -> dict[str, Any]:
        """Of several chains that tell the same attribute, the one of the highest rank is believed."""
        told: dict[str, list[tuple[Any, Any, Any]]] = {}
        for chain, network in zip(self._model.chains, self._networks.chains, strict=True):
            rank = self._rank(chain, encoded["probabilities"])
            answers = network(photos if chain.reads_photos else encoded["features"], training=False)
            for i, (name, values) in enumerate(chain.values.items()):
                likely = answers[output_name(i)]
                value = tf.gather(tf.constant(values), tf.argmax(likely, axis=1))
                told.setdefault(name, []).append((rank, value, tf.reduce_max(likely, axis=1)))
        outputs: dict[str, Any] = {}
        for name, answers in told.items():
            value, probability = _believed(*map(tf.stack, zip(*answers, strict=True)))
            outputs |= {f"attribute_value_{name}": value, f"attribute_probability_{name}": probability}
        return outputs

    def _rank(self, chain: AttributeModel, probabilities: Any) -> Any:
        """float32 `[n]`: -1 where the chain is not triggered, else the depth of its category and its probability."""
        if chain.under is None:
            return tf.zeros(tf.shape(probabilities)[:1])
        ontology = self._model.ontology
        member = ontology.is_under(self._model.classifier.class_positions, chain.under).astype(np.float32)
        probability = tf.linalg.matvec(probabilities, member)
        return tf.where(probability >= chain.threshold, float(ontology.depth[chain.under]) + probability, -1.0)


def _believed(ranks: Any, values: Any, probabilities: Any) -> tuple[Any, Any]:
    """Each `[chains, n]`; the value and probability of the chain of the highest rank, `[n]`; "" and 0 where none is
    triggered."""
    best = tf.argmax(ranks, axis=0)
    triggered = tf.reduce_max(ranks, axis=0) >= 0
    value, probability = (tf.gather(tf.transpose(one), best, batch_dims=1) for one in (values, probabilities))
    return tf.where(triggered, value, ""), tf.where(triggered, probability, 0.0)


def _blank_where_not(usable: Any, output: Any) -> Any:
    """The output, with "" or 0 in the rows that are not usable."""
    rows = usable if len(output.shape) == 1 else usable[:, None]
    return tf.where(rows, output, tf.zeros_like(output))
