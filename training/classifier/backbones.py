"""The backbones to choose from: what each expects and how it is best trained, in one table."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers

from relevance.errors import DataError
from relevance.images import Size


class Scaling(NamedTuple):
    """A channel of a pixel, 0 to 255, times `scale` plus `offset`; one for all channels, or of each of the three."""

    scale: float | list[float]
    offset: float | list[float]


BYTES = Scaling(1.0, 0.0)
"""The network scales them itself."""
SIGNED = Scaling(1 / 127.5, -1.0)
_MEANS, _DEVIATIONS = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of red, green and blue in ImageNet, 0 to 1."""
NORMALISED = Scaling(
    [own**-1.5 for own in _DEVIATIONS],
    [-255 * mean * own**-1.5 for mean, own in zip(_MEANS, _DEVIATIONS, strict=True)],
)
"""For a network that divides by 255 itself: by the ImageNet mean and deviation, and then by the root of the deviation,
as the first EfficientNets were trained (tensorflow/tensorflow issue 49930)."""


@dataclass(frozen=True)
class Backbone:
    """One row of the table.

    application: its name in `keras.applications`, None for our own network. image_size: side in pixels of a square of
    as many pixels as go in. scaling: how they go in. parameters: without its top, in millions. fine_tune_from: the
    first trained layer of the second phase, by the start of its name; "" trains all.
    """

    application: str | None
    image_size: int
    scaling: Scaling
    parameters: float
    fine_tune_from: str = ""
    embedding_dim: int = 128
    dropout: float = 0.2
    epochs: float = 8
    batch: int = 64
    learning_rate: float = 5e-4


BACKBONES = {
    "small": Backbone(None, 64, SIGNED, 0.66, embedding_dim=64, dropout=0.0, epochs=30, batch=32, learning_rate=4e-3),
    # Latency.
    "MobileNetV2": Backbone("MobileNetV2", 112, SIGNED, 2.26, "block_6_"),
    "MobileNetV3Small": Backbone("MobileNetV3Small", 224, BYTES, 0.94),
    "MobileNetV3Large": Backbone("MobileNetV3Large", 224, BYTES, 3.0),
    # Accuracy.
    "EfficientNetB0": Backbone("EfficientNetB0", 224, NORMALISED, 4.05),
    "EfficientNetB1": Backbone("EfficientNetB1", 240, NORMALISED, 6.58),
    "EfficientNetB2": Backbone("EfficientNetB2", 260, NORMALISED, 7.77),
    "EfficientNetB3": Backbone("EfficientNetB3", 300, NORMALISED, 10.78),
    "EfficientNetB4": Backbone("EfficientNetB4", 380, NORMALISED, 17.67),
    "EfficientNetB5": Backbone("EfficientNetB5", 456, NORMALISED, 28.51),
    "EfficientNetB6": Backbone("EfficientNetB6", 528, NORMALISED, 40.96),
    "EfficientNetB7": Backbone("EfficientNetB7", 600, NORMALISED, 64.1),
    "EfficientNetV2B0": Backbone("EfficientNetV2B0", 224, BYTES, 5.92),
    "EfficientNetV2B1": Backbone("EfficientNetV2B1", 240, BYTES, 6.93),
    "EfficientNetV2B2": Backbone("EfficientNetV2B2", 260, BYTES, 8.77),
    "EfficientNetV2B3": Backbone("EfficientNetV2B3", 300, BYTES, 12.93),
    "EfficientNetV2S": Backbone("EfficientNetV2S", 384, BYTES, 20.33),
    "EfficientNetV2M": Backbone("EfficientNetV2M", 480, BYTES, 53.15),
    "EfficientNetV2L": Backbone("EfficientNetV2L", 480, BYTES, 117.75),
    "ConvNeXtTiny": Backbone("ConvNeXtTiny", 224, BYTES, 27.82),
    "ConvNeXtSmall": Backbone("ConvNeXtSmall", 224, BYTES, 49.45),
    "ConvNeXtBase": Backbone("ConvNeXtBase", 224, BYTES, 87.57),
    # The reference.
    "InceptionResNetV2": Backbone("InceptionResNetV2", 299, SIGNED, 54.34),
}


