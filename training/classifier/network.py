"""The network in its three forms: a trunk and a head to train, and the two joined for deployment.

Keras layers only, no operation of one backend.
"""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from relevance.errors import DataError
from relevance.images import Size
from training.classifier.augment import Augment
from training.classifier.backbones import Backbone, build, find

STAGES = 3
"""How many of the backbone's resolutions, from the last, are pooled into the features: the last alone forgets colour
and texture, which attributes need."""


@dataclass(frozen=True)
class Network:
    """name: of the backbone; trunk: photos uint8 `[b, height, width, 3]` to features `[b, f]`; head: features to the
    dict of `logits` `[b, c]` and `projection` `[b, dim]`; base: the backbone inside the trunk, from scaled photos."""

    name: str
    trunk: Any
    head: Any
    base: Any
    image_size: Size


def make_network(name: str, image_size: Size, weights: str | None, prior: NDArray[np.float64], seed: int) -> Network:
    """prior: share of each class `[c]`; the last bias starts from its logarithm, so that the first steps are not spent
    on learning how often each class occurs."""
    photos = keras.Input((*image_size, 3), dtype="uint8", name="photos")
    trunk, base = _trunk(name, photos, weights, "trunk")
    return Network(name, trunk, _head(trunk.output.shape[-1], find(name), prior, seed), base, image_size)


def _trunk(name: str, photos: Any, weights: str | None, own_name: str) -> tuple[Any, Any]:
    """Of the backbone `name`, from the input `photos`: the trunk, to be called `own_name`, and its base."""
    base = build(name, photos.shape[1:3], weights)
    maps = [base.get_layer(layer).output for layer in stage_ends(base)[-STAGES:]]
    pooled = layers.Concatenate()([layers.GlobalAveragePooling2D()(one) for one in maps])
    base = keras.Model(base.input, pooled, name="base")
    scaled = layers.Rescaling(*find(name).scaling)(photos)
    return keras.Model(photos, base(scaled), name=own_name), base


def stage_ends(base: Any) -> list[str]:
    """The last layer of each resolution of a backbone, by name, finest first. What is coarser than the last map of all
    weighs channels (squeeze and excitation), and is no map of the photo."""
    ends: dict[tuple[int, int], str] = {}
    last = (0, 0)
    for layer in base.layers:
        shape: Any = getattr(layer.output, "shape", ())
        if len(shape) == 4 and not isinstance(layer, layers.InputLayer | layers.ZeroPadding2D | layers.Cropping2D):
            last = shape[1], shape[2]
            ends[last] = layer.name
    return [ends[size] for size in sorted(ends, reverse=True) if min(np.subtract(size, last)) >= 0]


def _head(features: int, backbone: Backbone, prior: NDArray[np.float64], seed: int) -> Any:
    pooled = keras.Input((features,), name="features")
    # The stages differ in scale; centred and scaled, none drowns the others. What hardly ever varies is not blown up.
    x = layers.BatchNormalization(momentum=0.95, epsilon=1e-2)(pooled)
    x = layers.Dropout(backbone.dropout, seed=seed)(x)
    # Centred, so that the angle between two embeddings is not dominated by what all photos share.
    projection = layers.BatchNormalization(momentum=0.9, name="projection")(
        layers.Dense(backbone.embedding_dim, use_bias=False)(x)
    )
    dropped = layers.Dropout(backbone.dropout, seed=seed + 1)(projection)
    logits = layers.Dense(len(prior), name="classes", dtype="float32")(dropped)
    head = keras.Model(pooled, {"logits": logits, "projection": projection}, name="head")
    head.get_layer("classes").bias.assign(np.log(prior).astype(np.float32))
    return head


def training_model(network: Network, seed: int, variation: float = 1.0) -> Any:
    """Photos, changed anew at each look in training, to logits. variation: see :class:`Augment`."""
    photos = network.trunk.input
    changed = Augment(seed, variation, dtype="float32")(layers.Rescaling(1.0, dtype="float32")(photos))
    return keras.Model(photos, network.head(network.trunk(changed))["logits"])


