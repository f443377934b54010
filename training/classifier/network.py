"""The network in its three forms: a trunk and a head to train, and the two joined for deployment.

Keras layers only, no operation of one backend.
"""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from relevance.images import Size
from training.classifier.backbones import Backbone, build, find


@dataclass(frozen=True)
class Network:
    """trunk: photos uint8 `[b, height, width, 3]` to features `[b, f]`; head: features to the dict of `logits` `[b, c]`
    and `projection` `[b, dim]`; base: the backbone inside the trunk."""

    trunk: Any
    head: Any
    base: Any
    image_size: Size


def make_network(name: str, image_size: Size, weights: str | None, prior: NDArray[np.float64]) -> Network:
    """prior: share of each class `[c]`; the last bias starts from its logarithm, so that the first steps are not spent
    on learning how often each class occurs (Menon et al., "Long-tail learning via logit adjustment", ICLR 2021)."""
    backbone = find(name)
    base = build(name, image_size, weights)
    photos = keras.Input((*image_size, 3), dtype="uint8", name="photos")
    scaled = layers.Rescaling(1 / 127.5, offset=-1.0)(photos) if backbone.signed else layers.Rescaling(1.0)(photos)
    trunk = keras.Model(photos, layers.GlobalAveragePooling2D()(base(scaled)), name="trunk")
    return Network(trunk, _head(trunk.output.shape[-1], backbone, prior), base, image_size)


def _head(features: int, backbone: Backbone, prior: NDArray[np.float64]) -> Any:
    pooled = keras.Input((features,), name="features")
    x = layers.Dropout(backbone.dropout)(pooled)
    # Centred, so that the angle between two embeddings is not dominated by what all photos share.
    projection = layers.BatchNormalization(momentum=0.9)(layers.Dense(backbone.embedding_dim, use_bias=False)(x))
    start = np.log(prior).astype(np.float32)
    logits = layers.Dense(len(prior), name="classes")(layers.Dropout(backbone.dropout)(projection))
    head = keras.Model(pooled, {"logits": logits, "projection": projection}, name="head")
    classes = head.get_layer("classes")
    classes.bias.assign(start)
    return head


def training_model(network: Network) -> Any:
    """Photos to logits."""
    return keras.Model(network.trunk.input, network.head(network.trunk.output)["logits"])


def fine_tune(network: Network, first: str) -> None:
    """Makes a pretrained base trainable from the first layer whose name starts with `first`; all of it for "".

    Batch normalisation stays as it came, in inference mode: the statistics of small batches of another domain only make
    it worse. (A layer that is not trainable is the way to say so: in a nested Keras 3 model, `training=False` at the
    call is overruled by `fit`.)
    """
    network.base.trainable = True
    reached = not first
    for layer in network.base.layers:
        reached = reached or layer.name.startswith(first)
        layer.trainable = reached and not isinstance(layer, layers.BatchNormalization)


def deployable(network: Network, temperature: float) -> Any:
    """Photos uint8 `[b, height, width, 3]` to the dict of `probabilities` `[b, c]` (calibrated), `embedding`
    `[b, dim]` (unit length) and `features` `[b, f]`."""
    photos = keras.Input((*network.image_size, 3), dtype="uint8", name="photos")
    features = layers.Activation("linear", name="features")(network.trunk(photos))
    out = network.head(features)
    calibrated = layers.Softmax(name="probabilities")(layers.Rescaling(1 / temperature)(out["logits"]))
    embedding = layers.UnitNormalization(name="embedding")(out["projection"])
    return keras.Model(
        photos, {"embedding": embedding, "features": features, "probabilities": calibrated}, name="image_encoder"
    )
