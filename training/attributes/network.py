"""The network of an attribute model: one head of several outputs over the classifier's features.

Keras layers only, no operation of one backend.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from relevance.attributes import output_name


class MaskedCrossEntropy(keras.losses.Loss):
    """Cross-entropy of integer labels `[b, attributes]` under joined logits `[b, sum of values]`: the sum over the
    attributes that a listing gives, divided by the number of attributes. A negative label adds nothing.

    priors: for each attribute, the share of each value `[values]`. adjustment τ: τ·log prior is added to the logits in
    training, so that the logits themselves lean less to frequent values (Menon et al., "Long-tail learning via logit
    adjustment", ICLR 2021).
    """

    def __init__(self, priors: Sequence[NDArray[np.float64]], adjustment: float) -> None:
        super().__init__(name="masked_cross_entropy")
        self._shifts = [(adjustment * np.log(prior)).astype(np.float32) for prior in priors]

    def call(self, y_true: Any, y_pred: Any) -> Any:
        labels = ops.cast(y_true, "int32")
        ends = np.cumsum([len(shift) for shift in self._shifts]).tolist()
        losses = []
        for i, (shift, end) in enumerate(zip(self._shifts, ends, strict=True)):
            logits = ops.cast(y_pred[:, end - len(shift) : end], "float32") + shift
            given = ops.cast(labels[:, i] >= 0, "float32")
            label = ops.maximum(labels[:, i], 0)
            losses.append(given * ops.sparse_categorical_crossentropy(label, logits, from_logits=True))
        return sum(losses) / len(losses)


def make_head(features: int, priors: Sequence[NDArray[np.float64]], hidden: int, dropout: float, seed: int) -> Any:
    """Features float32 `[b, f]` to a dict of logits `[b, values]`, one entry an attribute (see `output_name`).

    hidden: units of the layer that the attributes share, 0 for none. The last biases start from the logarithm of the
    priors, so that the first steps are not spent on learning how often each value occurs.
    """
    pooled = keras.Input((features,), name="features")
    # The stages differ in scale; centred and scaled, none drowns the others. What hardly ever varies is not blown up.
    x = layers.Dropout(dropout, seed=seed)(layers.BatchNormalization(momentum=0.95, epsilon=1e-2)(pooled))
    if hidden:
        x = layers.Dropout(dropout, seed=seed + 1)(layers.Dense(hidden, "relu")(x))
    heads = [layers.Dense(len(prior), name=output_name(i)) for i, prior in enumerate(priors)]
    model = keras.Model(pooled, {head.name: head(x) for head in heads}, name="attributes")
    for head, prior in zip(heads, priors, strict=True):
        head.bias.assign(np.log(prior).astype(np.float32))
    return model


def joined(head: Any, inputs: Any, features: Any) -> Any:
    """A model of `inputs` to the logits of all attributes side by side, `[b, sum of values]`."""
    logits = head(features)
    parts = [logits[name] for name in sorted(logits)]
    return keras.Model(inputs, layers.Concatenate()(parts) if len(parts) > 1 else parts[0])


def deployable(head: Any, inputs: Any, features: Any, temperatures: Sequence[float]) -> Any:
    """A model of `inputs` to a dict of calibrated probabilities `[b, values]`, one entry an attribute."""
    logits = head(features)
    outputs = {}
    for name, temperature in zip(sorted(logits), temperatures, strict=True):
        cooled = layers.Rescaling(1 / temperature)(logits[name])
        outputs[name] = layers.Softmax(name=name)(cooled)
    return keras.Model(inputs, outputs, name="attributes")
