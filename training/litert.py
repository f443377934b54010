"""Keras models to what the runtime reads."""

import tempfile
from typing import Any


def to_litert(model: Any) -> bytes:
    """A Keras model with named inputs and outputs as LiteRT, float32, any batch size."""
    import tensorflow as tf  # the one step that needs the TensorFlow backend

    with tempfile.TemporaryDirectory() as saved:
        model.export(saved, format="tf_saved_model", verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(saved, signature_keys=["serving_default"])
        return bytes(converter.convert())