def fine_tune(network: Network, first: str) -> None:
    """Makes a pretrained base trainable from the first layer whose name starts with `first`; all of it for "".

    Batch normalisation stays as it is, in inference mode: the statistics of small batches of another domain only make
    it worse, and in the head they would belong to other weights than the averaged ones that are kept. (A layer that is
    not trainable is the way to say so: in a nested Keras 3 model, `training=False` at the call is overruled by `fit`.)
    """
    # False first: where layers were frozen one by one, True alone leaves them frozen (Keras 3.15).
    network.base.trainable = False
    network.base.trainable = True
    reached = not first
    for layer in network.base.layers:
        reached = reached or layer.name.startswith(first)
        layer.trainable = reached and not isinstance(layer, layers.BatchNormalization)
    for layer in network.head.layers:
        layer.trainable = not isinstance(layer, layers.BatchNormalization)
    if not reached:
        raise ValueError(f"the backbone has no layer whose name starts with {first!r}")


def refuse_unknown_layer(network: Network, first: str) -> None:
    """Raises DataError where no layer's name starts with `first`: to know it before hours of work."""
    if first and not any(layer.name.startswith(first) for layer in network.base.layers):
        raise DataError(
            f"--fine-tune-from: expected the start of a layer's name, such as {', '.join(stage_ends(network.base))}, "
            f"or nothing for all layers; found {first!r}"
        )


def blocks(network: Network, first: str) -> list[str]:
    """Where training may begin, for :func:`fine_tune`, the last block of the backbone first and `first` at the end: a
    block ends where the resolution does."""
    names = [layer.name for layer in network.base.layers]
    start = next((at for at, name in enumerate(names) if name.startswith(first)), 0)
    ends = sorted(names.index(name) for name in stage_ends(network.base))
    return [*(names[at + 1] for at in reversed(ends) if start < at < ends[-1]), first]


def looked_at(network: Network, views: int) -> tuple[Any, dict[str, Any]]:
    """The input for photos, uint8 `[b, height, width, 3]`, and for them `features`, `logits` and `projection` of the
    frozen network: of the photo as it is; for two views the mean with those of its mirror image; for four also with
    those of both at a smaller size (see :func:`smaller`)."""
    photos = keras.Input((*network.image_size, 3), dtype="uint8", name="photos")
    both = [photos, ops.flip(photos, axis=2)]
    features = [network.trunk(seen) for seen in both[:views]]
    if views == 4:
        size = smaller(network.image_size)
        trunk, floats = _resized(network, size), layers.Rescaling(1.0, dtype="float32")
        # Not `layers.Resizing`, which puts the layers after it into training mode (Keras 3.15).
        features += [trunk(ops.image.resize(floats(seen), size)) for seen in both]
    outs = [{"features": one, **network.head(one)} for one in features]
    if views == 1:
        return photos, outs[0]
    return photos, {name: layers.Average(dtype="float32")([out[name] for out in outs]) for name in outs[0]}


def smaller(size: Size) -> Size:
    """About 5/7 of it, in multiples of 32, which MobileNetV2 and its like divide without a rest."""
    height, width = (max(32, round(length * 5 / 7 / 32) * 32) for length in size)
    return height, width


def _resized(network: Network, size: Size) -> Any:
    """The same trunk for photos of another size, with layers of its own (Keras 3.15 does not load shared ones)."""
    trunk, _ = _trunk(network.name, keras.Input((*size, 3)), None, "smaller_trunk")
    trunk.set_weights(network.trunk.get_weights())
    return trunk


def deployable(network: Network, temperature: float, views: int = 1) -> Any:
    """Photos uint8 `[b, height, width, 3]` to the dict of `probabilities` `[b, c]` (calibrated), `embedding`
    `[b, dim]` (unit length) and `features` `[b, f]`. Two views (see :func:`looked_at`) cost twice as much as one, four
    three times, and some minutes of conversion to LiteRT, which finds that both sizes have the same weights."""
    photos, out = looked_at(network, views)
    features = layers.Activation("linear", name="features", dtype="float32")(out["features"])
    calibrated = layers.Softmax(name="probabilities", dtype="float32")(
        layers.Rescaling(1 / temperature, dtype="float32")(out["logits"])
    )
    embedding = layers.UnitNormalization(name="embedding", dtype="float32")(out["projection"])
    outputs = {"embedding": embedding, "features": features, "probabilities": calibrated}
    return keras.Model(photos, outputs, name="image_encoder")
