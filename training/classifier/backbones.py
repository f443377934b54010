"""The backbones to choose from: what each expects and how it is best trained, in one table."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
from keras import layers

from relevance.errors import DataError
from relevance.images import Size


@dataclass(frozen=True)
class Backbone:
    """One row of the table.

    application: its name in `keras.applications`, None for our own network. image_size: side in pixels of a square of
    as many pixels as go in. signed: whether they go in as [-1, 1] (else as 0 to 255: the network scales them itself).
    parameters: without its top, in millions. fine_tune_from: the first trained layer of the second phase, by the start
    of its name; "" trains all.
    """

    application: str | None
    image_size: int
    signed: bool
    parameters: float
    fine_tune_from: str = ""
    embedding_dim: int = 128
    dropout: float = 0.2
    epochs: float = 8
    batch: int = 64
    learning_rate: float = 5e-4


BACKBONES = {
    "small": Backbone(None, 64, True, 0.66, embedding_dim=64, dropout=0.0, epochs=30, batch=32, learning_rate=4e-3),
    # Latency.
    "MobileNetV2": Backbone("MobileNetV2", 112, True, 2.26, "block_6_"),
    "MobileNetV3Small": Backbone("MobileNetV3Small", 224, False, 0.94),
    "MobileNetV3Large": Backbone("MobileNetV3Large", 224, False, 3.0),
    # Accuracy.
    "EfficientNetB0": Backbone("EfficientNetB0", 224, False, 4.05),
    "EfficientNetB1": Backbone("EfficientNetB1", 240, False, 6.58),
    "EfficientNetB2": Backbone("EfficientNetB2", 260, False, 7.77),
    "EfficientNetB3": Backbone("EfficientNetB3", 300, False, 10.78),
    "EfficientNetB4": Backbone("EfficientNetB4", 380, False, 17.67),
    "EfficientNetB5": Backbone("EfficientNetB5", 456, False, 28.51),
    "EfficientNetB6": Backbone("EfficientNetB6", 528, False, 40.96),
    "EfficientNetB7": Backbone("EfficientNetB7", 600, False, 64.1),
    "EfficientNetV2B0": Backbone("EfficientNetV2B0", 224, False, 5.92),
    "EfficientNetV2B1": Backbone("EfficientNetV2B1", 240, False, 6.93),
    "EfficientNetV2B2": Backbone("EfficientNetV2B2", 260, False, 8.77),
    "EfficientNetV2B3": Backbone("EfficientNetV2B3", 300, False, 12.93),
    "EfficientNetV2S": Backbone("EfficientNetV2S", 384, False, 20.33),
    "EfficientNetV2M": Backbone("EfficientNetV2M", 480, False, 53.15),
    "EfficientNetV2L": Backbone("EfficientNetV2L", 480, False, 117.75),
    "ConvNeXtTiny": Backbone("ConvNeXtTiny", 224, False, 27.82),
    "ConvNeXtSmall": Backbone("ConvNeXtSmall", 224, False, 49.45),
    "ConvNeXtBase": Backbone("ConvNeXtBase", 224, False, 87.57),
    # The reference.
    "InceptionResNetV2": Backbone("InceptionResNetV2", 299, True, 54.34),
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
    constructor = getattr(keras.applications, backbone.application)
    try:
        return constructor(include_top=False, weights=weights, input_shape=(*image_size, 3))
    except Exception as error:  # Keras raises a bare Exception where a download fails
        raise DataError(_refusal(name, image_size, weights, error)) from error


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