def find(name: str) -> Backbone:
    """Returns the row of that name; raises DataError with the known names."""
    if name not in BACKBONES:
        raise DataError(f"--backbone: expected one of {', '.join(BACKBONES)}, found {name!r}")
    return BACKBONES[name]


def resolve_weights(name: str, weights: str | None) -> str | None:
    """Returns what Keras takes: None, "imagenet" or the path of a file; raises DataError for anything else."""
    own = find(name).application is None
    if weights == "none" or (weights is None and own):
        return None
    if own:
        raise DataError(f"--weights: {name} has no pretrained weights; expected none, found {weights!r}")
    if weights in (None, "imagenet"):
        return "imagenet"
    if not Path(str(weights)).is_file():
        raise DataError(f"--weights: expected none, imagenet or a file, found {weights!r}, which is no file")
    return weights


def build(name: str, image_size: Size, weights: str | None) -> Any:
    """Returns a Keras model from scaled photos `[b, height, width, 3]` to feature maps `[b, h, w, channels]`.

    Raises DataError when the weights cannot be downloaded or read, or the size does not suit the network.
    """
    backbone = find(name)
    if backbone.application is None:
        return small(image_size)
    constructor = partial(
        getattr(keras.applications, backbone.application), include_top=False, input_shape=(*image_size, 3)
    )
    try:
        own = backbone.scaling == NORMALISED
        return _without_normalisation(constructor, weights) if own else constructor(weights=weights)
    except Exception as error:  # Keras raises a bare Exception where a download fails
        raise DataError(_refusal(name, image_size, weights, error)) from error


def _without_normalisation(constructor: Callable[..., Any], weights: str | None) -> Any:
    """The first EfficientNets carry the ImageNet mean and variance among their weights, which Keras 3.15 does not look
    at again once they are set, and have one layer more for "imagenet" than for a file or none. Here the photos come
    normalised, and all have the same layers."""
    base = constructor(weights=None if weights == "imagenet" else weights)
    if weights == "imagenet":
        base.set_weights(constructor(weights=weights).get_weights())
    normalisation = next(layer for layer in base.layers if isinstance(layer, layers.Normalization))
    mean, variance, *count = normalisation.get_weights()
    normalisation.set_weights([np.zeros_like(mean), np.ones_like(variance), *count])
    normalisation.finalize_state()
    return base


def _refusal(name: str, image_size: Size, weights: str | None, error: Exception) -> str:
    reason = str(error).strip().partition("\n")[0][:200]
    if weights not in (None, "imagenet"):
        return f"--weights {weights}: expected the weights of {name} without its top: {reason}"
    if isinstance(error, ValueError):
        return f"--image-size {image_size[0]}x{image_size[1]}: does not fit {name}: {reason}"
    return (
        f"--weights imagenet: the weights of {name} could not be downloaded ({reason}); give a file by --weights PATH "
        f"(keras.applications.{name}(include_top=False).save_weights writes one), or none to train from nothing"
    )


def small(image_size: Size) -> Any:
    """Our own compact residual network, to be trained from nothing: about 0.7 million weights."""
    photos = keras.Input((*image_size, 3))
    x = layers.ReLU()(_convolved(photos, 24, strides=2))
    for width in (48, 96, 192):
        x = layers.ReLU()(_convolved(x, width, strides=2))
        x = layers.ReLU()(layers.Add()([x, _convolved(x, width)]))
    return keras.Model(photos, x, name="small")


def _convolved(x: Any, width: int, strides: int = 1) -> Any:
    x = layers.Conv2D(width, 3, strides=strides, padding="same", use_bias=False)(x)
    return layers.BatchNormalization(momentum=0.9)(x)
